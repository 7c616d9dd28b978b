import { messageOf } from '../../errors.ts'
import { damaged } from './problems.ts'

/** What a disk says that cannot give back what was written to it. */
const BROKEN = new Set(['EIO', 'EBADMSG', 'EUCLEAN'])

/** The disk cannot read what is there. */
export function isBroken(error: unknown): boolean {
  return BROKEN.has((error as NodeJS.ErrnoException).code ?? '')
}

/** Reads something of a blob. @throws HyperactiveError `blob_damaged` when the disk cannot read it */
export async function unlessBroken<Result>(sha256: string, read: () => Promise<Result>): Promise<Result> {
  try {
    return await read()
  } catch (error) {
    if (isBroken(error)) throw damaged(sha256, messageOf(error), error)
    throw error
  }
}
