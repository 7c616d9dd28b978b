import { readPeriod } from '../calendar/period.ts'
import { isLanguage } from '../i18n/messages.ts'
import type { Language } from '../i18n/messages.ts'
import { allKinds, kindAt } from '../kinds/base/registry.ts'
import { isHash } from '../ledger/document.ts'
import { isItemId } from '../ledger/item-id.ts'
import { folderName, pageName } from './file-name.ts'

/** An address of the site that a produced site has a file for. */
export interface Address {
  /** Names it, and is what the node is asked for: path and query, written one way. */
  key: string
  /** Its file, relative to the folder. */
  file: string
  /** Whether it is a page, whose links lead on. */
  isPage: boolean
  language: Language
  /** The item whose own page it is. */
  item?: string
  /** A period of the site's calendar: its file is there only where the period has something to show. */
  period?: string
  /** Which page of a listing: that before a place. */
  before?: string
  /** It asks for the page that comes after a place: the one that leads to where the link stands. */
  isNewer?: true
  /** The digest of the file that it is of: no page, but a picture, film or the like. */
  sha256?: string
  /** A listing whose entries stand in the months of the archive as well, so its pages do not go on for ever. */
  isBounded?: true
}

const FIRST_PARTS = new Set(
  'features promoted media hidden latest newswire clashes moderation archive tags places authors languages groups events calendar'.split(
    ' ',
  ),
)
const NOT_PAGED = new Set('clashes archive tags places authors languages groups events calendar'.split(' '))
const BOUNDED = new Set(['newswire', 'features', 'promoted', 'media', 'latest'])
const FEED = /^feed\.(?:atom|rss|json)$/
/** Podcasts, playlists and calendars beside pages. */
const OF_KINDS = new Set(['audio/podcast.rss', 'audio/playlist.m3u', 'videos/playlist.m3u'])
const OF_TAGS = new Set(['podcast.rss', 'playlist.m3u'])
const OF_GROUPS = new Set(['calendar.ics', 'playlist.m3u', 'podcast.rss'])
const FILE = /^([0-9a-f]{64})\.[a-z0-9]{1,8}$/
const MOST_KNOWN = 50_000

interface Pattern {
  file?: true
  paged?: true
  bounded?: boolean
  item?: string
  period?: string
  sha256?: string
}

/** Reads addresses of the site: which of them a produced site has, and in which file. */
export class Addresses {
  readonly #own: Language
  readonly #languages: ReadonlySet<Language>
  readonly #known = new Map<string, Address | undefined>()

  /**
   * @param own the language of what stands at the root
   * @param languages those that stand in a folder of their own
   */
  constructor(own: Language, languages: readonly Language[] = []) {
    this.#own = own
    this.#languages = new Set(languages.filter((language) => language !== own))
  }

