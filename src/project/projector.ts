import { setTimeout as pause } from 'node:timers/promises'
import type { Change, Database } from '../couch/database.ts'
import type { Deployment } from '../couch/design-docs.ts'
import { messageOf } from '../errors.ts'
import { parseId } from '../ledger/document.ts'
import type { Envelope } from '../ledger/document.ts'
import { NETWORK } from '../ledger/item-id.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { logger } from '../log.ts'
import type { IndexMark, SearchIndex } from '../search/search-index.ts'
import { judge } from './judge.ts'
import { computeMembership, concernsMembership } from './membership.ts'
import type { Membership } from './membership.ts'
import type { HeldDocument } from './site-item.ts'
import type { Policy } from './policy.ts'
import { SiteWriter } from './site-writer.ts'
import type { Written } from './site-writer.ts'
import type { Terms } from './terms.ts'
import { Waiters } from './waiters.ts'

const log = logger('projector')

/** Changes when the same ledger would give other site documents; a start with another number projects anew. */
const PROJECTION = 5
const CHECKPOINT = '_local/projector'
const BATCH = 500
const POLL_MS = 25_000
const LONGEST_PAUSE_MS = 5000
const WARM_PAUSE_MS = 500
/** A batch of this size from a peer is part of a stream. */
const STREAM_BATCH = 100
/** The stream counts as ended when nothing came for this long. */
const STREAM_QUIET_MS = 250
/** At the latest after this long the projector goes on, however much is streaming in. */
const STREAM_PATIENCE_MS = 10_000

interface Checkpoint {
  _id: string
  _rev?: string
  projection: number
  /** The digest of the policy that the site documents follow. */
  policy: string
  /** Tells this ledger from another one whose sequence numbers mean something else. */
  ledger: string
  seq: string | number
  /** Counts batches, so that the index is known to have had the last one. */
  batch: number
}

export interface ProjectorOptions {
  ledger: Ledger
  site: Database
  deployment: Deployment
  index: SearchIndex
  policy: Policy
  /** This node's own key first, then the keys that it trusts; read anew whenever membership is computed. */
  anchors: () => readonly string[]
  /** Called after documents of the site database were written. */
  onWritten?: (written: Written) => void
  /** Called when the site database is made anew. */
  onStartOver?: () => void
  /** Called when something that is to be erased has been projected. */
  erasureDue?: () => void
}

/**
 * Follows the ledger and keeps the site database: reads changes in batches, proves each document, judges whether it
 * counts, merges items, writes them, then its checkpoint. Doing a batch twice changes nothing, so it may be stopped
 * anywhere. One projector writes to one site database.
 */
