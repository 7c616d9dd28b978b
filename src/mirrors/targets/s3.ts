import { join } from 'node:path'
import type { MirrorSecrets, S3Mirror } from '../../config/mirrors.ts'
import type { ProducedFile } from '../../produce/produced-site.ts'
import { Bucket } from '../../s3/bucket.ts'
import { headersFor } from '../headers.ts'
import { AT_ONCE, HttpServer } from './http.ts'
import { hashFile } from './hash.ts'
import { sendFiles } from './send-files.ts'
import { eachOf, unusable } from './target.ts'
import type { Differences, Refusal, Target } from './target.ts'

const MOST_PAGES = 100_000

interface Listed {
  path: string
  bytes: number
  etag: string
}

type Init = Parameters<HttpServer['ask']>[1]

/** A bucket of S3 or of what speaks like it. Each file is one object, with its type and how long it may be kept. */
export class S3Target implements Target {
  readonly #mirror: S3Mirror
  readonly #server: HttpServer
  readonly #bucket: Bucket

  constructor(mirror: S3Mirror, secrets: MirrorSecrets) {
    this.#mirror = mirror
    this.#server = new HttpServer(mirror.name)
    this.#bucket = new Bucket(mirror, secrets)
  }

  async put(from: string, files: ReadonlyMap<string, ProducedFile>, signal: AbortSignal): Promise<Refusal[]> {
    const { acl } = this.#mirror
    return sendFiles(from, files, async (path, body, { sha256 }) => {
      const { contentType, cacheControl } = headersFor(path)
      const headers = {
        'content-type': contentType,
        'cache-control': cacheControl,
        // The server compares it with what arrives.
        'x-amz-content-sha256': sha256,
        ...(acl === undefined ? {} : { 'x-amz-acl': acl }),
      }
      const address = this.#address(path)
      const init = await this.#signed(address, { method: 'PUT', headers })
      const status = await this.#server.status(address, { ...init, body, signal })
      if (status < 200 || status > 299) return this.#server.refusal(status, 'PUT')
      return undefined
    })
  }

  async remove(paths: readonly string[], signal: AbortSignal): Promise<void> {
    await eachOf(paths, AT_ONCE, async (path) => {
      const address = this.#address(path)
      const init = await this.#signed(address, { method: 'DELETE' })
      const status = await this.#server.status(address, { ...init, signal })
      if ((status < 200 || status > 299) && status !== 404) throw this.#server.failure(status, 'DELETE')
    })
  }

  async take(paths: readonly string[], into: string, signal: AbortSignal): Promise<void> {
    await this.#server.take(
      paths,
      (path) => join(into, path),
      (path) => this.#get(path, signal),
    )
  }

  async check(
    from: string,
    files: ReadonlyMap<string, ProducedFile>,
    signal: AbortSignal,
  ): Promise<Differences> {
    const [missing, wrong]: [string[], string[]] = [[], []]
    const listed = new Map<string, Listed>()
    for await (const one of this.#list(signal)) listed.set(one.path, one)
    const unsure: [string, ProducedFile][] = []
    await eachOf(files, AT_ONCE, async ([path, file]) => {
      const there = listed.get(path)
      if (!there) missing.push(path)
      else if (there.bytes !== file.bytes) wrong.push(path)
      // With most servers the ETag of such an object is its MD5; with the others its bytes are fetched.
      else if (there.etag !== (await hashFile(join(from, path), 'md5'))) unsure.push([path, file])
    })
    const fetched = await this.#server.check(unsure, (path) => this.#get(path, signal))
    return { missing: [...missing, ...fetched.missing], wrong: [...wrong, ...fetched.wrong] }
  }

  async names(signal: AbortSignal): Promise<string[]> {
    const names: string[] = []
    for await (const { path } of this.#list(signal)) names.push(path)
    return names
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#server[Symbol.asyncDispose]()
  }

  async *#list(signal: AbortSignal): AsyncIterable<Listed> {
    const { prefix, name } = this.#mirror
    let token: string | undefined
    for (let page = 0; page < MOST_PAGES; page += 1) {
      const address = this.#bucket.listAddress({ prefix, token })
      const init = await this.#signed(address, { method: 'GET' })
      const response = await this.#server.ask(address, { ...init, signal })
      const text = await this.#server.text(response)
      if (response.status !== 200) throw this.#server.failure(response.status, 'the list of the bucket')
      const listed = this.#bucket.readPage(text)
      if (!listed) throw unusable(name, 'its list of files cannot be read')
      for (const { key, bytes, etag } of listed.objects)
        if (key.startsWith(prefix)) yield { path: key.slice(prefix.length), bytes, etag }
      if (listed.next === undefined) return
      token = listed.next
    }
  }

  async #get(path: string, signal: AbortSignal) {
    const address = this.#address(path)
    return this.#server.ask(address, { ...(await this.#signed(address, { method: 'GET' })), signal })
  }

  #address(path: string): string {
    return this.#bucket.address(this.#mirror.prefix + path)
  }

  async #signed(
    url: string,
    { method, headers = {} }: { method: 'GET' | 'PUT' | 'DELETE'; headers?: Record<string, string> },
  ): Promise<Init> {
    return { method, headers: await this.#bucket.sign(url, method, headers) }
  }
}
