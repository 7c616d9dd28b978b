import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { serveHeaders } from '../media/serve-headers.ts'
import type { BlobDriver, FastParts } from '../media/blobs/driver.ts'
import type { ServedFiles } from '../media/served-files.ts'
import type { FileRow } from '../project/file-rows.ts'
import { rangeOf } from '../pages/store/range.ts'
import type { LentFiles } from './lent-files.ts'
import { hasSession } from './people/cookie.ts'

const ADDRESS = /^\/files\/([0-9a-f]{64})\.([a-z0-9]{1,8})$/
/** Read and sent at once. */
const CHUNK_BYTES = 256 * 1024
/** Buffers that wait for the next reader. */
const MOST_SPARE = 64

/** What is said of a file with each answer, as a flat list. */
const heads = new WeakMap<FileRow, string[]>()

export interface FileFrontOptions {
  served: Pick<ServedFiles, 'known'>
  blobs: Pick<BlobDriver, 'parts'>
  /** Says how long an answer may be kept, and remembers that somebody may keep it. */
  lent: LentFiles
  /** Told of what is read. */
  network: { wasRead: (sha256: string) => void }
}

/**
 * Answers with files before anything else looks at the request, where it is known that readers get them and they lie in
 * a folder: parts of films are asked for many times a second. Everything else goes the way of every request.
 */
export class FileFront {
  readonly #options: FileFrontOptions
  readonly #parts: FastParts | undefined
  readonly #spare: Buffer[] = []

  constructor(options: FileFrontOptions) {
    this.#options = options
    this.#parts = options.blobs.parts
  }

  serving(next: RequestListener): RequestListener {
    const parts = this.#parts
    if (!parts) return next
    return (request, response) => {
      const row = this.#rowFor(request)
      if (!row) {
        next(request, response)
        return
      }
      if (parts.peek(row.sha256) === row.bytes) {
        this.#answer(request, response, { row, parts })
        return
      }
      void this.#open(request, response, { row, parts, next })
    }
  }

  async #open(
    request: IncomingMessage,
    response: ServerResponse,
    { row, parts, next }: { row: FileRow; parts: FastParts; next: RequestListener },
  ): Promise<void> {
    const bytes = await parts.open(row.sha256)
    // Whoever knows where else it may be answers.
    if (bytes !== row.bytes) next(request, response)
    else this.#answer(request, response, { row, parts })
  }

  #rowFor({ method, url = '', headers }: IncomingMessage): FileRow | undefined {
    if ((method !== 'GET' && method !== 'HEAD') || !url.startsWith('/files/')) return undefined
    const [, sha256 = '', extension] = ADDRESS.exec(url) ?? []
    const row = sha256 === '' ? undefined : this.#options.served.known(sha256)
    // Moderators get what others do not.
    if (!row?.isShown || row.extension !== extension || hasSession(headers.cookie)) return undefined
    return row
  }

  #answer(
    request: IncomingMessage,
    response: ServerResponse,
    { row, parts }: { row: FileRow; parts: FastParts },
  ): void {
    const { method, headers } = request
    this.#options.network.wasRead(row.sha256)
    const head = [...headOf(row), ...Object.entries(this.#options.lent.given(request, row)).flat()]
    const etag = `"${row.sha256}"`
    if (isFresh(headers['if-none-match'], etag)) {
      response.writeHead(304, head.slice(2)).end()
      return
    }
    const range = rangeOf(headers, { bytes: row.bytes, etag })
    if (range === 'none') {
      response.writeHead(416, [...head, 'Content-Range', `bytes */${row.bytes}`, 'Content-Length', '0']).end()
      return
    }
    const { first, last } = range ?? { first: 0, last: row.bytes - 1 }
    const about = range ? ['Content-Range', `bytes ${first}-${last}/${row.bytes}`] : []
    response.writeHead(range ? 206 : 200, [...head, ...about, 'Content-Length', String(last - first + 1)])
    if (method === 'HEAD') response.end()
    else this.#send(response, { sha256: row.sha256, parts, position: first, end: last + 1 })
  }

  /** Sends one chunk after the other, each when the connection has taken the one before. */
  #send(
    response: ServerResponse,
    { sha256, parts, position, end }: { sha256: string; parts: FastParts; position: number; end: number },
  ): void {
    const into = this.#spare.pop() ?? Buffer.allocUnsafeSlow(CHUNK_BYTES)
    const length = Math.min(CHUNK_BYTES, end - position)
    parts.read(sha256, { into, position, length }, (error, bytesRead) => {
      if (error || !bytesRead || response.destroyed) {
        this.#keep(into)
        // The reader sees that there should be more.
        response.destroy()
        return
      }
      const at = position + bytesRead
      const chunk = bytesRead === into.length ? into : into.subarray(0, bytesRead)
      response.write(chunk, (problem?: Error | null) => {
        // What a broken connection still holds is not written into.
        if (problem) return
        this.#keep(into)
        if (at < end) this.#send(response, { sha256, parts, position: at, end })
      })
      if (at >= end) response.end()
    })
  }

  #keep(buffer: Buffer): void {
    if (this.#spare.length < MOST_SPARE) this.#spare.push(buffer)
  }
}

function headOf(row: FileRow): string[] {
  const known = heads.get(row)
  if (known) return known
  const { 'Content-Type': type = '', ...others } = serveHeaders(row)
  // The type comes first: what has not changed is answered without it.
  const all: Record<string, string> = {
    'Content-Type': type,
    ...others,
    'Accept-Ranges': 'bytes',
    ETag: `"${row.sha256}"`,
    'Referrer-Policy': 'no-referrer',
  }
  const head = Object.entries(all).flat()
  heads.set(row, head)
  return head
}

/** Whether whoever asks has it (RFC 9110, section 13.1.2). */
function isFresh(given: string | undefined, etag: string): boolean {
  if (given === undefined) return false
  return given.trim() === '*' || given.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag)
}