export class Projector implements AsyncDisposable {
  readonly #options: ProjectorOptions
  readonly #stop = new AbortController()
  readonly #waiters = new Waiters()
  readonly #network = new Map<string, Envelope>()
  #membership: Membership
  readonly #writer: SiteWriter
  #checkpoint: Checkpoint = {
    _id: CHECKPOINT,
    projection: PROJECTION,
    policy: '',
    ledger: '',
    seq: 0,
    batch: 0,
  }
  #running: Promise<void> | undefined
  #warming: Promise<void> | undefined
  #anchorsChanged = false
  #wake = new AbortController()
  /** Told when a look that began after they asked has found nothing more. */
  #draining: (() => void)[] = []
  readonly #gone: string[] = []
  #caughtUp = false
  #streamedAtMs = 0
  #startedOver = false

  constructor(options: ProjectorOptions) {
    this.#options = options
    const { ledger, site, index, deployment, policy, onWritten } = options
    const design = () => deployment.inForce()
    this.#writer = new SiteWriter({
      ledger,
      site,
      index,
      policy,
      design,
      ...(onWritten ? { onWritten } : {}),
    })
    this.#membership = computeMembership({ anchors: options.anchors(), admissions: [], evictions: [] })
  }

  get membership(): Membership {
    return this.#membership
  }

  /** Whether the last look at the ledger found nothing new. */
  get caughtUp(): boolean {
    return this.#caughtUp
  }

  /** Reads checkpoint and membership; the projector then stands ready for {@link catchUp} or {@link start}. */
  async open(): Promise<void> {
    const { ledger, site } = this.#options
    for (const type of ['admission', 'eviction']) {
      for (const document of await ledger.ofItem(NETWORK, type)) this.#network.set(document._id, document)
    }
    this.#computeMembership()
    const identity = (await ledger.identity()).uuid
    const stored = (await site.get(CHECKPOINT)) as Checkpoint | undefined
    if (stored) {
      this.#checkpoint = stored
      const { projection, ledger: source } = stored
      if (projection !== PROJECTION || source !== identity) await this.#startOver()
    }
    this.#checkpoint.ledger = identity
    this.#checkpoint.projection = PROJECTION
    await this.#writer.open(this.#mark())
  }

  /** How many batches have been projected: another number means that pages may have changed. */
  get batches(): number {
    return this.#checkpoint.batch
  }

  /** The vocabularies as editors have ordered them. */
  get terms(): Terms {
    return this.#writer.terms
  }

  /** Projects until nothing is pending, then returns. Not to be called while the projector runs. */
  async catchUp(onProgress?: (done: number) => void): Promise<void> {
    let done = 0
    for (;;) {
      const count = await this.#step(0)
      if (count === 0) break
      done += count
      onProgress?.(done)
    }
    await this.#options.deployment.warm()
  }

  /** Follows the ledger until disposed. */
  start(): void {
    this.#running = this.#run()
  }

  /** Resolves when this ledger document has been projected, or after `boundMs`. */
  settled(documentId: string, boundMs = 5000): Promise<void> {
    return this.#waiters.wait(documentId, boundMs)
  }

  /**
   * To be called with ids of ledger documents that were deleted by an order: what they made of the site is dropped, also
   * where the changes feed does not tell of them any more.
   */
  gone(ids: readonly string[]): void {
    this.#gone.push(...ids)
    this.#wake.abort()
  }

  /** Resolves when everything that the ledger holds at the call has been projected, wholly; or when the projector ends. */
  drained(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    if (this.#stop.signal.aborted) resolve()
    this.#draining.push(resolve)
    this.#wake.abort()
    return promise
  }

  /**
   * To be called when a peer's documents were stored. While they stream in by the hundred, taking them in comes first
   * and the projector waits a little: it would take half of the machine, and a document is safe once it is stored.
   */
  makeWay(count: number): void {
    if (count >= STREAM_BATCH) this.#streamedAtMs = Date.now()
  }

  /** To be called when the trust anchors may have changed: documents held as strangers' are judged again. */
  anchorsChanged(): void {
    this.#anchorsChanged = true
    this.#wake.abort()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    this.#wake.abort()
    await this.#running
    await this.#warming
    for (const resolve of this.#draining.splice(0)) resolve()
  }

  async #run(): Promise<void> {
    let pauseMs = 100
    while (!this.#stop.signal.aborted) {
      try {
        await this.#letStreamPass()
        const count = await this.#step(POLL_MS)
        pauseMs = 100
        if (count > 0) this.#warmSoon()
      } catch (error) {
        if (this.#stop.signal.aborted) return
        log.warn('the ledger cannot be followed; trying again', { reason: messageOf(error), pauseMs })
        await pause(pauseMs, undefined, { signal: this.#stop.signal }).catch(() => undefined)
        pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)
      }
    }
  }

  /** Brings the views up to date once in a while, many documents at a time, so that no reader waits for it. */
  #warmSoon(): void {
    this.#warming ??= pause(WARM_PAUSE_MS, undefined, { signal: this.#stop.signal })
      .then(() => this.#options.deployment.warm())
      .catch((error: unknown) => {
        if (!this.#stop.signal.aborted) log.warn('the views are not up to date', { reason: messageOf(error) })
      })
      .finally(() => {
        this.#warming = undefined
      })
  }

  async #letStreamPass(): Promise<void> {
    const deadline = Date.now() + STREAM_PATIENCE_MS
    while (!this.#stop.signal.aborted && Date.now() < deadline) {
      const leftMs = this.#streamedAtMs + STREAM_QUIET_MS - Date.now()
      if (leftMs <= 0) return
      await pause(leftMs, undefined, { signal: this.#stop.signal }).catch(() => undefined)
    }
  }

  /** One batch; with `waitMs` above 0 it waits that long for the first change. Gives how many changes it handled. */
  async #step(waitMs: number): Promise<number> {
    if (this.#anchorsChanged) {
      this.#anchorsChanged = false
      this.#computeMembership()
      await this.#judgeHeldAgain()
    }
    await this.#followPolicy()
    if (this.#gone.length > 0) await this.#projectDocuments([], [], this.#gone.splice(0))
    const { ledger } = this.#options
    const query = { since: this.#checkpoint.seq, limit: BATCH, include_docs: true } as const
    const asked = this.#draining.splice(0)
    let { results, last_seq } = await ledger.database.changes(query).catch((error: unknown) => {
      this.#draining.push(...asked)
      throw error
    })
    this.#caughtUp = results.length === 0
    if (this.#caughtUp) for (const resolve of asked) resolve()
    else this.#draining.push(...asked)
    if (results.length === 0 && waitMs > 0) {
      if (this.#draining.length > 0) return 0
      this.#wake = new AbortController()
      const signal = AbortSignal.any([this.#wake.signal, this.#stop.signal])
      try {
        const waiting = { ...query, feed: 'longpoll', timeout: waitMs } as const
        ;({ results, last_seq } = await ledger.database.changes(waiting, signal))
      } catch (error) {
        if (signal.aborted) return 0
        throw error
      }
    }
    if (results.length === 0) return 0
    this.#startedOver = false
    await this.#project(results)
    // An eviction among them: everything is judged again, from the beginning.
    if (this.#startedOver) return results.length
    this.#checkpoint.seq = last_seq
    this.#checkpoint.batch += 1
    await this.#saveCheckpoint()
    for (const { id } of results) this.#waiters.done(id)
    return results.length
  }

  async #project(changes: readonly Change[]): Promise<void> {
    const { ledger } = this.#options
    const relevant = changes.filter(({ id, deleted }) => !deleted && parseId(id))
    const proven = await Promise.all(
      relevant.map(async ({ id, doc }) => ({ id, document: await ledger.proven(id, doc) })),
    )
    const documents = proven.flatMap(({ document }) => document ?? [])
    const held = proven.filter(({ document }) => !document).map(({ id }) => unproven(id))
    for (const { at } of documents) if (ledger.clock.aheadMs(at) <= 0) ledger.clock.see(at)

    const network = documents.filter(concernsMembership)
    if (network.length > 0) await this.#takeIn(network)
    const gone = changes.filter(({ id, deleted }) => deleted && parseId(id)).map(({ id }) => id)
    if (!this.#startedOver) await this.#projectDocuments(documents, held, gone)
  }

  async #projectDocuments(
    documents: readonly Envelope[],
    held: HeldDocument[] = [],
    gone: readonly string[] = [],
  ): Promise<void> {
    const counting: Envelope[] = []
    for (const document of documents) {
      const verdict = judge(document, this.#membership)
      if (verdict === 'project') counting.push(document)
      else held.push(heldDocument(document, verdict))
    }
    const isDue = await this.#writer.write({ documents: counting, held, gone }, this.#mark(1))
    if (isDue) this.#options.erasureDue?.()
  }

  /** Makes the site documents follow the policy of the settings, one after the other, so that readers go on reading. */
  async #followPolicy(): Promise<void> {
    const { digest } = this.#options.policy
    if (this.#checkpoint.policy === digest) return
    if (this.#checkpoint.batch > 0) {
      log.info('the policy of moderation has changed; what is shown follows it')
      await this.#writer.finishAnew(this.#mark())
      this.#options.erasureDue?.()
      this.#checkpoint.batch += 1
    }
    this.#checkpoint.policy = digest
    await this.#saveCheckpoint()
  }

  /** Takes in admissions and evictions, and judges again what they concern. */
  async #takeIn(documents: readonly Envelope[]): Promise<void> {
    const fresh = documents.filter(({ _id }) => !this.#network.has(_id))
    if (fresh.length === 0) return
    for (const document of fresh) this.#network.set(document._id, document)
    this.#computeMembership()
    if (fresh.some(({ type }) => type === 'eviction')) await this.#startOver()
    else await this.#judgeHeldAgain()
  }

  #computeMembership(): void {
    const documents = [...this.#network.values()].filter(concernsMembership)
    this.#membership = computeMembership({
      anchors: this.#options.anchors(),
      admissions: documents.filter(({ type }) => type === 'admission'),
      evictions: documents.filter(({ type }) => type === 'eviction'),
    })
  }

  /** Projects documents that were held as strangers' and count by now. */
  async #judgeHeldAgain(): Promise<void> {
    const { ledger, site } = this.#options
    let startkey = 'held:stranger:'
    for (;;) {
      const { rows } = await site.allDocs({
        startkey,
        endkey: 'held:stranger:\ufff0',
        limit: BATCH,
        include_docs: true,
      })
      const last = rows.at(-1)
      if (!last) return
      startkey = `${last.key}\u0000`
      const held = rows.map(({ doc }) => doc as unknown as HeldDocument & { _rev: string })
      const counting = held.filter(({ node, at }) => this.#membership.counts(node, at))
      const documents = await ledger.readMany(counting.map(({ document }) => document))
      await this.#projectDocuments([...documents.values()])
      const gone = counting.map(({ _id, _rev }) => ({ _id, _rev, _deleted: true }))
      if (gone.length > 0) await site.bulkDocs(gone)
    }
  }

  /** Forgets all site documents and the checkpoint: everything is projected again. */
  async #startOver(): Promise<void> {
    log.info('projecting the whole ledger anew')
    this.#startedOver = true
    this.#checkpoint.seq = 0
    this.#checkpoint.batch = 0
    await this.#saveCheckpoint()
    try {
      await this.#writer.clear()
    } finally {
      this.#options.onStartOver?.()
    }
  }

  /** Tells the index apart that has had the batch that the checkpoint stands at, or one after. */
  #mark(ahead = 0): IndexMark {
    const { ledger, batch } = this.#checkpoint
    return { source: `${ledger} ${PROJECTION}`, seq: batch + ahead }
  }

  async #saveCheckpoint(): Promise<void> {
    const { rev } = await this.#options.site.put(this.#checkpoint)
    this.#checkpoint._rev = rev
  }
}

function heldDocument({ _id, item, node, at }: Envelope, reason: HeldDocument['reason']): HeldDocument {
  return { _id: `held:${reason}:${_id}`, type: 'held', reason, document: _id, item, node, at }
}

function unproven(id: string): HeldDocument {
  const item = parseId(id)?.item ?? ''
  return {
    _id: `held:unproven:${id}`,
    type: 'held',
    reason: 'unproven',
    document: id,
    item,
    node: '',
    at: '',
  }
}
