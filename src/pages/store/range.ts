import type { IncomingHttpHeaders } from 'node:http'

/** Bytes from the first to the last, both included. */
export interface ByteRange {
  first: number
  last: number
}

/**
 * The part of a file of so many bytes that a request asks for (RFC 9110, section 14): undefined for the whole, which is
 * also the answer to several parts and to what cannot be read; "none" if there is no such part.
 *
 * @param etag the entity tag of what would be sent, with its quotes: for `If-Range`
 */
export function rangeOf(
  { range, 'if-range': ifRange }: IncomingHttpHeaders,
  { bytes, etag }: { bytes: number; etag: string },
): ByteRange | 'none' | undefined {
  // A date is too coarse to say that a part is of the same content.
  if (range === undefined || (ifRange !== undefined && ifRange !== etag)) return undefined
  const [, from = '', to = ''] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(range) ?? []
  if (from === '' && to === '') return undefined
  if (from === '') return to === '0' ? 'none' : { first: Math.max(bytes - Number(to), 0), last: bytes - 1 }
  const first = Number(from)
  if (to !== '' && Number(to) < first) return undefined
  return first >= bytes ? 'none' : { first, last: to === '' ? bytes - 1 : Math.min(Number(to), bytes - 1) }
}
