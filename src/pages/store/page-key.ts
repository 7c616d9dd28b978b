import { chooseLanguage, languageInPath } from '../../i18n/choose.ts'
import { kindAt } from '../../kinds/base/registry.ts'
import { isHybridTime } from '../../ledger/clock.ts'

/** The parameters of addresses that make another page. Nobody makes new pages by inventing others. */
const OF_LISTINGS = ['before', 'after'] as const
const OF_ITEMS = ['comments'] as const
/** A place in a listing or among comments, as our own pages write it. */
const PLACE = /^([^_]{1,40})_[0-9a-z:]{0,100}$/
const ITEM_PATH = /^\/(?:[a-z]{2}\/)?([a-z]+)\/[0-9a-z]{26}$/
/** Servers in front look at so many parameters. */
const MOST_PARAMETERS = 20
/** Characters that stand in a path as they are; others are encoded. */
const PLAIN_PATH = /^[A-Za-z0-9/._~!*'()-]*$/
const EMPTY_OR_DOTS = /\/(?:\/|\.{1,2}(?:\/|$))/
const HOST = /^[a-z0-9.-]{1,253}(?::\d{1,5})?$|^\[[0-9a-f:.]{2,45}\](?::\d{1,5})?$/
const LONGEST = 1000
const MOST_HEADERS = 500
const LONGEST_HEADER = 200
/** Pages are kept for so many hosts at most: anybody can invent one. */
const MOST_HOSTS = 16
/** So many addresses are looked at once and then known. */
const MOST_ADDRESSES = 1000
const LONGEST_KNOWN = 200

/** The parts of a request that a page depends on. */
export interface PageRequestParts {
  /** As it was sent: path and query. */
  url: string
  /** Where the node has no public address of its own, pages name the host that they were asked for at. */
  host: string
  acceptLanguage: string
}

interface Address {
  /** Path and query as they stand in a key. */
  text: string
  /** Whether it says in which language the page is. */
  namesLanguage: boolean
}

/** Names pages by what was asked for. */
export class PageKeys {
  readonly #fallback: string
  readonly #namesHost: boolean
  readonly #languages = new Map<string, string>()
  readonly #hosts = new Set<string>()
  readonly #addresses = new Map<string, Address | undefined>()

  /** @param options.namesHost whether pages differ by the host that they were asked for at */
  constructor({ language, namesHost }: { language: string; namesHost: boolean }) {
    this.#fallback = language
    this.#namesHost = namesHost
  }

  /** The page's key, the same for all requests that get the same page; undefined for one that is never kept. */
  keyOf({ url, host, acceptLanguage }: PageRequestParts): string | undefined {
    const address = this.#addressOf(url)
    if (!address || (this.#namesHost && !this.#isKnownHost(host))) return undefined
    const language = address.namesLanguage ? '' : this.#languageFor(acceptLanguage)
    return `${this.#namesHost ? host : ''} ${language} ${address.text}`
  }

  /** Most readers ask for few addresses, and looking at one takes longer than everything else here. */
  #addressOf(url: string): Address | undefined {
    if (url.length > LONGEST_KNOWN) return addressOf(url)
    const known = this.#addresses.get(url)
    if (known || this.#addresses.has(url)) return known
    const address = addressOf(url)
    if (this.#addresses.size >= MOST_ADDRESSES) this.#addresses.clear()
    this.#addresses.set(url, address)
    return address
  }

  /** The key of a file: the same in all languages. Undefined for a host that nobody made known. */
  keyOfFile({ url, host }: Pick<PageRequestParts, 'url' | 'host'>): string | undefined {
    const [path = ''] = url.split('?')
    if (path.length > LONGEST || !isCanonical(path)) return undefined
    if (this.#namesHost && !this.#isKnownHost(host)) return undefined
    return `${this.#namesHost ? host : ''}  ${path}`
  }

  #isKnownHost(host: string): boolean {
    if (this.#hosts.has(host)) return true
    if (this.#hosts.size >= MOST_HOSTS || !HOST.test(host)) return false
    this.#hosts.add(host)
    return true
  }

  /** Browsers send few different headers. */
  #languageFor(header: string): string {
    const known = this.#languages.get(header)
    if (known !== undefined) return known
    const language = chooseLanguage(header, this.#fallback)
    if (header.length > LONGEST_HEADER) return language
    if (this.#languages.size >= MOST_HEADERS) this.#languages.clear()
    this.#languages.set(header, language)
    return language
  }
}

/** An address with what of it makes another page; undefined for one under which none is kept. */
function addressOf(url: string): Address | undefined {
  if (url.length > LONGEST) return undefined
  const mark = url.indexOf('?')
  const path = mark === -1 ? url : url.slice(0, mark)
  if (!isCanonical(path)) return undefined
  const query = mark === -1 ? '' : knownQuery(path, url.slice(mark + 1))
  if (query === undefined) return undefined
  return { text: path + query, namesLanguage: languageInPath(path) !== undefined }
}

/**
 * Whether a path is spelled as our own pages spell it. The same page answers to other spellings too, of which there is no
 * end (`/tags/%72iver`), so it is not kept under them.
 */
function isCanonical(path: string): boolean {
  if (!path.startsWith('/') || EMPTY_OR_DOTS.test(path)) return false
  if (path.length > 4 && path.endsWith('/')) return false
  if (PLAIN_PATH.test(path)) return true
  try {
    const parts = path.split('/').map((part) => encodeURIComponent(decodeURIComponent(part)))
    return parts.join('/') === path && !/%(?:00|2f|5c)/i.test(path)
  } catch {
    return false
  }
}

/** Whether it is the path of one item; one of its versions, or a tag that looks like an item's id, is none. */
export function isItemPath(path: string): boolean {
  const [, kind] = ITEM_PATH.exec(path) ?? []
  return kind !== undefined && kindAt(kind) !== undefined
}

/**
 * The parameter that counts on such an address: of several the one that the page reads. Undefined where its value is no
 * place as our pages write it, which is looked at and answered, but makes no page that is kept.
 */
function knownQuery(path: string, query: string): string | undefined {
  const pairs = query.split('&')
  if (pairs.length > MOST_PARAMETERS) return undefined
  const names: readonly string[] = isItemPath(path) ? OF_ITEMS : OF_LISTINGS
  for (const name of names) {
    const given = pairs.filter((pair) => pair === name || pair.startsWith(`${name}=`))
    const [pair = ''] = given
    if (given.length === 0) continue
    const place = pair.slice(name.length + 1)
    const decoded = place.replaceAll('%3A', ':')
    const [, at = ''] = PLACE.exec(decoded) ?? []
    const isOurs = given.length === 1 && isHybridTime(at) && encodeURIComponent(decoded) === place
    return isOurs ? `?${name}=${place}` : undefined
  }
  // A name that is encoded (`%62efore`) is another spelling of one that counts.
  return pairs.some((pair) => /^[^=]*%/.test(pair)) ? undefined : ''
}
