import { setTimeout as pause } from 'node:timers/promises'
import type { Database } from '../../couch/database.ts'
import { messageOf } from '../../errors.ts'
import { logger } from '../../log.ts'
import type { Site } from '../../project/site.ts'
import type { BlobDriver } from '../blobs/driver.ts'
import type { FileBook } from './book.ts'
import type { Hands } from './hand.ts'
import { lookAtFiles } from './look.ts'
import type { LookedAt } from './look.ts'
import { heldFiles, namedInLedger } from './named-files.ts'

const log = logger('files')

/** How often a node looks at all its files, and how long after its start it does so first. */
const LOOK_EVERY_MS = 6 * 3_600_000
const FIRST_LOOK_MS = 10 * 60_000
const RETRY_MS = 10 * 60_000
/** How long an orphan is kept since this node knows that it is one. */
export const GRACE_MS = 7 * 24 * 3_600_000
const NOTED_AT_ONCE = 500
const REMOVED_AT_ONCE = 500

export interface KeeperOptions {
  blobs: BlobDriver
  site: Site
  /** The ledger's database. */
  ledger: Database
  book: FileBook
  hands: Hands
}

/** What was removed, or would be. */
export interface Removal {
  files: number
  bytes: number
}

/** Looks after the files of a node: knows what they use, finds those that nothing names, and removes them in time. */
export class Keeper implements AsyncDisposable {
  readonly #options: KeeperOptions
  readonly #stop = new AbortController()
  #running: Promise<void> | undefined
  #looking: Promise<void> | undefined

  constructor(options: KeeperOptions) {
    this.#options = options
  }

  get book(): FileBook {
    return this.#options.book
  }

  /** Looks at everything every six hours, and removes what has been an orphan for a week. */
  start(): void {
    this.#running = this.#run()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#running
    await this.#looking?.catch(() => undefined)
  }

  /**
   * Looks at everything that is here and at everything that should be. Whoever asks while one is under way waits for it.
   *
   * @throws HyperactiveError when the store of files or the site database cannot be read
   */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  /**
   * Removes orphans, once the ledger has been asked whether really no document names them. What somebody still has in hand
   * stays.
   *
   * @param options.olderThanMs how long they have been orphans
   * @param options.only these alone
   * @param options.most how many at most
   * @param options.dryRun whether it is only said what would go
   */
  async removeOrphans({
    olderThanMs = GRACE_MS,
    only,
    most = Infinity,
    dryRun = false,
  }: {
    olderThanMs?: number
    only?: ReadonlySet<string>
    most?: number
    dryRun?: boolean
  } = {}): Promise<Removal> {
    const { book, ledger } = this.#options
    const removal: Removal = { files: 0, bytes: 0 }
    const untilMs = Date.now() - olderThanMs
    for (let after = ''; ;) {
      const found = book.orphans(REMOVED_AT_ONCE, { after, untilMs })
      const wanted = found.filter(({ sha256 }) => only?.has(sha256) ?? true)
      const named =
        wanted.length === 0
          ? new Set<string>()
          : await namedInLedger(ledger, new Set(wanted.map(({ sha256 }) => sha256)))
      for (const { sha256, bytes } of wanted) {
        this.#stop.signal.throwIfAborted()
        if (removal.files >= most || named.has(sha256) || !(await this.#isFree(sha256))) continue
        removal.files += 1
        removal.bytes += bytes
        if (!dryRun) await this.#remove(sha256)
      }
      const last = found.at(-1)
      if (!last || found.length < REMOVED_AT_ONCE || removal.files >= most) break
      after = last.sha256
    }
    if (!dryRun && removal.files > 0) {
      book.sum()
      log.info('files that nothing names were removed', { ...removal })
    }
    return removal
  }

  /** What came since the ledger was read. */
  async #isFree(sha256: string): Promise<boolean> {
    const { site, hands } = this.#options
    return (await site.file(sha256)) === undefined && !(await hands.isWaiting(sha256))
  }

  async #remove(sha256: string): Promise<void> {
    const { blobs, book, hands } = this.#options
    await hands.letGo(sha256)
    await blobs.delete(sha256)
    book.gone([sha256])
  }

  async #look(): Promise<void> {
    const { blobs, site, ledger, book, hands } = this.#options
    const held = await heldFiles(site.database, ledger)
    const look = book.beginLook()
    let seen: (LookedAt & { isOrphan: boolean })[] = []
    const note = () => {
      book.note(look, seen, Date.now())
      seen = []
    }
    for await (const file of lookAtFiles({ blobs, site })) {
      this.#stop.signal.throwIfAborted()
      const { sha256, named } = file
      const isOrphan = !named && !held.has(sha256) && !(await hands.isWaiting(sha256))
      seen.push({ ...file, isOrphan })
      if (seen.length >= NOTED_AT_ONCE) note()
    }
    note()
    book.endLook(look, Date.now())
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop
    for (let waitMs = FIRST_LOOK_MS; ;) {
      await pause(waitMs, undefined, { signal, ref: false }).catch(() => undefined)
      if (signal.aborted) return
      try {
        await this.look()
        await this.removeOrphans()
        waitMs = LOOK_EVERY_MS
      } catch (error) {
        if (signal.aborted) return
        log.warn('the files could not be looked at; trying again', { reason: messageOf(error) })
        waitMs = RETRY_MS
      }
    }
  }
}
