import { HyperactiveError, messageOf } from '../../errors.ts'

/** What a full disk, a full quota or a limit on files says. */
const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])
/** What a system says that has too much to do at the moment. */
const BUSY = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN', 'EBUSY', 'ETIMEDOUT'])

export function missing(sha256: string): HyperactiveError {
  return new HyperactiveError('blob_missing', `the file ${sha256} is not here`, { status: 404 })
}

/** What is kept is not what its name says. */
export function damaged(sha256: string, what: string, cause?: unknown): HyperactiveError {
  const text = `the file ${sha256} is damaged here: ${what}; it has to be fetched from a peer again`
  return new HyperactiveError('blob_damaged', text, { cause })
}

/** What was given is not what it should be. */
export function mismatch(what: string): HyperactiveError {
  return new HyperactiveError('blob_mismatch', `${what}; nothing of it was kept`, { status: 422 })
}

export function badManifest(what: string): HyperactiveError {
  return new HyperactiveError('blob_bad_manifest', `the description of a file is not valid: ${what}`, {
    status: 422,
  })
}

/** Its pieces are right each by itself, and the whole is not what it is called. */
export function wrongManifest({ sha256 }: { sha256: string }): HyperactiveError {
  return badManifest(`its pieces are not those of ${sha256}`)
}

export function badRange(bytes: number): HyperactiveError {
  return new HyperactiveError('blob_bad_range', `the file has ${bytes} bytes, and none of those asked for`, {
    status: 416,
  })
}

export function empty(): HyperactiveError {
  return new HyperactiveError('blob_empty', 'the file is empty', { status: 422 })
}

export function tooLarge(mostBytes: number): HyperactiveError {
  return new HyperactiveError('blob_too_large', `the file has more than ${mostBytes} bytes`, { status: 413 })
}

export function diskFull(where: string, cause?: unknown): HyperactiveError {
  const text = `there is no room for a file in ${where}: make room there; nothing half is kept`
  return new HyperactiveError('blob_disk_full', text, { status: 507, cause })
}

/** No answer, or one that says to come again. */
export function unreachable(where: string, what: string, cause?: unknown): HyperactiveError {
  const text = `files cannot be kept in or taken from ${where} now: ${what}`
  return new HyperactiveError('blob_store_unreachable', text, { status: 503, cause })
}

/** It will not take or give files until somebody changes something. */
export function unusable(where: string, what: string, cause?: unknown): HyperactiveError {
  return new HyperactiveError('blob_store_unusable', `files cannot be kept in ${where}: ${what}`, {
    status: 502,
    cause,
  })
}

/** Does something with files in a place, and tells what an error of the file system means there. */
export async function onDisk<Result>(where: string, act: () => Promise<Result>): Promise<Result> {
  try {
    return await act()
  } catch (error) {
    throw ofFileSystem(where, error)
  }
}

/** What an error of the file system means. */
export function ofFileSystem(where: string, error: unknown): unknown {
  const { code = '', syscall } = error as NodeJS.ErrnoException
  if (error instanceof HyperactiveError || syscall === undefined) return error
  if (FULL.has(code)) return diskFull(where, error)
  if (BUSY.has(code)) return unreachable(where, messageOf(error), error)
  return unusable(where, messageOf(error), error)
}

export function isCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof HyperactiveError && codes.includes(error.code)
}
