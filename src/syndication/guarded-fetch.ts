import { lookup as systemLookup } from 'node:dns'
import type { LookupAddress } from 'node:dns'
import { isIP } from 'node:net'
import type { LookupFunction } from 'node:net'
import { pipeline } from 'node:stream'
import type { Readable } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import { Agent } from 'undici'
import type { Dispatcher } from 'undici'
import { HyperactiveError } from '../errors.ts'
import { one, readRetryAfter, validator } from './answer-headers.ts'
import { asFeedError, badAddress, notPublic, tooLarge, tooSlow } from './fetch-errors.ts'
import { isPublicAddress, PORTS } from './public-address.ts'

const USER_AGENT = 'Hyperactive feed reader'
const ACCEPT =
  'application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, ' +
  'text/xml;q=0.9, application/json;q=0.8, */*;q=0.1'
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])
const MOST_REDIRECTS = 5
const HEADER_BYTES = 16 * 1024

const DECODERS = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
}

export interface GuardedFetchOptions {
  /** Addresses (IP) that may be asked at any port although they are not public; none unless given. */
  allow?: (address: string) => boolean
  /** Asks for a name's addresses; the system's own way unless given. It is called with `all: true`. */
  lookup?: LookupFunction
  /** Longest wait for the headers of one answer. */
  headersMs?: number
  /** Longest time for everything, redirects and body included. */
  totalMs?: number
  /** Most bytes of a body, after decompression. */
  mostBytes?: number
}

/** What an earlier answer said of its version, to be sent back. */
export interface Validators {
  etag?: string
  lastModified?: string
}

export type Fetched =
  /** The version that the validators name is still the current one. */
  | { outcome: 'unchanged' }
  /** An answer with another status than 200, or 304 although no version was named. */
  | { outcome: 'refused'; status: number; retryAfterMs?: number }
  | ({
      outcome: 'fetched'
      /** Where redirects have led. */
      address: string
      bytes: Uint8Array
      contentType: string
    } & Validators)

/**
 * Fetches what stands at addresses that somebody else chose. Only public machines are asked: the addresses that a name
 * resolves to are judged in the moment of connecting, so that no name can change in between, and so is every hop of a
 * redirect. It says nothing of this node but its own IP address.
 */
export class GuardedFetch {
  readonly #allow: (address: string) => boolean
  readonly #lookup: LookupFunction
  readonly #headersMs: number
  readonly #totalMs: number
  readonly #mostBytes: number

  constructor({
    allow = () => false,
    lookup = systemLookup,
    headersMs = 10_000,
    totalMs = 20_000,
    mostBytes = 2 * 1024 * 1024,
  }: GuardedFetchOptions = {}) {
    this.#allow = allow
    this.#lookup = lookup
    this.#headersMs = headersMs
    this.#totalMs = totalMs
    this.#mostBytes = mostBytes
  }

