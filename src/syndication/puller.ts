import { setTimeout as pause } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type { Database } from '../couch/database.ts'
import { HyperactiveError, messageOf } from '../errors.ts'
import { logger } from '../log.ts'
import { feedId, listFeeds, readFeeds, writeFeed } from './feed-documents.ts'
import type { FeedDocument } from './feed-documents.ts'
import type { GroupFeed } from './group-feeds.ts'
import type { GuardedFetch } from './guarded-fetch.ts'
import { readFeedApart } from './read-apart.ts'
import { dueAtMs, failureAfter } from './schedule.ts'

const log = logger('syndication')

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
/** Feeds that are pulled at the same time. */
const AT_ONCE = 2
/** Feeds in one round: a new one waits for no more than these. */
const IN_ROUND = 20
/** While feeds are due a round follows the other after this long; it asks each host once. */
const SPACING_MS = 10_000
const LOOK_MS = MINUTE_MS
/** That a feed has not changed is written down this often at most: each time costs a revision of its document. */
const NOTE_MS = 6 * HOUR_MS
const COMPACT_AFTER_BYTES = 64 * 1024 * 1024
const READ_AT_ONCE = 50

export const MOST_FEEDS = 500

export interface FeedPullerOptions {
  site: Database
  fetch: GuardedFetch
  /** Which feeds there are, those that come first in front. */
  feeds: () => Promise<readonly GroupFeed[]>
  /** Told the id of a document that was written or removed. */
  onWritten?: (id: string) => void
  /** Shortest time between two pulls of one feed. */
  everyMs?: number
  /** Milliseconds since 1970. */
  now?: () => number
  /** After writing so much the store is asked to drop old revisions, which the embedded one keeps until then. */
  compactAfterBytes?: number
}

/**
 * Keeps a document for every external feed that a group names, pulls each of them now and then, and removes what no
 * group names any more. Everything that goes wrong with a feed stands in its document.
 */
export class FeedPuller implements AsyncDisposable {
  readonly #site: Database
  readonly #fetch: GuardedFetch
  readonly #feeds: FeedPullerOptions['feeds']
  readonly #onWritten: (id: string) => void
  readonly #everyMs: number
  readonly #now: () => number
  readonly #compactAfterBytes: number
  readonly #stop = new AbortController()
  /** When each feed is due, by id. What is not in here is read from its document. */
  readonly #due = new Map<string, number>()
  #writtenBytes = 0
  #running: Promise<void> | undefined

  constructor({
    site,
    fetch,
    feeds,
    onWritten = () => undefined,
    everyMs = 30 * MINUTE_MS,
    now = Date.now,
    compactAfterBytes = COMPACT_AFTER_BYTES,
  }: FeedPullerOptions) {
    this.#compactAfterBytes = compactAfterBytes
    this.#site = site
    this.#fetch = fetch
    this.#feeds = feeds
    this.#onWritten = onWritten
    this.#everyMs = everyMs
    this.#now = now
  }

