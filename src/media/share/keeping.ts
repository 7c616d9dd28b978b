import { setImmediate as breathe, setTimeout as pause } from 'node:timers/promises'
import { messageOf } from '../../errors.ts'
import { logger } from '../../log.ts'
import { pauseBefore } from '../../replication/pause.ts'
import { Changes, untilAborted } from './changes.ts'
import type { Fetch } from './fetch.ts'
import type { Files, FileState } from './files.ts'
import { DAY_MS } from './files.ts'
import { MOST_CONFIRMED } from './paths.ts'
import { decide, isKept, READ_BYTES } from './policy.ts'
import type { Fits, Keep } from './policy.ts'
import { codeOf } from './problems.ts'
import { isEnough, lawsOf } from './rank.ts'
import type { Keeper, Wanted } from './rank.ts'

const log = logger('media')

const BATCH = 200
const LONGEST_PAUSE_MS = 60 * 60_000
/** What nobody confirms is asked about again after so long, and up to twice as long. */
const REFUSED_MS = 30 * 60_000
/** While others are asked about some files, the next ones wait for so long. */
const DROP_AGAIN_MS = 2000
/** A disk that is full, or a store that does not answer, is left alone for so long. */
const STORE_PAUSE_MS = 30_000
const STORE_PROBLEMS = new Set(['blob_disk_full', 'blob_store_unreachable', 'blob_store_unusable'])

export interface KeepingOptions {
  files: Files
  keep: Keep
  wanted: Wanted
  /** This node; undefined where it does not count. */
  own: Keeper | undefined
  /** The other nodes that are there. */
  others: () => readonly Keeper[]
  holders: (sha256: string) => readonly Keeper[]
  /** Whether a file is here; looks for it where it has not been told. */
  isHere: (sha256: string) => Promise<boolean>
  hasRoom: () => boolean
  fetch: (sha256: string) => Promise<Fetch | undefined>
  /** How long a file is to be waited for before it is asked for; undefined while nobody can be asked. */
  waitMs: (sha256: string) => number | undefined
  /** Asks the others, and drops those of these files that enough of them hold; gives those. */
  drop: (digests: readonly string[]) => Promise<ReadonlySet<string>>
  /** How much is kept for readers. */
  readBytes?: number
  /** What does not fit any more is looked for this often. */
  fitMs: number
}

/** Looks at one file after the other, as each is due: what is to be here is fetched, what need not be is dropped. */
export class Keeping {
  readonly #options: KeepingOptions
  readonly #changes = new Changes()
  #fits: Fits = { used: undefined, read: undefined }
  #fitsAtMs = -Infinity
  #dropping: Promise<void> | undefined
  #storePausedUntilMs = -Infinity
  /** What keeps files from being stored here. */
  problem: string | undefined

  constructor(options: KeepingOptions) {
    this.#options = options
  }

  /** Something has become due, or a fetch has ended. */
  wake(): void {
    this.#changes.tell()
  }

