import { Readable } from 'node:stream'
import { Agent, request } from 'undici'
import type { Login } from '../../replication/peers-file.ts'
import { reasonOf } from '../../replication/probe.ts'
import { Health } from './line.ts'
import type { Ask, AskOptions, Line } from './line.ts'
import type { Rate } from '../rate.ts'
import { FILES_URL, STATUS_HEADER, VIA_HEADER } from './paths.ts'
import { codeOf, noAnswer, peerLacks, wrongAnswer } from './problems.ts'

const CONNECT_MS = 10_000
const RELAY_MS = 60_000
const CHUNK_BYTES = 64 * 1024
/** How large a list may be that a peer answers with. */
const MOST_JSON_BYTES = 4 * 1024 * 1024

export interface CallingLineOptions {
  peer: string
  url: string
  login: Login | undefined
  /** The key that the peers file gives for it. */
  key: string | undefined
  /** A connection that is silent for so long is given up. */
  idleTimeoutMs: number
}

/** A peer that this node calls. */
export class CallingLine implements Line, AsyncDisposable {
  readonly peer: string
  readonly health = new Health()
  /** The node at the other end, as it says. */
  key: string | undefined
  /** The key that the peers file gives for it. */
  readonly expectedKey: string | undefined
  isUp = false
  readonly #url: string
  readonly #agent: Agent
  readonly #headers: Record<string, string>
  readonly #idleTimeoutMs: number

  constructor({ peer, url, login, key, idleTimeoutMs }: CallingLineOptions) {
    this.peer = peer
    this.key = key
    this.expectedKey = key
    this.#url = `${url}${FILES_URL}`
    this.#idleTimeoutMs = idleTimeoutMs
    // Whether bytes go on coming is watched below: an answer is also slow because it is taken slowly here.
    this.#agent = new Agent({
      connect: { timeout: CONNECT_MS },
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: 4000,
    })
    this.#headers = login
      ? { authorization: `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}` }
      : {}
  }

  async ask(ask: Ask, options: AskOptions): Promise<void> {
    if (ask.kind === 'piece') {
      const { sha256, index, from, via } = ask
      const headers = {
        ...(via.length > 0 ? { [VIA_HEADER]: via.join(',') } : {}),
        ...(from > 0 ? { range: `bytes=${from}-` } : {}),
      }
      const wanted = from > 0 ? 206 : 200
      // Who has to ask somebody else first may take the time for that.
      const waitMs = via.length > 0 ? RELAY_MS : 0
      return this.#send('GET', `/${sha256}/${index}`, { headers, wanted, waitMs }, options)
    }
    const { kind: _, ...body } = ask
    return this.#send('POST', '/confirm', { body: JSON.stringify(body), wanted: 200 }, options)
  }

  /** Posts JSON and gives what is answered. */
  async post(
    path: string,
    body: object,
    { signal, waitMs = 0 }: { signal: AbortSignal; waitMs?: number },
  ): Promise<unknown> {
    const parts: Uint8Array[] = []
    const options = {
      signal,
      mostBytes: MOST_JSON_BYTES,
      onBytes: (bytes: Uint8Array) => void parts.push(bytes),
    }
    await this.#send('POST', path, { body: JSON.stringify(body), wanted: 200, waitMs }, options)
    try {
      return JSON.parse(Buffer.concat(parts).toString())
    } catch {
      throw wrongAnswer(this.peer, 'it is not JSON')
    }
  }

  /** Sends the answer to what the peer has asked when it was called, no faster than the rate. */
  async put(
    path: string,
    { bytes, status, rate }: { bytes: Uint8Array; status: number; rate: Rate },
    signal: AbortSignal,
  ): Promise<void> {
    const headers = { 'content-type': 'application/octet-stream', [STATUS_HEADER]: String(status) }
    const options = { signal, mostBytes: MOST_JSON_BYTES, onBytes: () => undefined }
    await this.#send('PUT', path, { body: bytes, rate, headers, wanted: 200 }, options)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#agent.destroy()
  }

  async #send(
    method: 'GET' | 'POST' | 'PUT',
    path: string,
    {
      headers = {},
      body,
      rate,
      wanted,
      waitMs = 0,
    }: {
      headers?: Record<string, string>
      body?: string | Uint8Array
      /** At which a body of bytes is sent. */
      rate?: Rate
      wanted: number
      /** How much longer the other end may take until it answers. */
      waitMs?: number
    },
    { signal, mostBytes, onBytes }: AskOptions,
  ): Promise<void> {
    using silence = new Silence(this.#idleTimeoutMs, signal)
    try {
      silence.wait(waitMs)
      const type = typeof body === 'string' ? { 'content-type': 'application/json' } : {}
      const answer = await request(this.#url + path, {
        method,
        headers: { ...type, ...this.#headers, ...headers },
        body:
          body === undefined || typeof body === 'string'
            ? (body ?? null)
            : Readable.from(inChunks(body, silence, rate)),
        dispatcher: this.#agent,
        signal: silence.signal,
      })
      // Whatever is not read to its end must not keep a connection.
      answer.body.on('error', () => undefined)
      if (answer.statusCode !== wanted) {
        answer.body.destroy()
        throw this.#refused(answer.statusCode)
      }
      let bytes = 0
      silence.wait(0)
      for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
        bytes += chunk.length
        if (bytes > mostBytes) throw wrongAnswer(this.peer, `it has more than ${mostBytes} bytes`)
        silence.pause()
        await onBytes(chunk)
        silence.wait(0)
      }
    } catch (error) {
      signal.throwIfAborted()
      if (codeOf(error) !== 'unexpected') throw error
      throw noAnswer(
        this.peer,
        silence.isOver ? `nothing came for ${this.#idleTimeoutMs} ms` : reasonOf(error),
        error,
      )
    }
  }

  #refused(status: number): Error {
    if (status === 404 || status === 403) return peerLacks(this.peer, 'that')
    if (status < 300) return wrongAnswer(this.peer, `its status is ${status}`)
    return noAnswer(this.peer, `its status is ${status}`)
  }
}

/** Bytes as fast as a rate and the other end allow. */
async function* inChunks(
  bytes: Uint8Array,
  silence: Silence,
  rate: Rate | undefined,
): AsyncGenerator<Uint8Array> {
  const size = Math.min(CHUNK_BYTES, rate?.chunkBytes ?? Infinity)
  for (let at = 0; at < bytes.length; at += size) {
    const chunk = bytes.subarray(at, at + size)
    silence.pause()
    await rate?.took(chunk.length, silence.signal)
    silence.wait(0)
    yield chunk
  }
}

/** Ends a request when its other end is silent for too long. */
class Silence implements Disposable {
  readonly #stop = new AbortController()
  readonly #ms: number
  readonly signal: AbortSignal
  isOver = false
  #timer: NodeJS.Timeout | undefined

  constructor(ms: number, signal: AbortSignal) {
    this.#ms = ms
    this.signal = AbortSignal.any([this.#stop.signal, signal])
  }

  /** From now on something must come in time; so much longer where the other end waits itself. */
  wait(longerMs: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.isOver = true
      this.#stop.abort()
    }, this.#ms + longerMs)
  }

  /** Nothing is taken from the other end, so nothing can come. */
  pause(): void {
    clearTimeout(this.#timer)
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
  }
}
