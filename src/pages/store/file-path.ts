import { createHash } from 'node:crypto'
import type { StoredPage } from './stored-page.ts'

/** The folder of pages whose address names their language itself. */
const ANY_LANGUAGE = 'any'
/** The folder of pages that no address leads to by itself. */
const OTHERS = '_'
/** What file systems take for one name, less the endings of compressed forms and half-written files. */
const LONGEST_NAME = 200
const LONGEST_PATH = 1000
/** Pages for frames of other sites: their headers are not those of the others, and files have none of their own. */
const EMBEDDED = /\/embed(?:\/[0-9a-f]{64})?$/

/**
 * Where a page lies in the folder, so that a web server finds it by language and address:
 * `en/newswire/index.html`, `any/de/newswire/feed.atom`. Pages that depend on more than these, and those whose address
 * is no good path, lie under `_` by a hash of their key.
 */
export function filePath({ key, type }: Pick<StoredPage, 'key' | 'type'>): string {
  const [host = '', language = '', address = ''] = key.split(' ')
  const isPlain = host === '' && !address.includes('?') && !EMBEDDED.test(address)
  const path = isPlain ? pathOf(address, type) : undefined
  return path === undefined
    ? `${OTHERS}/${createHash('sha256').update(key).digest('hex')}`
    : `${language || ANY_LANGUAGE}${path}`
}

function pathOf(address: string, type: string): string | undefined {
  const isPage = type.startsWith('text/html')
  if (isPage && address === '/') return '/index.html'
  const path = decoded(address)
  if (path === undefined || path.length > LONGEST_PATH || !path.startsWith('/')) return undefined
  const names = path.slice(1).split('/')
  // Without an ending, a file might stand where pages need a folder; and a page's ending might be taken for its type.
  const last = names.at(-1) ?? ''
  if (isPage === last.includes('.')) return undefined
  return names.every(isName) ? `${path}${isPage ? '/index.html' : ''}` : undefined
}

function decoded(address: string): string | undefined {
  try {
    return decodeURIComponent(address)
  } catch {
    return undefined
  }
}

/** A name that is one everywhere, and hides no file. */
function isName(name: string): boolean {
  return /^[^./\\\p{Cc}:][^/\\\p{Cc}:]*$/u.test(name) && Buffer.byteLength(name) <= LONGEST_NAME
}
