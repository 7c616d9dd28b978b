import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Agent, fetch } from 'undici'
import type { RequestInit, Response } from 'undici'
import { HyperactiveError, messageOf } from '../../errors.ts'
import type { ProducedFile } from '../../produce/produced-site.ts'
import { eachOf, loginRefused, MOST_TAKEN_BYTES, unreachable, unusable } from './target.ts'
import type { Differences } from './target.ts'

export const AT_ONCE = 8
const CONNECT_MS = 15_000
/** Without a byte for so long an exchange is given up. */
const SILENT_MS = 60_000
const MOST_LISTING_BYTES = 16 * 1024 * 1024
/** What an answer says of the one file that was asked about, not of the server. */
const OF_ONE_FILE = new Set([400, 409, 411, 412, 413, 414, 415, 422, 423, 424])

/** A server that files are sent to by HTTP: one connection pool, and what its answers mean. */
export class HttpServer implements AsyncDisposable {
  readonly #name: string
  readonly #agent: Agent

  constructor(name: string) {
    this.#name = name
    this.#agent = new Agent({
      connect: { timeout: CONNECT_MS },
      connections: AT_ONCE,
      headersTimeout: SILENT_MS,
      bodyTimeout: SILENT_MS,
    })
  }

  /** Asks; redirects are not followed, so that no password goes elsewhere. */
  async ask(address: string, init: RequestInit): Promise<Response> {
    try {
      return await fetch(address, { ...init, redirect: 'manual', dispatcher: this.#agent })
    } catch (error) {
      if (init.signal?.aborted) throw error
      const { cause } = error as Error
      // A file that became another one while it was read: whoever changed it says so.
      if ((cause as Error | undefined)?.name === 'NotReadableError') throw cause
      throw unreachable(this.#name, messageOf(cause ?? error), error)
    }
  }

  /** Asks, and does away with the answer but for its status. */
  async status(address: string, init: RequestInit): Promise<number> {
    const { status, body } = await this.ask(address, init)
    await body?.cancel()
    return status
  }

  /** What a status means that is not the one hoped for: the reason for one file, or else a failure of the server. */
  refusal(status: number, what: string): string {
    if (OF_ONE_FILE.has(status)) return `${what} was answered with ${status}`
    throw this.failure(status, what)
  }

  failure(status: number, what: string): HyperactiveError {
    const said = `${what} was answered with ${status}`
    if (status === 401 || status === 403) return loginRefused(this.#name, said)
    if (status === 408 || status === 429 || status === 502 || status === 503 || status === 504)
      return unreachable(this.#name, said)
    return unusable(this.#name, said)
  }

  /** Copies files from there to below a folder; those that are not there, or too large, are left out. */
  async take(
    paths: readonly string[],
    placeOf: (path: string) => string,
    get: (path: string) => Promise<Response>,
  ): Promise<void> {
    await eachOf(paths, AT_ONCE, async (path) => {
      const { status, body } = await get(path)
      if (status !== 200 || !body) {
        await body?.cancel()
        if (status !== 404 && status !== 410) throw this.failure(status, 'GET')
        return
      }
      const chunks: Uint8Array[] = []
      let bytes = 0
      await this.#reading(async () => {
        for await (const chunk of body as AsyncIterable<Uint8Array>) {
          chunks.push(chunk)
          bytes += chunk.length
          if (bytes > MOST_TAKEN_BYTES) break
        }
      })
      if (bytes > MOST_TAKEN_BYTES) return
      await mkdir(dirname(placeOf(path)), { recursive: true })
      await writeFile(placeOf(path), chunks)
    })
  }

  /** Compares files there, byte by byte, with what they should be. */
  async check(
    files: Iterable<[path: string, file: ProducedFile]>,
    get: (path: string) => Promise<Response>,
  ): Promise<Differences> {
    const [missing, wrong]: [string[], string[]] = [[], []]
    await eachOf(files, AT_ONCE, async ([path, { sha256, bytes }]) => {
      const { status, body } = await get(path)
      if (status !== 200 || !body) {
        await body?.cancel()
        if (status === 404 || status === 410) missing.push(path)
        else if (status === 200) wrong.push(path)
        else throw this.failure(status, 'GET')
        return
      }
      const hash = createHash('sha256')
      let read = 0
      await this.#reading(async () => {
        for await (const chunk of body as AsyncIterable<Uint8Array>) {
          hash.update(chunk)
          read += chunk.length
          // However much there is, it is not what it should be.
          if (read > bytes) break
        }
      })
      if (read !== bytes || hash.digest('hex') !== sha256) wrong.push(path)
    })
    return { missing, wrong }
  }

  /** The text of a listing, within a bound. */
  async text(response: Response): Promise<string> {
    const chunks: Uint8Array[] = []
    let bytes = 0
    await this.#reading(async () => {
      for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
        chunks.push(chunk)
        bytes += chunk.length
        if (bytes > MOST_LISTING_BYTES) throw unusable(this.#name, 'its list of files is too long')
      }
    })
    return Buffer.concat(chunks).toString()
  }

  async #reading(read: () => Promise<void>): Promise<void> {
    try {
      await read()
    } catch (error) {
      if (error instanceof HyperactiveError) throw error
      if ((error as Error).name === 'AbortError') throw error
      throw unreachable(this.#name, messageOf(error), error)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.destroy()
  }
}

/** A path as a part of an address. */
export function encodePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/')
}
