import { HyperactiveError } from '../../errors.ts'
import type { ProducedFile } from '../../produce/produced-site.ts'

/** What is taken from a target is no larger: nobody knows what somebody has put there. */
export const MOST_TAKEN_BYTES = 8 * 1024 * 1024

/** A file that a target does not take, while it takes others. */
export interface Refusal {
  path: string
  reason: string
}

/** What is wrong with files at a target. */
export interface Differences {
  missing: string[]
  wrong: string[]
}

/**
 * A place that files are copied to: something that takes, removes and compares files by their paths. Paths have been
 * checked (`names.ts`). Each of these throws a HyperactiveError when the place as a whole cannot be used now.
 */
export interface Target extends AsyncDisposable {
  /**
   * Sends files from below a folder on this machine. Whoever reads there meanwhile gets the old or the new file. A
   * file that has gone from the folder, or is another by now, may be left out: whoever changed it says so.
   *
   * @returns the files that are refused for good
   */
  put(from: string, files: ReadonlyMap<string, ProducedFile>, signal: AbortSignal): Promise<Refusal[]>
  /** Removes files; one that is not there is no failure. */
  remove(paths: readonly string[], signal: AbortSignal): Promise<void>
  /** Copies files from there to below a folder on this machine; those that are not there, or too large, are left out. */
  take(paths: readonly string[], into: string, signal: AbortSignal): Promise<void>
  /** Compares the bytes of files there with those below a folder on this machine, which are as told. */
  check(from: string, files: ReadonlyMap<string, ProducedFile>, signal: AbortSignal): Promise<Differences>
  /** The names of all files there; undefined when the place does not tell. */
  names(signal: AbortSignal): Promise<string[] | undefined>
}

/** No answer, or a connection that broke: it is tried again. */
export function unreachable(name: string, what: string, cause?: unknown): HyperactiveError {
  return new HyperactiveError('mirror_unreachable', `mirror "${name}" cannot be reached: ${what}`, {
    status: 502,
    cause,
  })
}

export function loginRefused(name: string, what: string): HyperactiveError {
  const text = `mirror "${name}" does not let this node in (${what}); check its name, password or key, and its rights`
  return new HyperactiveError('mirror_login', text, { status: 502 })
}

/** It answers, but does not do what it is there for. */
export function unusable(name: string, what: string, cause?: unknown): HyperactiveError {
  return new HyperactiveError('mirror_unusable', `mirror "${name}" does not take files: ${what}`, {
    status: 502,
    cause,
  })
}

/** One line of what another program or server said, fit for a terminal. */
export function oneLine(text: string, most = 200): string {
  const line = text
    .split('\n')
    .map((part) => part.trim())
    .find((part) => part !== '')
  return (line ?? '').replace(/[^\P{Cc}]/gu, '').slice(0, most)
}

/** Does something with each of many, so many of them at once; the first failure ends it. */
export async function eachOf<Item>(
  items: Iterable<Item>,
  atOnce: number,
  act: (item: Item) => Promise<void>,
): Promise<void> {
  const iterator = items[Symbol.iterator]()
  let failed = false
  const work = async () => {
    for (let next = iterator.next(); !next.done && !failed; next = iterator.next()) {
      try {
        await act(next.value)
      } catch (error) {
        failed = true
        throw error
      }
    }
  }
  // All of them have ended before the failure is told, so that nothing goes on behind it.
  const ended = await Promise.allSettled(Array.from({ length: atOnce }, work))
  const failure = ended.find((one) => one.status === 'rejected')
  if (failure) throw failure.reason
}
