import { setTimeout as pause } from 'node:timers/promises'
import type { Database } from '../couch/database.ts'
import { messageOf } from '../errors.ts'
import { parseId } from '../ledger/document.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { logger } from '../log.ts'
import { isAnswered, isExecuted, isToExecute, ordersInForce } from '../project/erasures.ts'
import type { Policy } from '../project/policy.ts'
import type { Site } from '../project/site.ts'
import type { Awaited, SiteComment, SiteItem } from '../project/site-item.ts'
import type { SearchIndex } from '../search/search-index.ts'
import { compactWhole } from '../couch/compact-whole.ts'
import type { ErasedFiles } from './erased-files.ts'
import { answerErasure, targetIn } from './order.ts'
import type { ErasureTarget } from './order.ts'

const log = logger('erasure')

/** What is erased in one go. */
const MOST_AT_ONCE = 100
const PAGE = 500
const RETRY_MS = 5000
const LONGEST_RETRY_MS = 5 * 60_000
/** What is gathered before the files are rewritten once for all of it. */
const GATHER_MS = 300
/** As long what comes late is gathered. */
const LATE_MS = 60_000
const LAST = '\ufff0'

export interface EraserOptions {
  ledger: Ledger
  /** The ledger's database with the right to delete and to compact. */
  ledgerDatabase: Database
  site: Site
  /** Resolves when the site database and the index follow what the ledger holds now. */
  drained: () => Promise<void>
  /** Drops what ledger documents that were deleted had made of the site. */
  gone: (ids: readonly string[]) => void
  /** Brings the views of the site database up to date. */
  warm: () => Promise<void>
  index: SearchIndex
  policy: Policy
  /** What belongs to items beside their documents. */
  files: ErasedFiles
  /** Further databases that may hold something of what is erased, and what removes it there. */
  office: {
    database: Database
    warm: () => Promise<void>
    /** Gives whether there was anything. */
    forget: (target: ErasureTarget) => Promise<boolean>
  }
}

type Due = SiteItem | SiteComment | Awaited

/**
 * Carries out the orders to erase that this node heeds, in steps that may each be done twice. The documents are deleted
 * from the ledger; whoever sends them again is refused by the tombstones. The projector takes them off the site and out of
 * the index. Then the files go that nothing else names, everything that held a copy rewrites its own, and only then this
 * node says that it has erased them.
 */
export class Eraser implements AsyncDisposable {
  readonly #options: EraserOptions
  readonly #stop = new AbortController()
  #wake: (() => void) | undefined
  #wanted = true
  #running: Promise<void> | undefined
  /** Whether something may have been deleted whose bytes are still in the files; a start does not know. */
  #dirty = true
  #cleanedMs = 0
  #later: NodeJS.Timeout | undefined

  constructor(options: EraserOptions) {
    this.#options = options
  }

  start(): void {
    this.#running = this.#run()
  }

  /** To be called when something is to be erased. */
  look(): void {
    this.#wanted = true
    this.#wake?.()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    clearTimeout(this.#later)
    this.#wake?.()
    await this.#running
  }

