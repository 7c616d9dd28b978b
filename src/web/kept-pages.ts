import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Middleware, ParameterizedContext } from 'koa'
import { wallTime } from '../ledger/clock.ts'
import { logger } from '../log.ts'
import { ChangesOf } from '../pages/store/changes-of.ts'
import { cacheControlOf } from '../pages/store/lifetime.ts'
import type { Lifetimes } from '../pages/store/lifetime.ts'
import { PageKeys } from '../pages/store/page-key.ts'
import type { PageStore } from '../pages/store/page-store.ts'
import { emptyFormer } from '../pages/store/own-folder.ts'
import { Shelves } from '../pages/store/shelves.ts'
import type { PagesState } from '../pages/store/pages-state.ts'
import type { Change } from '../pages/store/dependencies.ts'
import type { Outside } from '../pages/store/outside.ts'
import { isFresh, servePage } from '../pages/store/serve.ts'
import { etagOf } from '../pages/store/stored-page.ts'
import { surrogateKeys } from '../pages/store/surrogate-keys.ts'
import type { StoredPage } from '../pages/store/stored-page.ts'
import { pathOf } from '../pages/models.ts'
import type { SiteItem } from '../project/site-item.ts'
import type { Written } from '../project/site-writer.ts'
import { tracking } from '../reads.ts'
import type { Reads } from '../reads.ts'
import { pageKeyOf } from './page-request.ts'
import { Renewal } from './renewal.ts'

const log = logger('pages')

/** Contents whose time of change is remembered, also while their page is not kept: one for so many bytes of pages. */
const REMEMBERED_BYTES = 2000
/** What is younger is recent. */
const RECENT_MS = 7 * 24 * 3_600_000
const FIRST_LOOKED_AT = ['/', '/newswire']
/** Headers that the answer gets from the store, or that are of one answer alone. */
const NOT_KEPT = new Set(['content-type', 'content-length', 'cache-control', 'etag', 'last-modified', 'date'])

interface Keepable {
  keepable?: true
  keeping?: true
}

/** To be said of an answer that is the same for everybody who is not signed in, until what it was made of changes. */
export function mayKeep(ctx: ParameterizedContext): void {
  const state = ctx.state as Keepable
  state.keepable = true
}

/** Whether this answer may be kept, for which it must be whole; who keeps it says 304 to a reader who has it. */
export function isKeeping(ctx: ParameterizedContext): boolean {
  const { keeping } = ctx.state as Keepable
  return keeping === true
}

export interface KeptPagesOptions {
  mostBytes: number
  /** The site's language, for readers whose browsers name none that is spoken here. */
  language: string
  /** This node's public address; without one, pages name the host that they were asked for at. */
  url: string | undefined
  /** The map functions of the site database by their views' names. */
  views: Readonly<Record<string, { map: string }>>
  lifetimes: Lifetimes
  outside: Outside
  /** Where pages lie on disk as well, and how much they may take there. */
  files: { folder: string; mostBytes: number }
}

/**
 * Keeps pages as they were rendered for readers without a session, answers with them before anything else looks at the
 * request, and drops each as soon as something that it was made of changes.
 */
export class KeptPages {
  readonly #shelves: Shelves
  readonly #folder: string
  readonly #renewal: Renewal
  readonly #keeps: boolean
  readonly #keys: PageKeys
  readonly #changesOf: ChangesOf
  readonly #lifetimes: Lifetimes
  readonly #outside: Outside
  readonly #language: string
  readonly #hasUrl: boolean
  /** By a digest of the key: the tag of the latest content and since when it has been that. */
  readonly #changed = new Map<string, { etag: string; changedMs: number }>()
  readonly #mostChanged: number
  #isReady = true
  readonly #missed = new WeakSet<IncomingMessage>()
  /** How many pages were rendered to be kept. */
  rendered = 0
  /** How often a reader was answered with a kept page, and how often one had to wait until it was made. */
  readonly counts = { hits: 0, misses: 0 }

