import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Changes, Database, StoredDocument } from '../couch/database.ts'
import { messageOf } from '../errors.ts'
import { hybridTime } from '../ledger/clock.ts'
import { logger } from '../log.ts'
import type { SiteComment, SiteItem } from '../project/site-item.ts'
import { act } from './filters/act.ts'
import type { Hands, Hit } from './filters/act.ts'
import type { Filter } from './filters/filter.ts'
import type { Filters } from './filters/filters.ts'
import { Matcher } from './filters/matcher.ts'
import type { Look } from './filters/matcher.ts'
import { matchId, textVersion } from './filters/matches.ts'
import { NO_TEXTS, textsOf } from './filters/texts.ts'
import { KEPT_DAYS } from './looked.ts'
import type { Looked } from './looked.ts'
import { changedAt, nameOf } from './target.ts'

const log = logger('filters')

const CHECKPOINT = '_local/watcher'
const IDENTITY = '_local/identity'
const BATCH = 100
const POLL_MS = 25_000
const LONGEST_PAUSE_MS = 5000
const SWEEP_EVERY_MS = 6 * 60 * 60 * 1000
const NOTE_EVERY_MS = 60_000
const DAY_MS = 24 * 60 * 60 * 1000

interface Checkpoint {
  _id: string
  _rev?: string
  /** Tells this site database from another one, whose sequence numbers mean something else. */
  site: string
  seq: string | number
  /** In a database that is new here, what is older than this hybrid time is left alone; until all of it was seen. */
  notBefore?: string
}

export interface WatcherOptions {
  site: Database
  office: Database
  filters: Filters
  hands: Hands
  looked: Looked
}

/**
 * Follows the site database and lets filters act on each new version of an item or comment. Doing a batch twice changes
 * nothing, so it may be stopped anywhere. One watcher follows one site database.
 */
export class Watcher implements AsyncDisposable {
  readonly #options: WatcherOptions
  readonly #matcher = new Matcher()
  readonly #stop = new AbortController()
  #checkpoint: Checkpoint | undefined
  #running: Promise<void> | undefined
  #sweptMs = 0
  #notedMs = 0

  constructor(options: WatcherOptions) {
    this.#options = options
  }

  /** Follows until disposed. */
  start(): void {
    this.#running = this.#run()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#matcher[Symbol.asyncDispose]()
    await this.#running
  }

