import { Agent, get } from 'node:http'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import type { Lifetimes } from '../pages/store/lifetime.ts'
import { PageKeys } from '../pages/store/page-key.ts'
import { PageStore } from '../pages/store/page-store.ts'
import { servePage } from '../pages/store/serve.ts'
import { pageKeyOf } from '../web/page-request.ts'
import { followChanges } from './changes.ts'
import { passOn } from './pass-on.ts'
import type { NodeAt } from './pass-on.ts'
import { ask, HEADER, KEPT, unpackCopy } from './protocol.ts'
import type { ToldLine } from './protocol.ts'

/** Copies that are being fetched at once, at most. */
const MOST_FETCHED = 16
/** Pages of which the node is told at once how often they were asked for. */
const MOST_TOLD = 200
/** Shorter than the node keeps a connection between two requests. */
const KEPT_OPEN_MS = 4000

export interface FrontOptions {
  target: NodeAt['target']
  secret: string
  /** The site's language, for readers whose browsers name none that is spoken here. */
  language: string
  /** Whether pages differ by the host that they were asked for at. */
  namesHost: boolean
  mostBytes: number
  lifetimes: Lifetimes
}

/**
 * Answers readers in another process than the node's: with copies of pages that the node keeps, and by passing on
 * everything else. It is told everything that drops pages in the node, in the same order, and its copies carry what they
 * were made of; what it is not told while it has no connection, it does not need: it keeps nothing then.
 */
export class Front implements AsyncDisposable {
  readonly #keys: PageKeys
  readonly #store: PageStore
  readonly #options: FrontOptions
  readonly #agent: Agent
  readonly #stop = new AbortController()
  /** By key: copies that are being fetched and may be kept. */
  readonly #fetched = new Map<string, symbol>()
  /** How often pages were asked for since the node was last told: it makes those again first that many ask for. */
  readonly #asked = new Map<string, number>()
  readonly #following: Promise<void>
  /** The node's count less the store's own; undefined while nothing is heard. */
  #ahead: number | undefined

  constructor(options: FrontOptions) {
    const { language, namesHost, mostBytes, target } = options
    this.#options = options
    this.#keys = new PageKeys({ language, namesHost })
    this.#store = new PageStore({ mostBytes })
    this.#agent = new Agent({ keepAlive: true, maxFreeSockets: 64, timeout: 0 })
    // A loopback or other network connection may have been closed by the time that it is used again.
    if ('port' in target)
      this.#agent = new Agent({ keepAlive: true, maxFreeSockets: 64, timeout: KEPT_OPEN_MS })
    this.#following = followChanges({
      node: this.#node('changes'),
      told: (line) => this.#told(line),
      asked: () => this.#takeAsked(),
      lost: () => this.#lost(),
      signal: this.#stop.signal,
    })
  }

  get handler(): RequestListener {
    return (request, response) => this.#answer(request, response)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#following
    this.#agent.destroy()
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const key = this.#ahead === undefined ? undefined : pageKeyOf(request, this.#keys)
    const page = key === undefined ? undefined : this.#store.get(key)
    if (page) {
      this.#asked.set(page.key, (this.#asked.get(page.key) ?? 0) + 1)
      servePage(request, response, page, this.#options.lifetimes)
      return
    }
    passOn(request, response, this.#node('answer'), (mark) => {
      if (mark === KEPT && key !== undefined) void this.#fetch(key, request)
    })
  }

  /** Gets a copy of a page that the node keeps. What has changed meanwhile is compared with what the page was made of. */
  async #fetch(key: string, { url = '', headers }: IncomingMessage): Promise<void> {
    if (this.#options.mostBytes === 0 || this.#fetched.has(key) || this.#fetched.size >= MOST_FETCHED) return
    const fetching = Symbol()
    this.#fetched.set(key, fetching)
    const ahead = this.#ahead
    const { host, 'accept-language': language } = headers
    const { target, agent, header } = this.#node('copy')
    const asked = {
      [HEADER]: header,
      ...(host === undefined ? {} : { host }),
      ...(language === undefined ? {} : { 'accept-language': language }),
    }
    try {
      const packed = await new Promise<Buffer | undefined>((resolve, reject) => {
        get({ ...target, agent, path: url, headers: asked }, (answer) => {
          buffer(answer).then((bytes) => resolve(answer.statusCode === 200 ? bytes : undefined), reject)
        }).once('error', reject)
      })
      // After a break nothing is known of what was told before it.
      if (!packed || ahead === undefined || this.#ahead !== ahead) return
      if (this.#fetched.get(key) !== fetching) return
      const { page, number } = unpackCopy(packed)
      if (page.key === key) this.#store.put(page, number - ahead)
    } catch {
      // The page is asked for again, and then perhaps copied.
    } finally {
      if (this.#fetched.get(key) === fetching) this.#fetched.delete(key)
    }
  }

  #told({ number, change, drop, first }: ToldLine): void {
    if (drop) {
      this.#store.forget(drop)
      for (const key of drop) this.#fetched.delete(key)
      return
    }
    if (first) this.#store.clear()
    else if (change) this.#store.changed(change)
    else this.#store.clear()
    const ahead = number - this.#store.now
    if (!first && ahead !== this.#ahead) this.#store.clear()
    this.#ahead = number - this.#store.now
  }

  #takeAsked(): [string, number][] {
    const asked = [...this.#asked]
    this.#asked.clear()
    return asked.sort(([, one], [, other]) => other - one).slice(0, MOST_TOLD)
  }

  #lost(): void {
    this.#ahead = undefined
    this.#store.clear()
  }

  #node(wanted: 'answer' | 'copy' | 'changes'): NodeAt {
    const { target, secret } = this.#options
    return { target, agent: this.#agent, header: ask(secret, wanted) }
  }
}
