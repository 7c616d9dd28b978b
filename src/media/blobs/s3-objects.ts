import { Agent, fetch } from 'undici'
import type { Response } from 'undici'
import type { S3Store, StoreSecrets } from '../../config/media.ts'
import { messageOf } from '../../errors.ts'
import type { HyperactiveError } from '../../errors.ts'
import { Bucket } from '../../s3/bucket.ts'
import { PIECE_BYTES, sha256Of } from './blob.ts'
import type { ListedObject, Objects } from './objects.ts'
import { diskFull, unreachable, unusable } from './problems.ts'

const CONNECT_MS = 15_000
/** Without a byte for so long an exchange is given up. */
const SILENT_MS = 60_000
const AT_ONCE = 8
/** A list of a thousand objects takes less. */
const MOST_LIST_BYTES = 4 * 1024 * 1024
/** What an error says takes less. */
const MOST_ERROR_BYTES = 64 * 1024
/** What says to come again, by status and by S3's own word for it. */
const LATER = new Set([408, 409, 425, 429, 500, 502, 503, 504])
const LATER_CODES = new Set(['RequestTimeout'])
const FULL_CODES = new Set(['QuotaExceeded', 'XMinioStorageFull'])

type Method = 'GET' | 'PUT' | 'DELETE'

/** Objects in a bucket of S3, or of what speaks like it. */
export class S3Objects implements Objects {
  readonly name: string
  readonly #bucket: Bucket
  readonly #prefix: string
  readonly #agent = new Agent({
    connect: { timeout: CONNECT_MS },
    connections: 4 * AT_ONCE,
    headersTimeout: SILENT_MS,
    bodyTimeout: SILENT_MS,
  })

  constructor(settings: S3Store, secrets: StoreSecrets) {
    this.name = `the bucket ${settings.bucket}`
    this.#bucket = new Bucket(settings, secrets)
    this.#prefix = settings.prefix
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    // The server compares the digest with what arrives.
    const headers = { 'content-type': 'application/octet-stream', 'x-amz-content-sha256': sha256Of(bytes) }
    const response = await this.#ask('PUT', this.#bucket.address(this.#prefix + key), {
      headers,
      body: bytes,
    })
    if (!response.ok) throw await this.#failure(response, 'PUT')
    await response.body?.cancel()
  }

  async get(key: string, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    const options = signal ? { signal } : {}
    const response = await this.#ask('GET', this.#bucket.address(this.#prefix + key), options)
    if (response.ok) return this.#bytes(response, PIECE_BYTES, signal)
    const text = await this.#text(response, MOST_ERROR_BYTES)
    if (response.status === 404 && codeIn(text) !== 'NoSuchBucket') return undefined
    throw this.#refusal(response.status, text, 'GET')
  }

  async remove(keys: readonly string[]): Promise<void> {
    const left = [...keys]
    const work = async () => {
      for (let key = left.pop(); key !== undefined; key = left.pop()) {
        const response = await this.#ask('DELETE', this.#bucket.address(this.#prefix + key))
        if (!response.ok && response.status !== 404) throw await this.#failure(response, 'DELETE')
        await response.body?.cancel()
      }
    }
    const ended = await Promise.allSettled(Array.from({ length: AT_ONCE }, work))
    const failed = ended.find((one) => one.status === 'rejected')
    if (failed) throw failed.reason
  }

  async *list({ prefix = '', after }: { prefix?: string; after?: string }): AsyncIterable<ListedObject> {
    let token: string | undefined
    do {
      const address = this.#bucket.listAddress({
        prefix: this.#prefix + prefix,
        after: after === undefined ? undefined : this.#prefix + after,
        token,
      })
      const response = await this.#ask('GET', address)
      if (!response.ok) throw await this.#failure(response, 'the list of the bucket')
      const page = this.#bucket.readPage(await this.#text(response, MOST_LIST_BYTES))
      if (!page || (page.next !== undefined && page.next === token))
        throw unusable(this.name, 'its list of files cannot be read')
      for (const { key: whole, bytes } of page.objects) {
        const key = whole.slice(this.#prefix.length)
        // Some servers do not know where to begin.
        if (whole.startsWith(this.#prefix) && (after === undefined || key > after)) yield { key, bytes }
      }
      token = page.next
    } while (token !== undefined)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#agent.destroy()
  }

  async #ask(
    method: Method,
    address: string,
    { headers, ...rest }: { headers?: Record<string, string>; body?: Uint8Array; signal?: AbortSignal } = {},
  ): Promise<Response> {
    const signed = await this.#bucket.sign(address, method, headers)
    try {
      // Redirects are not followed, so that nothing that is signed goes elsewhere.
      const init = { ...rest, method, headers: signed, redirect: 'manual', dispatcher: this.#agent } as const
      return await fetch(address, init)
    } catch (error) {
      if (rest.signal?.aborted) throw rest.signal.reason
      throw unreachable(this.name, messageOf((error as Error).cause ?? error), error)
    }
  }

  /** The bytes of an answer; of one that is too long just enough to show that. */
  async #bytes(response: Response, most: number, signal?: AbortSignal): Promise<Uint8Array> {
    const chunks: Uint8Array[] = []
    let bytes = 0
    try {
      for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
        chunks.push(chunk)
        bytes += chunk.length
        if (bytes > most) break
      }
    } catch (error) {
      if (signal?.aborted) throw signal.reason
      throw unreachable(this.name, messageOf((error as Error).cause ?? error), error)
    }
    return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)
  }

  async #text(response: Response, most: number): Promise<string> {
    return Buffer.from(await this.#bytes(response, most)).toString()
  }

  async #failure(response: Response, what: string): Promise<HyperactiveError> {
    return this.#refusal(response.status, await this.#text(response, MOST_ERROR_BYTES), what)
  }

  #refusal(status: number, text: string, what: string): HyperactiveError {
    const code = codeIn(text)
    const said = `${what} was answered with ${status} ${code}`.trim()
    if (status === 507 || FULL_CODES.has(code)) return diskFull(this.name)
    if (status === 401 || status === 403)
      return unusable(this.name, `it does not let this node in (${said}); check the keys and their rights`)
    if (status === 404) return unusable(this.name, `it is not there (${said})`)
    const isLater = LATER.has(status) || LATER_CODES.has(code)
    return isLater ? unreachable(this.name, said) : unusable(this.name, said)
  }
}

/** S3's own word for what is wrong. */
function codeIn(text: string): string {
  return /<Code>(\w{1,60})<\/Code>/.exec(text)?.[1] ?? ''
}