  /** Goes on until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      using watch = this.#changes.watch()
      try {
        if (await this.#round(signal)) continue
      } catch (error) {
        if (signal.aborted) return
        log.warn('files cannot be looked at', { code: codeOf(error), reason: messageOf(error) })
        await pause(2000, undefined, { signal }).catch(() => undefined)
      }
      const nextMs = (this.#options.files.nextDueMs() ?? Infinity) - Date.now()
      await untilAborted([signal, watch.told], Math.min(Math.max(nextMs, 200), this.#options.fitMs))
    }
    await this.#dropping
  }

  /** Looks at what is due; gives whether there may be more. */
  async #round(signal: AbortSignal): Promise<boolean> {
    const { files } = this.#options
    this.#fit()
    const due = files.due(Date.now(), BATCH)
    const toDrop: string[] = []
    let isBusy = false
    for (const file of due) {
      signal.throwIfAborted()
      const decision = await this.#look(file)
      if (decision === 'drop') toDrop.push(file.sha256)
      isBusy ||= decision === 'busy'
      // What is behind it may not be fetched before it.
      if (isBusy) break
    }
    if (toDrop.length > 0) this.#drop(toDrop)
    // Others have their turn between.
    await breathe()
    return !isBusy && due.length > 0
  }

  /** Asks the others, and lets go of what they have; nothing else waits for that. */
  #drop(digests: readonly string[]): void {
    const { files, drop } = this.#options
    const isFree = this.#dropping === undefined
    const some = isFree ? digests.slice(0, MOST_CONFIRMED) : []
    files.setDue(digests.slice(some.length), Date.now() + DROP_AGAIN_MS)
    if (!isFree) return
    for (const sha256 of some) files.setDue([sha256], Date.now() + REFUSED_MS * (1 + Math.random()))
    this.#dropping = drop(some)
      .then((dropped) => files.setDue([...dropped], undefined))
      .catch((error: unknown) => log.warn('files cannot be dropped', { reason: messageOf(error) }))
      .finally(() => {
        this.#dropping = undefined
      })
  }

  async #look(file: FileState): Promise<'drop' | 'busy' | 'done'> {
    const { files, keep, wanted, own, others, holders, isHere, hasRoom, waitMs } = this.#options
    const { sha256 } = file
    const isHeld = await isHere(sha256)
    if (isHeld !== file.held) files.setHeld(sha256, isHeld)
    const holding = holders(sha256)
    const all = isHeld && own ? [...holding, own] : holding
    files.setHolders(sha256, { holders: all.length, laws: lawsOf(all), isEnough: isEnough(all, wanted) })
    const nowMs = Date.now()
    const kept = isKept(file, keep, this.#fits, nowMs)
    const decision = decide({ sha256, isHeld, isKept: kept, own, others: others(), holders: holding, wanted })
    if (decision === 'drop') return 'drop'
    if (decision === 'fetch') {
      const ms = waitMs(sha256)
      if (ms === undefined || ms > 0) {
        // Looked at again when a peer answers, or when somebody says that it has it.
        files.setDue([sha256], nowMs + (ms ?? LONGEST_PAUSE_MS))
        return 'done'
      }
      if (!hasRoom() || performance.now() < this.#storePausedUntilMs) return 'busy'
      await this.#fetch(sha256)
      return 'done'
    }
    const expires = typeof keep === 'object' && 'days' in keep && isHeld && file.atMs + keep.days * DAY_MS
    files.setDue([sha256], expires !== false && expires > nowMs ? expires + 1 : undefined)
    return 'done'
  }

  async #fetch(sha256: string): Promise<void> {
    const { files, fetch } = this.#options
    // Not due while it comes, and found again when the process is killed meanwhile.
    files.setDue([sha256], Date.now() + LONGEST_PAUSE_MS)
    const begun = await fetch(sha256).catch((error: unknown) => {
      this.#failed(sha256, error)
    })
    if (!begun) return
    begun.isWanted = true
    begun.done
      .then(() => {
        this.problem = undefined
        files.setProblem(sha256, undefined)
        files.setDue([sha256], Date.now())
      })
      .catch((error: unknown) => this.#failed(sha256, error))
      .finally(() => this.wake())
      .catch(() => undefined)
  }

  #failed(sha256: string, error: unknown): void {
    const { files } = this.#options
    if (codeOf(error) === 'blob_forgotten') return
    if (STORE_PROBLEMS.has(codeOf(error))) {
      this.problem = messageOf(error)
      this.#storePausedUntilMs = performance.now() + STORE_PAUSE_MS
    }
    files.setProblem(sha256, messageOf(error))
    const failures = files.get(sha256)?.failures ?? 1
    files.setDue([sha256], Date.now() + pauseBefore(failures + 2, LONGEST_PAUSE_MS))
  }

  /** Finds out from where on files do not fit, and has those looked at that are here and do not. */
  #fit(): void {
    const { files, keep, readBytes = READ_BYTES, fitMs } = this.#options
    const nowMs = performance.now()
    if (keep === 'all' || nowMs - this.#fitsAtMs < fitMs) return
    this.#fitsAtMs = nowMs
    if (typeof keep === 'object' && 'bytes' in keep) {
      this.#fits = { used: files.usedFit(keep.bytes), read: undefined }
      if (this.#fits.used) files.setBeyondDue(this.#fits.used, 'used', Date.now())
    } else {
      this.#fits = { used: undefined, read: files.readFit(readBytes) }
      if (this.#fits.read) files.setBeyondDue(this.#fits.read, 'read', Date.now())
    }
  }
}
