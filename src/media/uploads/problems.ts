import { HyperactiveError } from '../../errors.ts'

const RETRY_S = 60

/** Nobody can publish nothing. */
export function emptyFile(): HyperactiveError {
  return new HyperactiveError('upload_empty', 'this file is empty', { status: 422 })
}

/** @param mostBytes as the settings have it */
export function tooLargeFile(mostBytes: number): HyperactiveError {
  const text = `this file is larger than the ${mostBytes} bytes that are taken here`
  return new HyperactiveError('upload_too_large', text, { status: 413 })
}

/** Files that wait for their forms take all the room that they may have. */
export function noRoom(): HyperactiveError {
  const text = 'so many files are waiting to be published that this node takes no more now'
  return new HyperactiveError('upload_no_room', text, {
    status: 507,
    expose: true,
    retryAfterSeconds: RETRY_S,
  })
}

/** As many files are on their way as there may be. */
export function tooManyAtOnce(): HyperactiveError {
  const text = 'too many files are being sent at this moment'
  return new HyperactiveError('upload_busy', text, { status: 503, expose: true, retryAfterSeconds: 10 })
}

/** The file did not arrive whole, or the form that it came with. */
export function cutOff(cause?: unknown): HyperactiveError {
  return new HyperactiveError('upload_cut_off', 'this file did not arrive whole', { status: 400, cause })
}

/** It has waited too long, was taken out, or never was here. */
export function goneUpload(): HyperactiveError {
  const text = 'this file is not here any more, or was sent for another form: send it again'
  return new HyperactiveError('upload_gone', text, { status: 410 })
}

/** @param most that an item may have */
export function tooManyFiles(most: number): HyperactiveError {
  return new HyperactiveError('upload_too_many', `an item has at most ${most} files`, { status: 413 })
}

/** It came with a form that may bring none. */
export function notTaken(text = 'this file was not taken'): HyperactiveError {
  return new HyperactiveError('upload_not_taken', text, { status: 403 })
}
