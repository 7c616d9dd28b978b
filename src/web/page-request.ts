import type { IncomingMessage } from 'node:http'
import type { PageKeys } from '../pages/store/page-key.ts'
import { hasSession } from './people/cookie.ts'

/** The key of the page that a request may be answered with from what is kept; undefined for all others. */
export function pageKeyOf(
  { method, url = '', headers }: IncomingMessage,
  keys: PageKeys,
): string | undefined {
  if ((method !== 'GET' && method !== 'HEAD') || hasSession(headers.cookie)) return undefined
  return keys.keyOf({
    url,
    host: headers.host ?? '',
    acceptLanguage: headers['accept-language'] ?? '',
  })
}
