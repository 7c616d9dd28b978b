import { messageOf } from '../../errors.ts'
import type { OpenProblem } from './messages.ts'

/** A folder that cannot be opened as a store, and why. */
export class FolderError extends Error {
  readonly problem: OpenProblem

  constructor(problem: OpenProblem, message: string) {
    super(message)
    this.problem = problem
  }
}

/** Sorts whatever went wrong while opening. LevelDB tells of a held LOCK in text alone. */
export function openProblem(error: unknown): OpenProblem {
  if (error instanceof FolderError) return error.problem
  if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return 'store_port_taken'
  const held = /IO error: lock .*(temporarily unavailable|already held by process)/.test(messageOf(error))
  return held ? 'store_locked' : 'store_unreadable'
}
