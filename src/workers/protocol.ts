import { timingSafeEqual } from 'node:crypto'
import type { Change } from '../pages/store/dependencies.ts'
import type { StoredPage } from '../pages/store/stored-page.ts'
import { Reads } from '../reads.ts'
import type { RangeRead } from '../reads.ts'

/**
 * What a front and its node say to each other beside the requests that the front passes on. The header is the only one:
 * in requests the secret and what is wanted, in answers whether the node keeps the page. No client's own is passed on.
 */
export const HEADER = 'hyperactive-front'

/** A request passed on, a copy of a kept page, or everything that kept pages are told. */
export type Wanted = 'answer' | 'copy' | 'changes'

/** What an answer's header says of a page that the front may ask a copy of. */
export const KEPT = 'kept'

export function ask(secret: string, wanted: Wanted): string {
  return `${wanted} ${secret}`
}

/** What a request asks for in the name of a front; undefined for everybody else's. */
export function wantedBy(header: string | string[] | undefined, secret: string): Wanted | undefined {
  const [wanted, given = ''] = String(header ?? '').split(' ')
  if (wanted !== 'answer' && wanted !== 'copy' && wanted !== 'changes') return undefined
  const [known, sent] = [secret, given].map((text) => Uint8Array.from(Buffer.from(text)))
  if (!known || known.length !== sent?.length || !timingSafeEqual(known, sent)) return undefined
  return wanted
}

/** One line of what kept pages are told; the first one says only where the count stands. */
export interface ToldLine {
  /** The count of changes in the node's store. */
  number: number
  /** Which line it is; who has taken it in says so. */
  line?: number
  change?: Change
  /** Keys of pages that hold, and are not to be given out without asking. */
  drop?: readonly string[]
  /** It is the first one: nothing from before it is known. */
  first?: true
  /** Nothing has happened; the connection lives. */
  idle?: true
}

/** A line that a front says: which line it has taken in with all before it, or pages that it was asked for since. */
export type SaidLine = number | [key: string, times: number][]

/**
 * What a node has told.
 *
 * @throws Error for a text that no node says
 */
export function toldLine(text: string): ToldLine {
  const told = JSON.parse(text) as Partial<ToldLine> | null
  if (typeof told?.number !== 'number') throw new Error('this is no line of a node')
  return { ...told, number: told.number }
}

export function lineOf(told: ToldLine | SaidLine): string {
  return `${JSON.stringify(told)}\n`
}

/** A kept page as it stands in the node's store, and the number of the latest change that it has outlived. */
export interface PageCopy {
  page: StoredPage
  number: number
}

interface CopyHead extends Omit<StoredPage, 'body' | 'forms' | 'reads' | 'asked'> {
  number: number
  reads: { documents: string[]; ranges: RangeRead[]; names: string[]; untilMs: number | null }
  bytes: { body: number; br: number; gzip: number }
}

/** A copy as bytes: the length of its head, the head as JSON, then the body in its three forms. */
export function packCopy({ page, number }: PageCopy): Buffer {
  const { key, type, etag, changedMs, status, headers, body, forms, reads } = page
  const { documents, ranges, names, untilMs } = reads
  const { br = Buffer.alloc(0), gzip = Buffer.alloc(0) } = forms
  const head: CopyHead = {
    key,
    type,
    etag,
    changedMs,
    status,
    headers,
    number,
    reads: {
      documents: [...documents],
      ranges,
      names: [...names],
      untilMs: Number.isFinite(untilMs) ? untilMs : null,
    },
    bytes: { body: body.length, br: br.length, gzip: gzip.length },
  }
  const json = Buffer.from(JSON.stringify(head))
  const length = Buffer.alloc(4)
  length.writeUInt32BE(json.length)
  return Buffer.concat([length, json, body, br, gzip].map((bytes) => Uint8Array.from(bytes)))
}

export function unpackCopy(packed: Buffer): PageCopy {
  let at = 4 + packed.readUInt32BE()
  const { number, reads: read, bytes, ...rest } = JSON.parse(packed.toString('utf8', 4, at)) as CopyHead
  // Each form in memory of its own, so that none holds on to the others.
  const take = (length: number) => Buffer.from(packed.subarray(at, (at += length)))
  const body = take(bytes.body)
  const [br, gzip] = [take(bytes.br), take(bytes.gzip)]
  const reads = new Reads()
  for (const id of read.documents) reads.documents.add(id)
  for (const name of read.names) reads.names.add(name)
  reads.ranges.push(...read.ranges)
  reads.untilMs = read.untilMs ?? Infinity
  const forms = { ...(br.length > 0 ? { br } : {}), ...(gzip.length > 0 ? { gzip } : {}) }
  return { number, page: { ...rest, body, forms, reads, asked: 0 } }
}
