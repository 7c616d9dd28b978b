import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import type { Reads } from '../../reads.ts'

const toGzip = promisify(gzip)
const toBrotli = promisify(brotliCompress)

export type Encoding = 'identity' | 'gzip' | 'br'

/** A rendered page with what it was made of. */
export interface StoredPage {
  /** Names it: {@link PageKey} says how. */
  key: string
  body: Buffer
  /** Its compressed forms, as soon as they are made. */
  forms: Partial<Record<Encoding, Buffer>>
  type: string
  /** A strong entity tag of the content, without quotes; its compressed forms add their name. */
  etag: string
  /** Milliseconds since 1970 at which this content was first made. */
  changedMs: number
  status: number
  /** Further headers, such as the content security policy. */
  headers: Readonly<Record<string, string>>
  reads: Reads
  /** How often it was asked for since it was made. */
  asked: number
}

export function etagOf(body: Buffer): string {
  return createHash('sha256').update(new Uint8Array(body)).digest('base64url').slice(0, 22)
}

/** Compresses a page once, for all who ask for it. */
export async function compressForms(page: StoredPage): Promise<void> {
  const brotli = {
    params: { [constants.BROTLI_PARAM_QUALITY]: 5, [constants.BROTLI_PARAM_SIZE_HINT]: page.body.length },
  }
  const [compressed, zipped] = await Promise.all([
    toBrotli(page.body, brotli),
    toGzip(page.body, { level: 6 }),
  ])
  page.forms.br = compressed
  page.forms.gzip = zipped
}
