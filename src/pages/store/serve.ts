import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { cacheControlOf } from './lifetime.ts'
import type { Lifetimes } from './lifetime.ts'
import { rangeOf } from './range.ts'
import type { ByteRange } from './range.ts'
import type { Encoding, StoredPage } from './stored-page.ts'

/** From this size on, parts can be asked for. */
const LARGE_BYTES = 100_000

/** Headers of a page's answers, as flat lists; they hold for a second, by which its age has changed. */
interface Heads {
  second: number
  lists: Partial<Record<Encoding, Head>>
}

interface Head {
  /** Of all answers, 304 among them. */
  common: string[]
  /** Of the whole page. */
  whole: string[]
}

const heads = new WeakMap<StoredPage, Heads>()

/** Answers with a stored page: the form that the browser takes, or 304 when it has it (RFC 9110, sections 12.5.3 and 13). */
export function servePage(
  request: IncomingMessage,
  response: ServerResponse,
  page: StoredPage,
  lifetimes: Lifetimes,
): void {
  const { headers, method } = request
  const encoding = encodingFor(headers, page)
  const { common: head, whole } = headOf(page, encoding, lifetimes)
  if (isFresh(headers, page)) {
    response.writeHead(304, head).end()
    return
  }
  const body = bodyOf(page, encoding)
  if (headers.range !== undefined && encoding === 'identity' && body.length >= LARGE_BYTES) {
    const range = rangeOf(headers, { bytes: body.length, etag: tagOf(page, encoding) })
    if (range) {
      servePart(response, { body, head, range, isHead: method === 'HEAD' })
      return
    }
  }
  response.writeHead(page.status, whole)
  response.end(method === 'HEAD' ? undefined : body)
}

function servePart(
  response: ServerResponse,
  { body, head, range, isHead }: { body: Buffer; head: string[]; range: ByteRange | 'none'; isHead: boolean },
): void {
  if (range === 'none') {
    response.writeHead(416, [...head, 'Content-Range', `bytes */${body.length}`, 'Content-Length', '0']).end()
    return
  }
  const { first, last } = range
  const part = [
    'Content-Range',
    `bytes ${first}-${last}/${body.length}`,
    'Content-Length',
    `${last - first + 1}`,
  ]
  response.writeHead(206, [...head, ...part])
  response.end(isHead ? undefined : body.subarray(first, last + 1))
}

/** Pages are asked for thousands of times a second, so their headers are not put together each time. */
function headOf(page: StoredPage, encoding: Encoding, lifetimes: Lifetimes): Head {
  const nowMs = Date.now()
  const second = Math.floor(nowMs / 1000)
  let known = heads.get(page)
  if (known?.second !== second) {
    known = { second, lists: {} }
    heads.set(page, known)
  }
  return (known.lists[encoding] ??= makeHead(page, encoding, cacheControlOf(page, lifetimes, nowMs)))
}

function makeHead(page: StoredPage, encoding: Encoding, cacheControl: string): Head {
  const common = [
    ...Object.entries(page.headers).flat(),
    'Content-Type',
    page.type,
    'Cache-Control',
    cacheControl,
    'ETag',
    tagOf(page, encoding),
    ...(page.reads.isDayOnly ? [] : ['Last-Modified', new Date(page.changedMs).toUTCString()]),
    ...(encoding === 'identity' ? [] : ['Content-Encoding', encoding]),
    ...(page.body.length >= LARGE_BYTES ? ['Accept-Ranges', 'bytes'] : []),
  ]
  return { common, whole: [...common, 'Content-Length', String(bodyOf(page, encoding).length)] }
}

function bodyOf({ forms, body }: StoredPage, encoding: Encoding): Buffer {
  return forms[encoding] ?? body
}

function tagOf({ etag }: StoredPage, encoding: Encoding): string {
  return encoding === 'identity' ? `"${etag}"` : `"${etag}-${encoding}"`
}

/** Whether the browser has this content, in whatever form. A tag counts before a time. */
export function isFresh(
  headers: IncomingHttpHeaders,
  page: Pick<StoredPage, 'etag' | 'changedMs' | 'reads'>,
): boolean {
  const { 'if-none-match': ifNoneMatch, 'if-modified-since': ifModifiedSince } = headers
  if (ifNoneMatch !== undefined) {
    if (ifNoneMatch.trim() === '*') return true
    return ifNoneMatch.split(',').some((tag) => {
      const [, content] = /^(?:W\/)?"([\w-]{22})(?:-(?:br|gzip))?"$/.exec(tag.trim()) ?? []
      return content === page.etag
    })
  }
  if (ifModifiedSince === undefined || page.reads.isDayOnly) return false
  // Dates in headers have whole seconds.
  return Math.floor(page.changedMs / 1000) * 1000 <= Date.parse(ifModifiedSince)
}

/** Whoever asks for a part wants it of the plain form. */
function encodingFor(
  { 'accept-encoding': accepted, range }: IncomingHttpHeaders,
  { body, forms }: StoredPage,
): Encoding {
  if (accepted === undefined || (range !== undefined && body.length >= LARGE_BYTES)) return 'identity'
  if (forms.br && takes(accepted, 'br')) return 'br'
  return forms.gzip && takes(accepted, 'gzip') ? 'gzip' : 'identity'
}

/** Whether `Accept-Encoding` names a coding with a weight above nought. */
function takes(accepted: string, coding: string): boolean {
  const at = accepted.indexOf(coding)
  if (at === -1) return false
  return !/^\s*;\s*q=0(?:\.0*)?\s*(?:,|$)/.test(accepted.slice(at + coding.length))
}