  /**
   * One GET, with at most five redirects.
   *
   * @throws HyperactiveError `feed_bad_address`, `feed_not_public`, `feed_redirects`, `feed_slow`, `feed_too_large`,
   * `feed_unreachable`, `feed_bad_answer`; or what `stop` was aborted with
   */
  async get(address: string, known: Validators = {}, stop?: AbortSignal): Promise<Fetched> {
    stop?.throwIfAborted()
    const control = new AbortController()
    const onStop = () => control.abort(stop?.reason)
    stop?.addEventListener('abort', onStop, { once: true })
    const total = setTimeout(() => control.abort(tooSlow(this.#totalMs)), this.#totalMs)
    try {
      let url = parseAddress(address)
      for (let hops = 0; hops <= MOST_REDIRECTS; hops += 1) {
        const found = await this.#hop(url, known, control)
        if (!(found instanceof URL)) return found
        url = found
      }
      throw new HyperactiveError('feed_redirects', `more than ${MOST_REDIRECTS} redirects`, { status: 502 })
    } catch (error) {
      throw control.signal.aborted ? (control.signal.reason as Error) : asFeedError(error)
    } finally {
      clearTimeout(total)
      stop?.removeEventListener('abort', onStop)
    }
  }

  /** One request on a connection of its own; gives where it redirects to, or the answer. */
  async #hop(url: URL, known: Validators, control: AbortController): Promise<Fetched | URL> {
    const { signal } = control
    signal.throwIfAborted()
    const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80))
    const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
    // An IP address is connected to without a lookup.
    if (isIP(host) !== 0 && !this.#mayAsk(host, port)) throw notPublic()
    const agent = new Agent({
      connect: { lookup: this.#lookupFor(port), timeout: this.#headersMs },
      maxHeaderSize: HEADER_BYTES,
      // The timers here cover them.
      headersTimeout: 0,
      bodyTimeout: 0,
    })
    const onAbort = () => void agent.destroy(signal.reason as Error)
    signal.addEventListener('abort', onAbort, { once: true })
    const headersTimer = setTimeout(() => control.abort(tooSlow(this.#headersMs)), this.#headersMs)
    try {
      const answer = await agent.request({
        origin: url.origin,
        path: url.pathname + url.search,
        method: 'GET',
        headers: {
          'user-agent': USER_AGENT,
          accept: ACCEPT,
          'accept-encoding': 'gzip, deflate, br',
          ...(known.etag === undefined ? {} : { 'if-none-match': known.etag }),
          ...(known.lastModified === undefined ? {} : { 'if-modified-since': known.lastModified }),
        },
      })
      clearTimeout(headersTimer)
      // A body that is not read ends with its connection.
      answer.body.on('error', () => {})
      return await this.#take(url, known, answer)
    } finally {
      clearTimeout(headersTimer)
      signal.removeEventListener('abort', onAbort)
      await agent.destroy().catch(() => undefined)
    }
  }

  async #take(
    url: URL,
    known: Validators,
    { statusCode, headers, body }: Dispatcher.ResponseData,
  ): Promise<Fetched | URL> {
    const asked = known.etag !== undefined || known.lastModified !== undefined
    if (statusCode === 304 && asked) return { outcome: 'unchanged' }
    const location = one(headers.location)
    if (REDIRECTS.has(statusCode) && location !== undefined) return parseAddress(location, url.href)
    if (statusCode !== 200) {
      const retryAfterMs = readRetryAfter(one(headers['retry-after']), Date.now())
      return {
        outcome: 'refused',
        status: statusCode,
        ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      }
    }
    const bytes = await this.#read(body, headers)
    const etag = validator(headers.etag)
    const lastModified = validator(headers['last-modified'])
    return {
      outcome: 'fetched',
      address: url.href,
      bytes,
      contentType: one(headers['content-type']) ?? '',
      ...(etag === undefined ? {} : { etag }),
      ...(lastModified === undefined ? {} : { lastModified }),
    }
  }

  /** The body, decompressed piece by piece, so that it is given up as soon as it is too large. */
  async #read(body: Readable, headers: Dispatcher.ResponseData['headers']): Promise<Uint8Array> {
    if (Number(one(headers['content-length']) ?? 0) > this.#mostBytes) throw tooLarge(this.#mostBytes)
    const encoding = (one(headers['content-encoding']) ?? '').trim().toLowerCase()
    let decoded = body
    if (encoding !== '' && encoding !== 'identity') {
      if (!Object.hasOwn(DECODERS, encoding)) {
        const text = `the answer is encoded as ${JSON.stringify(encoding.slice(0, 40))}, which was not asked for`
        throw new HyperactiveError('feed_bad_answer', text, { status: 502 })
      }
      // Errors of either come out where the decoder is read.
      decoded = pipeline(body, DECODERS[encoding as keyof typeof DECODERS](), () => {})
    }
    const chunks: Buffer[] = []
    let length = 0
    for await (const chunk of decoded as AsyncIterable<Buffer>) {
      length += chunk.length
      if (length > this.#mostBytes) throw tooLarge(this.#mostBytes)
      chunks.push(chunk)
    }
    return Buffer.concat(chunks)
  }

  #mayAsk(address: string, port: number): boolean {
    return this.#allow(address) || (PORTS.has(port) && isPublicAddress(address))
  }

  /** Gives the connection only addresses that may be asked: what was judged is what is connected to. */
  #lookupFor(port: number): LookupFunction {
    return (hostname, options, callback) => {
      this.#lookup(hostname, { ...options, all: true }, (error, found) => {
        if (error) {
          callback(error, [])
          return
        }
        const usable = (found as LookupAddress[]).filter(({ address }) => this.#mayAsk(address, port))
        const [first] = usable
        if (!first) callback(notPublic(), [])
        else if (options.all) callback(null, usable)
        else callback(null, first.address, first.family)
      })
    }
  }
}

function parseAddress(address: string, base?: string): URL {
  const url = URL.canParse(address, base) ? new URL(address, base) : undefined
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:') || url.hostname === '')
    throw badAddress('is not an http or https address')
  if (url.username !== '' || url.password !== '') throw badAddress('has a name or password in it')
  return url
}