  /** Pulls feeds as they become due, until disposed. */
  start(): void {
    this.#running = this.#run()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  /**
   * Drops the feeds that are named no more, and pulls some that are due, each host once.
   *
   * @returns how many were due and wait for the next round
   */
  async round(): Promise<number> {
    const named = await this.#feeds()
    const addresses = [...new Set(named.map(({ address }) => address))].slice(0, MOST_FEEDS)
    const wanted = new Map(addresses.map((address) => [feedId(address), address]))
    const kept = await listFeeds(this.#site)
    await this.#drop(wanted, kept)
    await this.#learn([...wanted.keys()].filter((id) => kept.has(id) && !this.#due.has(id)))

    const nowMs = this.#now()
    const dueMs = (id: string) => (kept.has(id) ? (this.#due.get(id) ?? 0) : 0)
    const due = [...wanted].filter(([id]) => dueMs(id) <= nowMs).sort(([a], [b]) => dueMs(a) - dueMs(b))
    const chosen = onePerHost(due.map(([, address]) => address)).slice(0, IN_ROUND)
    const left = due.length - chosen.length
    const lane = async () => {
      for (let next = chosen.shift(); next !== undefined; next = chosen.shift()) {
        if (this.#stop.signal.aborted) return
        await this.#pull(next)
      }
    }
    const ended = await Promise.allSettled(Array.from({ length: AT_ONCE }, lane))
    for (const lost of ended) if (lost.status === 'rejected') throw lost.reason
    await this.#compact()
    return left
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      let left = 0
      try {
        left = await this.round()
      } catch (error) {
        if (signal.aborted) return
        log.warn('feeds cannot be kept at the moment; trying again', { reason: messageOf(error) })
      }
      await pause(left > 0 ? SPACING_MS : LOOK_MS, undefined, { signal }).catch(() => undefined)
    }
  }

  async #drop(wanted: ReadonlyMap<string, string>, kept: ReadonlyMap<string, string>): Promise<void> {
    const gone = [...kept].filter(([id]) => !wanted.has(id))
    for (const id of this.#due.keys()) if (!wanted.has(id)) this.#due.delete(id)
    if (gone.length === 0) return
    await this.#site.bulkDocs(gone.map(([_id, _rev]) => ({ _id, _rev, _deleted: true })))
    for (const [id] of gone) this.#onWritten(id)
  }

  /** Reads from their documents when feeds are due. */
  async #learn(ids: readonly string[]): Promise<void> {
    for (let start = 0; start < ids.length; start += READ_AT_ONCE) {
      for (const document of await readFeeds(this.#site, ids.slice(start, start + READ_AT_ONCE)))
        this.#note(document)
    }
  }

  #note(document: FeedDocument): void {
    this.#due.set(document._id, dueAtMs(document, { everyMs: this.#everyMs, nowMs: this.#now() }))
  }

  async #pull(address: string): Promise<void> {
    const id = feedId(address)
    const [before] = await readFeeds(this.#site, [id])
    const known = before ?? { _id: id, type: 'feed', address, title: '', entries: [] }
    let after: FeedDocument
    try {
      after = await this.#ask(known)
    } catch (error) {
      // A feed that was cut off because the node stops has not failed.
      if (this.#stop.signal.aborted) return
      after = this.#failed(known, error instanceof HyperactiveError ? error.code : 'feed_unreachable')
    }
    if (before === undefined || this.#isWorthWriting(before, after)) {
      await writeFeed(this.#site, after)
      this.#onWritten(after._id)
      this.#writtenBytes += JSON.stringify(after).length
    }
    this.#note(after)
  }

  /** One feed as it is after asking its server. */
  async #ask(known: FeedDocument): Promise<FeedDocument> {
    const { signal } = this.#stop
    const { _id, address } = known
    const fetched = await this.#fetch.get(address, known, signal)
    const fetchedAtMs = this.#now()
    const fetchedAt = new Date(fetchedAtMs).toISOString()
    if (fetched.outcome === 'refused')
      return this.#failed(known, `feed_status_${fetched.status}`, fetched.retryAfterMs)
    if (fetched.outcome === 'unchanged') {
      const { failure: _, ...rest } = known
      return { ...rest, fetchedAt }
    }
    const { title, entries } = await readFeedApart({ ...fetched, fetchedAtMs }, {}, signal)
    const { etag, lastModified } = fetched
    return {
      _id,
      type: 'feed',
      address,
      title,
      entries: withEarlierDates(entries, known, fetchedAt),
      ...(etag === undefined ? {} : { etag }),
      ...(lastModified === undefined ? {} : { lastModified }),
      fetchedAt,
    }
  }

  #failed(known: FeedDocument, code: string, retryAfterMs?: number): FeedDocument {
    const facts = { id: known._id, everyMs: this.#everyMs, nowMs: this.#now(), retryAfterMs }
    return { ...known, failure: failureAfter(known.failure, code, facts) }
  }

  #isWorthWriting(before: FeedDocument, after: FeedDocument): boolean {
    const { fetchedAt: notedAt = '', ...was } = before
    const { fetchedAt: _, ...is } = after
    return !isDeepStrictEqual(was, is) || !(this.#now() - Date.parse(notedAt) < NOTE_MS)
  }

  async #compact(): Promise<void> {
    if (this.#writtenBytes < this.#compactAfterBytes) return
    this.#writtenBytes = 0
    // On a CouchDB the node's user may not, and need not.
    await this.#site.compact().catch(() => undefined)
  }
}

/** An entry dated in the future was given the time of its fetch; it keeps the one of its first fetch. */
function withEarlierDates(
  entries: readonly FeedDocument['entries'][number][],
  { entries: before }: FeedDocument,
  fetchedAt: string,
): FeedDocument['entries'] {
  const dates = new Map(before.map(({ id, date }) => [id, date]))
  return entries.map((entry) => {
    const earlier = entry.date === fetchedAt ? dates.get(entry.id) : undefined
    return earlier === undefined ? entry : { ...entry, date: earlier }
  })
}

/** The first address of each host. */
function onePerHost(addresses: readonly string[]): string[] {
  const first = new Map<string, string>()
  for (const address of addresses) {
    const { host } = new URL(address)
    if (!first.has(host)) first.set(host, address)
  }
  return [...first.values()]
}
