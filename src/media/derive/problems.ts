import { HyperactiveError, messageOf } from '../../errors.ts'
import { diskFull } from '../blobs/problems.ts'

const NO_ROOM = /no space left on device|disk quota exceeded/i

/** A program could not make something of a file; `complaint` is what it said last. */
export function notMade(what: string, complaint: string, folder: string): HyperactiveError {
  if (NO_ROOM.test(complaint)) return diskFull(folder)
  const [line = ''] = complaint.replaceAll(folder, '').trim().split('\n').slice(-1)
  const text = `no ${what} could be made of this file: ${line.slice(0, 300)}`
  return new HyperactiveError('derive_failed', text, { status: 422 })
}

/** The node ended again and again while it worked on a file. */
export function gaveUp(times: number): HyperactiveError {
  const text = `the node ended ${times} times while it worked on this file`
  return new HyperactiveError('derive_gave_up', text)
}

export function unknownJob(): HyperactiveError {
  return new HyperactiveError(
    'derive_unknown',
    'there is no such work here, or none that waits or has failed',
    {
      status: 404,
    },
  )
}

/** Whether what went wrong lies with this node or its store, and not with the file: it is worth another try. */
export function isPassing(error: unknown): boolean {
  if (error instanceof HyperactiveError) return !/^(?:media|derive)_/.test(error.code)
  return (error as NodeJS.ErrnoException).syscall !== undefined
}

/** libvips writes what the system said into its own words. */
export function isFull(error: unknown): boolean {
  return error instanceof Error && NO_ROOM.test(`${error.message} ${messageOf(error.cause)}`)
}

/** What is noted of an error. */
export function why(error: unknown): { code: string; reason: string } {
  const code = error instanceof HyperactiveError ? error.code : 'unexpected'
  return { code, reason: messageOf(error) }
}
