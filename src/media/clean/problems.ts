import { HyperactiveError, messageOf } from '../../errors.ts'

/** The file is of a type that nobody can publish; `found` is what its content says it is. */
export function typeRefused(found: string, advice = ''): HyperactiveError {
  return new HyperactiveError(
    'media_type_refused',
    `files of this type cannot be published: by its content this is ${found}${advice && `; ${advice}`}`,
    { status: 415 },
  )
}

/** The file is damaged, cut off, or not what it begins as. */
export function unreadable(what: string, cause?: unknown): HyperactiveError {
  return new HyperactiveError('media_unreadable', `this file is damaged or incomplete: ${what}`, {
    status: 422,
    cause,
  })
}

/** The file, or what would come out of it, is larger than is allowed. */
export function tooLarge(what: string): HyperactiveError {
  return new HyperactiveError('media_too_large', `this file is too large: ${what}`, { status: 413 })
}

/** Reading the file takes more time, memory or room than one file may have, or ends the program that reads it. */
export function tooComplex(what: string, cause?: unknown): HyperactiveError {
  return new HyperactiveError('media_too_complex', `this file cannot be processed: ${what}`, {
    status: 422,
    cause,
  })
}

/** This node cannot clean files of this type, so it does not take them. */
export function toolMissing(what: string, tool: string): HyperactiveError {
  return new HyperactiveError(
    'media_tool_missing',
    `this node cannot take personal data out of ${what}, so it does not accept them: ${tool} is not installed`,
    { status: 415 },
  )
}

const FULL = /ENOSPC|EDQUOT|no space left on device|disk quota exceeded/i

/** There was no room to work on the file; else the error itself. */
export function orNoRoom(error: unknown): unknown {
  const { cause } = error instanceof Error ? error : {}
  if (![error, cause].some((one) => FULL.test(messageOf(one)))) return error
  const text =
    'this node has no room to work on this file: make room on the disk of its data, then send it again'
  return new HyperactiveError('media_no_room', text, { status: 507, cause: error })
}