  async #run(): Promise<void> {
    let retryMs = RETRY_MS
    const { signal } = this.#stop
    while (!signal.aborted) {
      if (!this.#wanted) await this.#asked()
      if (signal.aborted) return
      try {
        await pause(GATHER_MS, undefined, { signal })
        this.#wanted = false
        await this.#pass()
        retryMs = RETRY_MS
      } catch (error) {
        if (signal.aborted) return
        this.#wanted = true
        log.error('what is to be erased is still here; trying again', { reason: messageOf(error), retryMs })
        await pause(retryMs, undefined, { signal }).catch(() => undefined)
        retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS)
      }
    }
  }

  #asked(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#wake = resolve
    return promise
  }

  async #pass(): Promise<void> {
    const ready = await this.#ready()
    if (ready.length === 0 || this.#isTooSoon(ready)) {
      await this.#finishFiles()
      return
    }
    for (const document of ready) await this.#delete(targetIn(document._id))
    await this.#drained()
    this.#options.gone(ready.map(({ _id }) => ledgerIdFor(targetIn(_id))))
    await this.#drained()
    const asked = new Set(ready.map(({ _id }) => _id))
    // What came meanwhile has not been deleted yet, and is looked at next.
    const left = (await this.#ready()).filter(({ _id, type }) => type !== 'awaited' && asked.has(_id))
    // Somebody may have noted something down before it was gone.
    for (const document of ready) await this.#forget(targetIn(document._id))
    await this.#options.files.remove(this.#stop.signal)
    if (this.#dirty) await this.#clean()
    for (const document of ready)
      if (!left.some(({ _id }) => _id === document._id)) await this.#answer(document)
    log.info('erased for good', { count: ready.length - left.length })
    if (left.length > 0) throw new Error(`${left.length} are still on the site`)
    if (ready.length >= MOST_AT_ONCE) this.#wanted = true
  }

  /** Files that an earlier process did not come to. */
  async #finishFiles(): Promise<void> {
    const { files } = this.#options
    if (!files.isDue) return
    await this.#drained()
    await files.remove(this.#stop.signal)
  }

  /** What comes late for something that was erased before is gathered: each time all files are rewritten. */
  #isTooSoon(ready: readonly Due[]): boolean {
    const leftMs = this.#cleanedMs + LATE_MS - Date.now()
    const isLate = ready.every(({ erasures = {} }) => isExecuted(erasures, this.#options.policy))
    if (!isLate || leftMs <= 0) return false
    clearTimeout(this.#later)
    this.#later = setTimeout(() => this.look(), leftMs).unref()
    return true
  }

  async #delete(target: ErasureTarget): Promise<void> {
    await this.#forget(target)
    if ((await this.#deleteAll(target)) > 0) this.#dirty = true
  }

  async #forget(target: ErasureTarget): Promise<void> {
    if (await this.#options.office.forget(target)) this.#dirty = true
  }

  /** A projector that cannot go on is no reason for the node not to stop. */
  async #drained(): Promise<void> {
    const { signal } = this.#stop
    const { promise, reject } = Promise.withResolvers<never>()
    const end = () => reject(signal.reason as Error)
    signal.addEventListener('abort', end)
    try {
      signal.throwIfAborted()
      await Promise.race([this.#options.drained(), promise])
    } finally {
      signal.removeEventListener('abort', end)
      promise.catch(() => undefined)
    }
  }

  /** Takes the bytes of what was deleted off the disk. */
  async #clean(): Promise<void> {
    const { site, warm, office, index, ledgerDatabase } = this.#options
    await Promise.all([warm(), office.warm()])
    for (const database of [ledgerDatabase, site.database, office.database])
      await compactWhole(database, this.#stop.signal)
    index.scrub()
    this.#dirty = false
    this.#cleanedMs = Date.now()
  }

  /** Says of each order that it was carried out, once. */
  async #answer({ _id, erasures = {} }: Due): Promise<void> {
    const { ledger, policy } = this.#options
    const orders = ordersInForce(erasures, policy).filter((order) => !isAnswered(order, erasures, policy))
    const target = targetIn(_id)
    if (orders.length > 0) await answerErasure(ledger, target, orders, 'executed')
    // What came between the look and the answer.
    if ((await this.#deleteAll(target)) > 0) this.#dirty = this.#wanted = true
  }

  /** What is to be erased without asking anybody here. */
  async #ready(): Promise<Due[]> {
    const { site, policy } = this.#options
    const ready: Due[] = []
    for (let after = ''; ;) {
      const due = await site.erasuresDue(MOST_AT_ONCE, after)
      ready.push(...due.filter(({ erasures = {} }) => isToExecute(erasures, policy)))
      const last = due.at(-1)
      if (!last || due.length < MOST_AT_ONCE || ready.length >= MOST_AT_ONCE) return ready
      after = last._id
    }
  }

  /** Deletes every document of the ledger that holds something of the target; gives how many there were. */
  async #deleteAll(target: ErasureTarget): Promise<number> {
    const { ledgerDatabase, files } = this.#options
    let count = 0
    for (;;) {
      const found = await this.#documentsOf(target)
      if (found.length === 0) return count
      if (found.some(({ id }) => parseId(id)?.type === 'media')) await files.note(target.item)
      // Where something stands beside a document, past the gateway, it is the winner once the document is gone: so again.
      const deletions = found.map(({ id, rev }) => ({ _id: id, _rev: rev, _deleted: true }))
      const refused = (await ledgerDatabase.bulkDocs(deletions)).find(
        ({ error }) => error !== undefined && error !== 'conflict',
      )
      if (refused)
        throw new Error(
          `the store does not let ${refused.id} be deleted: ${refused.reason ?? refused.error ?? ''}`,
        )
      count += found.length
    }
  }

  async #documentsOf({ item, comment }: ErasureTarget): Promise<{ id: string; rev: string }[]> {
    const { ledgerDatabase } = this.#options
    const prefix = comment === undefined ? `${item}:` : `${item}:decision:`
    const found: { id: string; rev: string }[] = []
    if (comment !== undefined) {
      const { rows } = await ledgerDatabase.allDocs({ keys: [`${item}:comment:${comment}`] })
      for (const { key, value } of rows) if (value && !value.deleted) found.push({ id: key, rev: value.rev })
    }
    for (let startkey = prefix; ;) {
      const range = { startkey, endkey: prefix + LAST, limit: PAGE, include_docs: comment !== undefined }
      const { rows } = await ledgerDatabase.allDocs(range)
      for (const { key, value, doc } of rows) {
        const isOfTarget = comment === undefined ? parseId(key)?.type !== 'erasure' : doc?.target === comment
        if (value && isOfTarget) found.push({ id: key, rev: value.rev })
      }
      const last = rows.at(-1)
      if (!last || rows.length < PAGE) return found
      startkey = `${last.key}\u0000`
    }
  }
}

/** The id of a document that would be deleted with the target, whether or not there ever was one of that hash. */
function ledgerIdFor({ item, comment }: ErasureTarget): string {
  return comment === undefined ? `${item}:edit:${'0'.repeat(40)}` : `${item}:comment:${comment}`
}
