import { join } from 'node:path'
import { XMLParser } from 'fast-xml-parser'
import { z } from 'zod'
import type { MirrorSecrets, WebdavMirror } from '../../config/mirrors.ts'
import type { ProducedFile } from '../../produce/produced-site.ts'
import { headersFor } from '../headers.ts'
import { AT_ONCE, encodePath, HttpServer } from './http.ts'
import { sendFiles } from './send-files.ts'
import { eachOf, unusable } from './target.ts'
import type { Differences, Refusal, Target } from './target.ts'

const PROPFIND =
  '<?xml version="1.0" encoding="utf-8"?><propfind xmlns="DAV:"><prop><resourcetype/></prop></propfind>'
const MOST_FOLDERS = 1_000_000
/** What a server says to PUT where the folder is not there: WebDAV's own 409, and what others make of it. */
const NO_FOLDER = new Set([403, 404, 409, 500])

/** What servers say to PROPFIND that do not know it, or that do not let everybody use it. */
const NO_PROPFIND = new Set([400, 403, 405, 501])

const multistatus = z.object({
  multistatus: z.object({
    response: z.array(z.object({ href: z.string(), propstat: z.array(z.unknown()).default([]) })).default([]),
  }),
})

type Init = Omit<Parameters<HttpServer['ask']>[1], 'headers'> & { headers?: Record<string, string> }

/** A folder of a WebDAV server, or of any that takes PUT and DELETE. */
export class WebdavTarget implements Target {
  readonly #mirror: WebdavMirror
  readonly #server: HttpServer
  readonly #headers: Record<string, string>
  /** Folders that are there. */
  readonly #made = new Set<string>()

  constructor(mirror: WebdavMirror, { password }: MirrorSecrets) {
    this.#mirror = mirror
    this.#server = new HttpServer(mirror.name)
    const login = Buffer.from(`${mirror.username ?? ''}:${password ?? ''}`).toString('base64')
    this.#headers = mirror.username === undefined ? {} : { authorization: `Basic ${login}` }
  }

  async put(from: string, files: ReadonlyMap<string, ProducedFile>, signal: AbortSignal): Promise<Refusal[]> {
    return sendFiles(from, files, async (path, body) => {
      const { contentType, cacheControl } = headersFor(path)
      const headers = { 'content-type': contentType, 'cache-control': cacheControl }
      const send = () => this.#status(path, { method: 'PUT', headers, body, signal })
      let status = await send()
      if (NO_FOLDER.has(status) && (await this.#makeFolders(path, signal))) status = await send()
      return status >= 200 && status <= 299 ? undefined : this.#server.refusal(status, 'PUT')
    })
  }

  async remove(paths: readonly string[], signal: AbortSignal): Promise<void> {
    await eachOf(paths, AT_ONCE, async (path) => {
      const status = await this.#status(path, { method: 'DELETE', signal })
      if ((status < 200 || status > 299) && status !== 404 && status !== 410)
        throw this.#server.failure(status, 'DELETE')
    })
  }

  async take(paths: readonly string[], into: string, signal: AbortSignal): Promise<void> {
    await this.#server.take(
      paths,
      (path) => join(into, path),
      (path) => this.#get(path, signal),
    )
  }

  check(_from: string, files: ReadonlyMap<string, ProducedFile>, signal: AbortSignal): Promise<Differences> {
    return this.#server.check(files, (path) => this.#get(path, signal))
  }

  async names(signal: AbortSignal): Promise<string[] | undefined> {
    const names: string[] = []
    const folders = ['']
    for (let looked = 0; looked < MOST_FOLDERS; looked += 1) {
      const folder = folders.pop()
      if (folder === undefined) return names
      const headers = { depth: '1', 'content-type': 'application/xml; charset=utf-8' }
      const response = await this.#ask(folder, { method: 'PROPFIND', headers, body: PROPFIND, signal })
      if (NO_PROPFIND.has(response.status)) {
        await response.body?.cancel()
        return undefined
      }
      const text = await this.#server.text(response)
      // It went while the others were looked at.
      if (response.status === 404 && folder !== '') continue
      if (response.status !== 207) throw this.#server.failure(response.status, 'PROPFIND')
      for (const { path, isFolder } of this.#entries(text, folder)) {
        if (isFolder) folders.push(`${path}/`)
        else names.push(path)
      }
    }
    throw unusable(this.#mirror.name, 'it has too many folders')
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#server[Symbol.asyncDispose]()
  }

  /** What is in a folder by a server's answer; a server that names anything else is not followed there. */
  #entries(text: string, folder: string): { path: string; isFolder: boolean }[] {
    const parsed = multistatus.safeParse(parser.parse(text))
    if (!parsed.success) throw unusable(this.#mirror.name, 'its answer to PROPFIND cannot be read')
    const base = new URL(this.#address(folder))
    const above = decode(base.pathname)
    return parsed.data.multistatus.response.flatMap(({ href, propstat }) => {
      const address = URL.canParse(href, base.href) ? decode(new URL(href, base).pathname) : undefined
      if (above === undefined || !address?.startsWith(above)) return []
      const entry = address.slice(above.length).replace(/\/$/, '')
      if (entry === '' || entry.includes('/') || entry === '.' || entry === '..') return []
      const isFolder = JSON.stringify(propstat).includes('"collection"') || address.endsWith('/')
      return [{ path: folder + entry, isFolder }]
    })
  }

  /** Makes the folders above a file; gives whether another try is worth it. */
  async #makeFolders(path: string, signal: AbortSignal): Promise<boolean> {
    const parts = path.split('/').slice(0, -1)
    const folders = parts.map((_, index) => `${parts.slice(0, index + 1).join('/')}/`)
    if (!this.#mirror.mkcol || folders.length === 0) return false
    // With all of them made once, somebody has removed one.
    if (folders.every((folder) => this.#made.has(folder)))
      for (const folder of folders) this.#made.delete(folder)
    for (const folder of folders.filter((one) => !this.#made.has(one))) {
      const status = await this.#status(folder, { method: 'MKCOL', signal })
      // 405: it is there.
      const isThere = (status >= 200 && status <= 299) || status === 405 || status === 301
      if (!isThere) throw this.#server.failure(status, 'MKCOL')
      this.#made.add(folder)
    }
    return true
  }

  #get(path: string, signal: AbortSignal) {
    return this.#ask(path, { method: 'GET', headers: { 'cache-control': 'no-cache' }, signal })
  }

  #ask(path: string, init: Init) {
    return this.#server.ask(this.#address(path), { ...init, headers: { ...init.headers, ...this.#headers } })
  }

  #status(path: string, init: Init): Promise<number> {
    return this.#server.status(this.#address(path), {
      ...init,
      headers: { ...init.headers, ...this.#headers },
    })
  }

  #address(path: string): string {
    return `${this.#mirror.url}/${encodePath(path)}`
  }
}

function decode(path: string): string | undefined {
  try {
    return decodeURIComponent(path)
  } catch {
    return undefined
  }
}

const parser = new XMLParser({
  ignoreAttributes: true,
  removeNSPrefix: true,
  parseTagValue: false,
  // This is what takes numeric references.
  htmlEntities: true,
  isArray: (name) => name === 'response' || name === 'propstat',
})