  constructor({ mostBytes, language, url, views, lifetimes, outside, files }: KeptPagesOptions) {
    this.#renewal = new Renewal({ has: (key) => this.#shelves.has(key) })
    this.#shelves = new Shelves({
      mostBytes,
      files: mostBytes > 0 && files.mostBytes > 0 ? files : undefined,
      onDrop: (pages) => this.#renewal.dropped(pages),
    })
    this.#folder = files.folder
    this.#language = language
    this.#hasUrl = url !== undefined
    this.#lifetimes = lifetimes
    this.#outside = outside
    this.#keeps = mostBytes > 0
    this.#mostChanged = Math.ceil(mostBytes / REMEMBERED_BYTES)
    this.#keys = new PageKeys({ language, namesHost: url === undefined })
    this.#changesOf = new ChangesOf(views, () => {
      // Rows are unknown, so everything that shows some is made anew.
      log.warn('a map function threw; all pages are made anew')
      this.clear()
    })
  }

  /** Those in memory. */
  get store(): PageStore {
    return this.#shelves.memory
  }

  /** To be called before the first page is kept. */
  async open(): Promise<void> {
    await this.#shelves.open()
    // What was kept before keeping was switched off.
    if (!this.#shelves.hasFiles) await emptyFormer(this.#folder)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#renewal.stop()
    await this.#shelves.close()
  }

  get state(): PagesState {
    return { ...this.#shelves.state, ...this.counts }
  }

  /** Makes no page again from now on; resolves when none is being made, so that what they read may be closed. */
  stopRenewing(): Promise<void> {
    return this.#renewal.stop()
  }

  /** Resolves when pages that are to be made again are there, and on disk. */
  async renewed(): Promise<void> {
    await this.#renewal.done()
    await this.#shelves.settled()
  }

  /** Answers from the store, or lets `next` answer. */
  serving(next: RequestListener): RequestListener {
    this.#renewal.start(next)
    return (request: IncomingMessage, response: ServerResponse) => {
      const key = this.keyOf(request)
      const page = key === undefined ? undefined : this.store.get(key)
      if (page) this.#serve(request, response, page)
      else if (key !== undefined && this.#shelves.isCold(key)) {
        void this.#serveCold(key, { request, response, next })
      } else {
        if (key !== undefined) {
          this.#missed.add(request)
          this.#renewal.missed(key)
        }
        next(request, response)
      }
    }
  }

  async #serveCold(
    key: string,
    {
      request,
      response,
      next,
    }: { request: IncomingMessage; response: ServerResponse; next: RequestListener },
  ): Promise<void> {
    const page = await this.#shelves.thaw(key)
    if (page) this.#serve(request, response, page)
    else next(request, response)
  }

  #serve(request: IncomingMessage, response: ServerResponse, page: StoredPage): void {
    this.counts.hits += 1
    servePage(request, response, page, this.#lifetimes)
    this.#outside.given(page)
  }

  /** Keeps what is made below it, where it says that it {@link mayKeep}. */
  keeping(): Middleware {
    return async (ctx, next) => {
      const key = this.keyOf(ctx.req)
      if (key === undefined) {
        await next()
        return
      }
      const since = this.store.now
      Object.assign(ctx.state, { keeping: true } satisfies Keepable)
      const { reads } = await tracking(next)
      const { keepable } = ctx.state as Keepable
      const { body } = ctx
      const isText = typeof body === 'string' || Buffer.isBuffer(body)
      if (!keepable || ctx.status !== 200 || !isText || ctx.res.hasHeader('set-cookie')) return
      const page = this.#keep(ctx, { key, since, reads })
      if (page ? isFresh(ctx.req.headers, page) : ctx.fresh) ctx.status = 304
    }
  }

  /** Keeps what was made; what changed meanwhile, or changes without anybody telling, nobody else is to keep either. */
  #keep(
    ctx: ParameterizedContext,
    { key, since, reads }: { key: string; since: number; reads: Reads },
  ): StoredPage | undefined {
    this.rendered += 1
    if (this.#missed.has(ctx.req)) this.counts.misses += 1
    const body = Buffer.from(ctx.body as string | Buffer)
    const etag = etagOf(body)
    const page: StoredPage = {
      key,
      body,
      forms: {},
      type: ctx.response.get('content-type'),
      etag,
      changedMs: this.#changedMs(key, etag),
      status: ctx.status,
      headers: {
        ...headersOf(ctx),
        ...(this.#outside.usesKeys ? { 'surrogate-key': surrogateKeys(reads) } : {}),
      },
      reads,
      asked: 0,
    }
    ctx.set('ETag', `"${etag}"`)
    if (reads.isDayOnly) ctx.remove('Last-Modified')
    else ctx.lastModified = new Date(page.changedMs)
    if (!this.#isReady || !this.#shelves.put(page, since)) return undefined
    ctx.set({ ...page.headers, 'cache-control': cacheControlOf(page, this.#lifetimes) })
    this.#outside.given(page)
    return page
  }

  /** The key of the page that a request may be answered with from the store, as long as nothing has changed it. */
  keyOf(request: IncomingMessage): string | undefined {
    return pageKeyOf(request, this.#keys)
  }

  /** The page that a request would be answered with from the store. */
  pageFor(request: IncomingMessage): StoredPage | undefined {
    const key = this.keyOf(request)
    return key === undefined ? undefined : this.store.get(key)
  }

  /** Resolves when a page has its compressed forms. */
  async whole(page: StoredPage): Promise<void> {
    await this.#shelves.whole(page)
  }

  /** To be called when a page was given to somebody who gives it to readers and proxies. */
  givenOut(page: StoredPage): void {
    this.#outside.given(page)
  }

  /** Drops the pages that this concerns. */
  written(written: Written): void {
    const { documents, names } = written
    if (!this.#keeps && !this.#outside.usesKeys) {
      // Only the count of changes matters.
      this.changed({ documents: documents.map(({ id }) => id), rows: [], names })
      return
    }
    const gone = documents.filter(({ before, after }) => isShown(before) && !isShown(after))
    const first = gone.length === 0 ? NOTHING : this.#changesOf.of({ documents: gone, names: [] })
    this.changed(this.#changesOf.of(written), first)
    if (this.#keeps) for (const key of this.#recent(documents)) this.#renewal.make(key)
  }

  /** @param first what of it takes something off the pages: whoever keeps pages elsewhere hears of it before the rest */
  changed(change: Change, first: Change = NOTHING): void {
    this.#shelves.changed(change)
    this.#outside.changed(change, first)
  }

  /** Keeps nothing until then: what older views show, while new ones are built, nobody knows here. */
  keepFrom(ready: Promise<void>): void {
    this.#isReady = false
    ready
      .then(() => {
        this.#isReady = true
        this.clear()
      })
      // The node ends, or the next start finishes it.
      .catch(() => undefined)
  }

  clear(): void {
    this.#shelves.clear()
    this.#outside.cleared()
  }

  #changedMs(key: string, etag: string): number {
    // Whoever asks for long addresses does not fill the memory.
    const name = etagOf(Buffer.from(key))
    const known = this.#changed.get(name)
    if (known?.etag === etag) return known.changedMs
    // Dates in headers have whole seconds: two contents of one second would look like one.
    const nextMs = known ? (Math.floor(known.changedMs / 1000) + 1) * 1000 : 0
    const changedMs = Math.max(Date.now(), nextMs)
    this.#changed.delete(name)
    this.#changed.set(name, { etag, changedMs })
    const [oldest] = this.#changed.keys()
    if (this.#changed.size > this.#mostChanged && oldest !== undefined) this.#changed.delete(oldest)
    return changedMs
  }

  /** Pages that are made before anybody asks: those of what is new, and where it is looked for. */
  #recent(documents: Written['documents']): string[] {
    if (!this.#hasUrl) return []
    const paths = documents.flatMap(({ after }) => recentPath(after) ?? [])
    return paths.length === 0
      ? []
      : [...paths, ...FIRST_LOOKED_AT].map((path) => ` ${this.#language} ${path}`)
  }
}

const NOTHING: Change = { documents: [], rows: [], names: [] }

/** The address of an item that was published lately; undefined for others. */
function recentPath(document: object | undefined): string | undefined {
  const { _id, type, kind, at = '' } = (document ?? {}) as Partial<SiteItem>
  if (type !== 'item' || kind === undefined || _id === undefined) return undefined
  return Date.now() - wallTime(at) < RECENT_MS ? pathOf(kind, _id) : undefined
}

/** Whether readers find it on pages. */
function isShown(document: object | undefined): boolean {
  if (document === undefined) return false
  const { standing } = document as { standing?: { hidden?: boolean; closed?: string } }
  return standing !== undefined && !standing.hidden && standing.closed === undefined
}

function headersOf(ctx: ParameterizedContext): Record<string, string> {
  const { headers } = ctx.response
  const kept = Object.entries(headers).filter(([name]) => !NOT_KEPT.has(name))
  const fields = Object.fromEntries(kept.map(([name, value]) => [name, String(value)]))
  const vary = new Set([...(fields.vary ?? '').split(/,\s*/).filter(Boolean), 'Accept-Encoding', 'Cookie'])
  return { ...fields, vary: [...vary].join(', ') }
}