  /** Looks at all that has changed, then returns. Not to be called while the watcher runs. */
  async catchUp(): Promise<void> {
    while ((await this.#step(0)) > 0);
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop
    let pauseMs = 100
    while (!signal.aborted) {
      try {
        await this.#sweep()
        await this.#step(POLL_MS)
        pauseMs = 100
      } catch (error) {
        if (signal.aborted) return
        log.warn('what is published cannot be followed; trying again', { reason: messageOf(error), pauseMs })
        await pause(pauseMs, undefined, { signal }).catch(() => undefined)
        pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)
      }
    }
  }

  /** One batch; with `waitMs` above 0 it waits that long for a change. Gives how many changes it handled. */
  async #step(waitMs: number): Promise<number> {
    const { site, filters } = this.#options
    const checkpoint = (this.#checkpoint ??= await this.#open())
    // Asked for before the filters are read: what comes later is looked at by those that are there by then.
    const { update_seq } = await site.info()
    const active = (await filters.all()).filter(({ off }) => !off)
    if (active.length === 0) {
      // Not written down each time: to begin at an older place costs time and changes nothing.
      if (Date.now() - this.#notedMs >= NOTE_EVERY_MS) await this.#goOn(update_seq)
      checkpoint.seq = update_seq
      delete checkpoint.notBefore
      if (waitMs > 0) await this.#changes({ since: update_seq, limit: 1 }, waitMs)
      return 0
    }
    const since = checkpoint.seq
    const { results, last_seq } = await this.#changes({ since, limit: BATCH, include_docs: true })
    if (results.length === 0) {
      if (checkpoint.notBefore !== undefined) {
        delete checkpoint.notBefore
        await this.#goOn(last_seq)
      }
      // What comes is read by the next step, with the filters that there are by then.
      if (waitMs > 0) await this.#changes({ since, limit: 1 }, waitMs)
      return 0
    }
    const documents = results.flatMap(({ doc }) =>
      isWatched(doc) ? [doc as unknown as SiteItem | SiteComment] : [],
    )
    await this.#look(active, documents)
    await this.#goOn(last_seq)
    return results.length
  }

  async #look(active: readonly Filter[], changed: readonly (SiteItem | SiteComment)[]): Promise<void> {
    const { hands } = this.#options
    await hands.matches.close(changed.filter(isGone).map((document) => ({ target: nameOf(document) })))
    const notBefore = this.#checkpoint?.notBefore ?? ''
    const documents = changed.filter((document) => !isGone(document) && changedAt(document) >= notBefore)
    const known = await hands.matches.of(documents.map(nameOf))
    const looks = active.map((filter): Look => {
      const at = [...documents.entries()].flatMap(([index, document]) => {
        const match = known.get(matchId(nameOf(document), filter.id))
        const isNew = changedAt(document) >= filter.from && match?.version !== textVersion(document)
        return isNew ? [index] : []
      })
      return { pattern: filter, at }
    })
    const wanted = new Set(looks.flatMap(({ at }) => at))
    if (wanted.size === 0) return
    const texts = documents.map((document, index) => (wanted.has(index) ? textsOf(document) : NO_TEXTS))
    const hits = await this.#matcher.matchEach({ looks, texts }, ({ code }) =>
      log.warn('a filter cannot look at a text', { code }),
    )
    await act(
      hands,
      active.flatMap((filter, index) =>
        (hits[index] ?? []).flatMap((at): Hit[] => {
          const document = documents[at]
          return document ? [{ filter, document }] : []
        }),
      ),
    )
  }

  async #changes(
    query: { since: string | number; limit: number; include_docs?: boolean },
    waitMs = 0,
  ): Promise<Changes> {
    const { site } = this.#options
    if (waitMs === 0) return site.changes(query)
    return site.changes({ ...query, feed: 'longpoll', timeout: waitMs }, this.#stop.signal)
  }

  /**
   * Where it stands. A site database that was made anew is looked at from its beginning, apart from what is so old that
   * it is no longer known whether a moderator has decided on a match.
   */
  async #open(): Promise<Checkpoint> {
    const { site, office } = this.#options
    const identity = await identityOf(site)
    const stored = (await office.get(CHECKPOINT)) as Checkpoint | undefined
    if (stored?.site === identity) return stored
    const notBefore = hybridTime(Date.now() - KEPT_DAYS * DAY_MS)
    return {
      _id: CHECKPOINT,
      ...(stored?._rev === undefined ? {} : { _rev: stored._rev }),
      site: identity,
      seq: 0,
      notBefore,
    }
  }

  async #goOn(seq: string | number): Promise<void> {
    const checkpoint = this.#checkpoint
    if (!checkpoint) return
    checkpoint.seq = seq
    const { rev } = await this.#options.office.put(checkpoint)
    checkpoint._rev = rev
    this.#notedMs = Date.now()
  }

  async #sweep(): Promise<void> {
    if (Date.now() - this.#sweptMs < SWEEP_EVERY_MS) return
    this.#sweptMs = Date.now()
    await this.#options.looked.sweep()
  }
}

function isWatched(document: StoredDocument | undefined): boolean {
  return document?.type === 'item' || document?.type === 'comment'
}

/** Whether its text is nobody's business any more. */
function isGone({ standing: { closed } }: SiteItem | SiteComment): boolean {
  return closed !== undefined && closed !== 'awaiting'
}

/** Which site database this is: a random name, made when it is first followed. */
async function identityOf(site: Database): Promise<string> {
  const stored = await site.get(IDENTITY)
  if (typeof stored?.uuid === 'string') return stored.uuid
  const uuid = randomUUID()
  const document = { _id: IDENTITY, uuid }
  await site.put(document)
  return uuid
}