  /** The addresses of all front pages. */
  get roots(): string[] {
    return ['/', ...[...this.#languages].map((language) => `/${language}`)]
  }

  /**
   * What stands at an address, path and query as they stand in a link without its fragment; undefined for what only a
   * node answers, such as a form or a search.
   */
  read(address: string): Address | undefined {
    const known = this.#known.get(address)
    if (known || this.#known.has(address)) return known
    const found = this.#read(address)
    if (this.#known.size >= MOST_KNOWN) this.#known.clear()
    this.#known.set(address, found)
    return found
  }

  #read(address: string): Address | undefined {
    const [path, query] = splitOnce(address, '?')
    const parts = partsOf(path)
    if (!parts) return undefined
    const [first = ''] = parts
    let language = this.#own
    let prefix: string[] = []
    if (isLanguage(first)) {
      parts.shift()
      if (this.#languages.has(first)) {
        language = first
        prefix = [first]
      } else if (first !== this.#own) return undefined
    }
    const pattern = patternOf(parts)
    if (!pattern) return undefined
    const { file: isFile = false, paged, bounded, item, period, sha256 } = pattern
    // Feeds and the like are for programs: there is one of each.
    if (isFile) prefix = []
    const key = `/${[...prefix, ...parts].map(encodeURIComponent).join('/')}`
    const folders = [...prefix, ...(isFile ? parts.slice(0, -1) : parts).map(folderName)]
    const at = {
      key,
      file: [...folders, isFile ? (parts.at(-1) ?? '') : 'index.html'].join('/'),
      isPage: !isFile,
      language,
      ...(item === undefined ? {} : { item }),
      ...(period === undefined ? {} : { period }),
      ...(sha256 === undefined ? {} : { sha256 }),
      ...(bounded ? { isBounded: true as const } : {}),
    }
    if (isFile || query === '') return at
    const asked = new URLSearchParams(query)
    const [before, comments] = [asked.get('before'), asked.get('comments')]
    const named = (name: string, value: string) => ({
      ...at,
      key: `${key}?${name}=${encodeURIComponent(value)}`,
      file: [...folders, pageName(name, value)].join('/'),
    })
    if (paged && before !== null) return { ...named('before', before), before }
    if (paged && asked.has('after')) return { ...at, isNewer: true }
    return item !== undefined && comments !== null ? named('comments', comments) : at
  }
}

/** The parts of a path, decoded; undefined for one that no node has. */
function partsOf(path: string): string[] | undefined {
  if (!path.startsWith('/') || path.length > 2000) return undefined
  try {
    const parts = path.slice(1).split('/').map(decodeURIComponent)
    while (parts.at(-1) === '') parts.pop()
    return parts.includes('') ? undefined : parts
  } catch {
    return undefined
  }
}

function patternOf(parts: readonly string[]): Pattern | undefined {
  const [first = '', second = '', third = ''] = parts
  const kind = kindAt(first)
  const isListing = FIRST_PARTS.has(first) || kind !== undefined
  const isGroup = first === 'groups' && isItemId(second)
  const isTerm = first === 'tags' || first === 'places'
  if (parts.length === 0) return {}
  if (parts.length === 1) {
    if (['robots.txt', 'sitemap.xml', 'calendar.ics'].includes(first)) return { file: true }
    if (!isListing) return undefined
    return NOT_PAGED.has(first)
      ? {}
      : { paged: true, bounded: BOUNDED.has(first) || inNewswire.has(kind?.name ?? '') }
  }
  if (parts.length === 2) {
    if (isTerm) return { paged: true }
    if (first === 'authors') return { paged: true, bounded: true }
    if (first === 'languages') return { paged: true, bounded: true }
    if (first === 'archive') return /^\d{4}$/.test(second) ? { paged: true, bounded: true } : undefined
    if (first === 'calendar') return periodOf(second)
    if (first === 'assets') return /^[a-z0-9-]+\.[a-z0-9]+$/.test(second) ? { file: true } : undefined
    if (first === 'files') return fileOf(second)
    if (first === 'sitemap') return /^[a-z0-9-]+\.xml$/.test(second) ? { file: true } : undefined
    if (OF_KINDS.has(`${first}/${second}`)) return { file: true }
    if (FEED.test(second)) return isListing && !NO_FEED.has(first) ? { file: true } : undefined
    return kind && isItemId(second) ? { item: second } : undefined
  }
  if (parts.length === 3) {
    if (first === 'archive')
      return /^\d{4}$/.test(second) && /^(?:0[1-9]|1[0-2])$/.test(third) ? { paged: true } : undefined
    if (first === 'calendar') return periodOf(`${second}/${third}`)
    if (first === 'comments') return isItemId(second) && isHash(third) ? {} : undefined
    if (first === 'tags') return OF_TAGS.has(third) ? { file: true } : undefined
    if (first === 'events') return isItemId(second) && third === 'calendar.ics' ? { file: true } : undefined
    if (!isGroup) return undefined
    if (third === 'newswire') return { paged: true }
    if (third === 'calendar') return {}
    return OF_GROUPS.has(third) ? { file: true } : undefined
  }
  if (parts.length === 4 && isGroup && third === 'newswire' && FEED.test(parts[3] ?? ''))
    return { file: true }
  return undefined
}

const NO_FEED = new Set('hidden clashes moderation archive tags places authors languages calendar'.split(' '))

/** Kinds whose items are in the newswire, and so in the archive. */
const inNewswire = new Set(
  allKinds()
    .filter((kind) => kind.sections({}).includes('newswire'))
    .map(({ name }) => name),
)

function fileOf(name: string): Pattern | undefined {
  const [, sha256] = FILE.exec(name) ?? []
  return sha256 === undefined ? undefined : { file: true, sha256 }
}

function periodOf(text: string): Pattern | undefined {
  return readPeriod(text) ? { period: text } : undefined
}

function splitOnce(text: string, mark: string): [string, string] {
  const at = text.indexOf(mark)
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}
