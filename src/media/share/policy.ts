import { DAY_MS } from './files.ts'
import type { FileState, Fit } from './files.ts'
import { isEnough, mayDrop, nextKeepers } from './rank.ts'
import type { Keeper, Wanted } from './rank.ts'

/** Which files a node keeps: the setting `media.keep`. */
export type Keep = 'all' | 'none' | { days: number } | { bytes: number }

/** How many bytes a node keeps for readers of what its policy alone would not keep. */
export const READ_BYTES = 1024 ** 3

/** From where on files do not fit any more; undefined where all do. */
export interface Fits {
  /** Of the most recently used. */
  used: Fit | undefined
  /** Of what readers have asked for. */
  read: Fit | undefined
}

/** Whether a policy keeps a file, for the network or for readers. */
export function isKept(
  { sha256, atMs, readDay }: Pick<FileState, 'sha256' | 'atMs' | 'readDay'>,
  keep: Keep,
  fits: Fits,
  nowMs: number,
): boolean {
  if (keep === 'all') return true
  if (typeof keep === 'object' && 'bytes' in keep)
    return isBefore({ used: Math.max(atMs, readDay * DAY_MS), sha256 }, fits.used)
  if (typeof keep === 'object' && atMs >= nowMs - keep.days * DAY_MS) return true
  return readDay > 0 && isBefore({ used: readDay, sha256 }, fits.read)
}

function isBefore({ used, sha256 }: Fit, fit: Fit | undefined): boolean {
  return !fit || used > fit.used || (used === fit.used && sha256 < fit.sha256)
}

/** What is to become of a file here: `leave` has nothing to do with it. */
export type Decision = 'fetch' | 'keep' | 'drop' | 'leave'

export interface Situation {
  sha256: string
  /** Whether it is here. */
  isHeld: boolean
  /** Whether the policy keeps it. */
  isKept: boolean
  /** This node; undefined where it does not count, as a mirror's copy does not. */
  own: Keeper | undefined
  /** The other nodes that are there, and which of them hold the file. */
  others: readonly Keeper[]
  holders: readonly Keeper[]
  wanted: Wanted
}

/** Decides on a file. What is to be dropped has to be confirmed by the others first. */
export function decide({ sha256, isHeld, isKept, own, others, holders, wanted }: Situation): Decision {
  const question = { sha256, ...wanted }
  if (isHeld) {
    if (isKept) return 'keep'
    return mayGo(own, holders, question) ? 'drop' : 'keep'
  }
  // A mirror is not told who holds what: it asks its peers.
  if (holders.length === 0) return isKept && !own ? 'fetch' : 'leave'
  if (isKept) return 'fetch'
  if (!own) return 'leave'
  const holding = new Set(holders.map(({ key }) => key))
  const candidates = [own, ...others.filter(({ key }) => !holding.has(key))]
  return nextKeepers(holders, candidates, question).includes(own) ? 'fetch' : 'leave'
}

/** Whether a node may let go of a file, by those that hold it besides. */
export function mayGo(
  own: Keeper | undefined,
  confirmed: readonly Keeper[],
  question: Wanted & { sha256: string },
): boolean {
  return own ? mayDrop(own, confirmed, question) : isEnough(confirmed, question)
}
