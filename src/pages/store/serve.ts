import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { Encoding, StoredPage } from './stored-page.ts'

/** Answers with a stored page: the form that the browser takes, or 304 when it has it (RFC 9110, sections 12.5.3 and 13). */
export function servePage(
  request: IncomingMessage,
  response: ServerResponse,
  page: StoredPage,
  cacheControl: string,
): void {
  const { headers, method } = request
  const encoding = encodingFor(headers['accept-encoding'], page)
  const etag = encoding === 'identity' ? `"${page.etag}"` : `"${page.etag}-${encoding}"`
  const lastModified = new Date(page.changedMs).toUTCString()
  const fields: Record<string, string | number> = {
    ...page.headers,
    'Content-Type': page.type,
    'Cache-Control': cacheControl,
    ETag: etag,
    'Last-Modified': lastModified,
  }
  if (isFresh(headers, page)) {
    response.writeHead(304, fields)
    response.end()
    return
  }
  const body = page.forms[encoding] ?? page.body
  if (encoding !== 'identity') fields['Content-Encoding'] = encoding
  fields['Content-Length'] = body.length
  response.writeHead(page.status, fields)
  response.end(method === 'HEAD' ? undefined : body)
}

/** Whether the browser has this content, in whatever form. A tag counts before a time. */
export function isFresh(headers: IncomingHttpHeaders, page: Pick<StoredPage, 'etag' | 'changedMs'>): boolean {
  const { 'if-none-match': ifNoneMatch, 'if-modified-since': ifModifiedSince } = headers
  if (ifNoneMatch !== undefined) {
    if (ifNoneMatch.trim() === '*') return true
    return ifNoneMatch.split(',').some((tag) => {
      const [, content] = /^(?:W\/)?"([\w-]{22})(?:-(?:br|gzip))?"$/.exec(tag.trim()) ?? []
      return content === page.etag
    })
  }
  if (ifModifiedSince === undefined) return false
  // Dates in headers have whole seconds.
  return Math.floor(page.changedMs / 1000) * 1000 <= Date.parse(ifModifiedSince)
}

function encodingFor(accepted: string | undefined, { forms }: StoredPage): Encoding {
  if (accepted === undefined) return 'identity'
  if (forms.br && takes(accepted, 'br')) return 'br'
  return forms.gzip && takes(accepted, 'gzip') ? 'gzip' : 'identity'
}

/** Whether `Accept-Encoding` names a coding with a weight above nought. */
function takes(accepted: string, coding: string): boolean {
  const at = accepted.indexOf(coding)
  if (at === -1) return false
  return !/^\s*;\s*q=0(?:\.0*)?\s*(?:,|$)/.test(accepted.slice(at + coding.length))
}
