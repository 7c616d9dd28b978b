import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Middleware, ParameterizedContext } from 'koa'
import { MapFunctions } from '../couch/embedded/map-functions.ts'
import { logger } from '../log.ts'
import { changedRows } from '../pages/store/changed-rows.ts'
import type { ChangedRow } from '../pages/store/changed-rows.ts'
import { PageKeys } from '../pages/store/page-key.ts'
import { PageStore } from '../pages/store/page-store.ts'
import { servePage } from '../pages/store/serve.ts'
import { compressForms, etagOf } from '../pages/store/stored-page.ts'
import type { StoredPage } from '../pages/store/stored-page.ts'
import type { Written } from '../project/site-writer.ts'
import { tracking } from '../reads.ts'
import { changedDocumentParts, partOf } from '../shown.ts'
import { hasSession } from './people/person.ts'

const log = logger('pages')

/** Shorter pages are sent as they are. */
const SMALLEST_COMPRESSED = 1000
/** Contents whose time of change is remembered, also while their page is not kept: one for so many bytes of pages. */
const REMEMBERED_BYTES = 2000
/** Headers that the answer gets from the store, or that are of one answer alone. */
const NOT_KEPT = new Set(['content-type', 'content-length', 'cache-control', 'etag', 'last-modified', 'date'])

interface Keepable {
  keepable?: true
}

/** To be said of an answer that is the same for everybody who is not signed in, until what it was made of changes. */
export function mayKeep(ctx: ParameterizedContext): void {
  const state = ctx.state as Keepable
  state.keepable = true
}

export interface KeptPagesOptions {
  mostBytes: number
  /** The site's language, for readers whose browsers name none that is spoken here. */
  language: string
  /** This node's public address; without one, pages name the host that they were asked for at. */
  url: string | undefined
  /** The map functions of the site database by their views' names. */
  views: Readonly<Record<string, { map: string }>>
}

/**
 * Keeps pages as they were rendered for readers without a session, answers with them before anything else looks at the
 * request, and drops each as soon as something that it was made of changes.
 */
export class KeptPages {
  readonly store: PageStore
  readonly #keeps: boolean
  #isReady = true
  readonly #keys: PageKeys
  readonly #functions: MapFunctions
  readonly #names: string[]
  /** By a digest of the key: the tag of the latest content and since when it has been that. */
  readonly #changed = new Map<string, { etag: string; changedMs: number }>()
  readonly #mostChanged: number
  /** How many pages were rendered to be kept. */
  rendered = 0

  constructor({ mostBytes, language, url, views }: KeptPagesOptions) {
    this.store = new PageStore({ mostBytes })
    this.#keeps = mostBytes > 0
    this.#mostChanged = Math.ceil(mostBytes / REMEMBERED_BYTES)
    this.#keys = new PageKeys({ language, namesHost: url === undefined })
    this.#names = Object.keys(views)
    const maps = Object.entries(views).map(([name, { map }]) => ({ name, map }))
    this.#functions = new MapFunctions(maps, (view) => {
      // Its rows are unknown, so everything that shows some is made anew.
      log.warn('a map function threw; all pages are made anew', { view: this.#names[view] })
      this.store.clear()
    })
  }

  /** Answers from the store, or lets `next` answer. */
  serving(next: RequestListener): RequestListener {
    return (request: IncomingMessage, response: ServerResponse) => {
      const key = this.#keyOf(request)
      const page = key === undefined ? undefined : this.store.get(key)
      if (page) servePage(request, response, page, 'no-cache')
      else next(request, response)
    }
  }

  /** Keeps what is made below it, where it says that it {@link mayKeep}. */
  keeping(): Middleware {
    return async (ctx, next) => {
      const key = this.#keyOf(ctx.req)
      if (key === undefined) {
        await next()
        return
      }
      const since = this.store.now
      const { reads } = await tracking(next)
      const { keepable } = ctx.state as Keepable
      const { body } = ctx
      const isText = typeof body === 'string' || Buffer.isBuffer(body)
      if (!keepable || ctx.status !== 200 || !isText || ctx.res.hasHeader('set-cookie')) return
      this.rendered += 1
      const bytes = Buffer.from(body)
      const etag = etagOf(bytes)
      const page: StoredPage = {
        key,
        body: bytes,
        forms: {},
        type: ctx.response.get('content-type'),
        etag,
        changedMs: this.#changedMs(key, etag),
        status: ctx.status,
        headers: headersOf(ctx),
        reads,
      }
      if (this.#isReady && this.store.put(page, since)) this.#compress(page)
      ctx.set('ETag', `"${etag}"`)
      ctx.lastModified = new Date(page.changedMs)
    }
  }

  /** Drops the pages that this concerns. */
  written({ documents, names }: Written): void {
    const rows: ChangedRow[] = []
    const parts: string[] = []
    const views = { functions: this.#functions, names: this.#names }
    // Where nothing is kept only the count matters.
    if (this.#keeps)
      for (const { id, before, after } of documents) {
        rows.push(...changedRows(before, after, views))
        parts.push(...changedDocumentParts(before, after).map((part) => partOf(id, part)))
      }
    this.store.changed({ documents: [...documents.map(({ id }) => id), ...parts], rows, names })
  }

  /** Keeps nothing until then: what views say that are not those given to it, it does not know. */
  keepFrom(ready: Promise<void>): void {
    this.#isReady = false
    ready
      .then(() => {
        this.#isReady = true
        this.store.clear()
      })
      // It ends with the node, or the next start finishes it.
      .catch(() => undefined)
  }

  clear(): void {
    this.store.clear()
  }

  #keyOf({ method, url = '', headers }: IncomingMessage): string | undefined {
    if ((method !== 'GET' && method !== 'HEAD') || hasSession(headers.cookie)) return undefined
    return this.#keys.keyOf({
      url,
      host: headers.host ?? '',
      acceptLanguage: headers['accept-language'] ?? '',
    })
  }

  #changedMs(key: string, etag: string): number {
    // Whoever invents long addresses does not fill the memory.
    const name = etagOf(Buffer.from(key))
    const known = this.#changed.get(name)
    if (known?.etag === etag) return known.changedMs
    const changedMs = Date.now()
    this.#changed.delete(name)
    this.#changed.set(name, { etag, changedMs })
    const [oldest] = this.#changed.keys()
    if (this.#changed.size > this.#mostChanged && oldest !== undefined) this.#changed.delete(oldest)
    return changedMs
  }

  #compress(page: StoredPage): void {
    if (page.body.length < SMALLEST_COMPRESSED) return
    compressForms(page)
      .then(() => this.store.grown(page, (page.forms.br?.length ?? 0) + (page.forms.gzip?.length ?? 0)))
      .catch(() => log.warn('a page could not be compressed'))
  }
}

function headersOf(ctx: ParameterizedContext): Record<string, string> {
  const { headers } = ctx.response
  const kept = Object.entries(headers).filter(([name]) => !NOT_KEPT.has(name))
  const fields = Object.fromEntries(kept.map(([name, value]) => [name, String(value)]))
  const vary = new Set([...(fields.vary ?? '').split(/,\s*/).filter(Boolean), 'Accept-Encoding', 'Cookie'])
  return { ...fields, vary: [...vary].join(', ') }
}
