import { createHash } from 'node:crypto'
import { parseFeed } from 'feedsmith'
import { HyperactiveError, messageOf } from '../errors.ts'
import { parseDate } from '../import/piece.ts'
import { isWebAddress } from '../kinds/base/fields.ts'
import { plainLine } from './feed-text.ts'

/** Most entries that are kept of a feed, and most letters of each field. */
export const FEED_LIMITS = { entries: 50, title: 200, summary: 500, address: 1000 } as const

const TITLE_FROM_SUMMARY = 80
const EARLIEST_MS = Date.UTC(1900, 0)

/** One entry of a feed. Everything in it was written by strangers: it is plain text, to be escaped as any other. */
export interface FeedEntry {
  /** Tells it from the feed's other entries, and stays the same: a hash of what the feed calls it. */
  id: string
  title: string
  /** http or https. */
  address?: string
  /** ISO 8601, never later than the fetch. */
  date?: string
  summary?: string
}

export interface Feed {
  title: string
  /** Newest first where all have a date, else in the feed's own order. */
  entries: FeedEntry[]
}

/** What was fetched, with what is needed to read it. */
export interface FeedSource {
  bytes: Uint8Array
  /** As the server named it; may be empty. */
  contentType: string
  /** Where it was fetched; relative addresses in it are taken from here. */
  address: string
  /** Milliseconds since 1970. */
  fetchedAtMs: number
}

/** What all formats have in common. */
interface Raw {
  id?: string | undefined
  title?: string | undefined
  links: (string | undefined)[]
  date?: string | undefined
  texts: (string | undefined)[]
}

/**
 * Reads RSS, Atom, RDF or JSON Feed. It may take long or much memory when the source is hostile:
 * {@link ./read-apart.ts} bounds both.
 *
 * @throws HyperactiveError `feed_malformed` when it is none of these
 */
export function readFeed({ bytes, contentType, address, fetchedAtMs }: FeedSource): Feed {
  const { title, raw } = parse(decode(bytes, contentType))
  const dated = raw.map((entry) => ({ entry, dateMs: dateOf(entry.date, fetchedAtMs) }))
  if (dated.every(({ dateMs }) => dateMs !== undefined))
    dated.sort((a, b) => (b.dateMs ?? 0) - (a.dateMs ?? 0))
  const entries = new Map<string, FeedEntry>()
  for (const { entry, dateMs } of dated) {
    if (entries.size >= FEED_LIMITS.entries) break
    const read = readEntry(entry, dateMs, address)
    if (read && !entries.has(read.id)) entries.set(read.id, read)
  }
  return { title: plainLine(title ?? '', FEED_LIMITS.title), entries: [...entries.values()] }
}

function readEntry(
  { id, title, links, texts }: Raw,
  dateMs: number | undefined,
  base: string,
): FeedEntry | undefined {
  const address = links.map((link) => webAddress(link, base)).find((link) => link !== undefined)
  const summary = texts.map((text) => plainLine(text ?? '', FEED_LIMITS.summary)).find((text) => text !== '')
  const name = plainLine(title ?? '', FEED_LIMITS.title) || plainLine(summary ?? '', TITLE_FROM_SUMMARY)
  if (name === '') return undefined
  const called = id ?? address ?? `${name}\n${summary ?? ''}`
  return {
    id: createHash('sha256').update(called).digest('hex').slice(0, 32),
    title: name,
    ...(address === undefined ? {} : { address }),
    ...(dateMs === undefined ? {} : { date: new Date(dateMs).toISOString() }),
    ...(summary === undefined ? {} : { summary }),
  }
}

function webAddress(link: string | undefined, base: string): string | undefined {
  const text = link?.trim()
  if (!text || text.length > FEED_LIMITS.address || !URL.canParse(text, base)) return undefined
  const { href } = new URL(text, base)
  return isWebAddress(href) && href.length <= FEED_LIMITS.address ? href : undefined
}

function dateOf(date: string | undefined, latestMs: number): number | undefined {
  const dateMs = date === undefined || date.length > 100 ? undefined : parseDate(date)
  return dateMs === undefined || dateMs < EARLIEST_MS ? undefined : Math.min(dateMs, latestMs)
}

/** The text of what was fetched: a byte order mark says how it is encoded, or else the server, or else the XML. */
function decode(bytes: Uint8Array, contentType: string): string {
  const [first, second] = bytes
  const start = Buffer.from(bytes.subarray(0, 300)).toString('latin1')
  let label = /;\s*charset\s*=\s*"?([\w.:-]{1,40})/i.exec(contentType)?.[1]
  label ??= /^\s*<\?xml\s[^>]{0,200}?encoding\s*=\s*["']([\w.:-]{1,40})["']/i.exec(start)?.[1]
  if (first === 0xfe && second === 0xff) label = 'utf-16be'
  if (first === 0xff && second === 0xfe) label = 'utf-16le'
  if (start.startsWith('\u00ef\u00bb\u00bf')) label = 'utf-8'
  return decoder(label ?? 'utf-8').decode(bytes)
}

function decoder(label: string) {
  try {
    return new TextDecoder(label)
  } catch {
    return new TextDecoder()
  }
}

function parseText(text: string) {
  try {
    return parseFeed(text)
  } catch (error) {
    const reason = `what stands there is no RSS, Atom, RDF or JSON feed: ${messageOf(error)}`
    throw new HyperactiveError('feed_malformed', reason, { status: 502, cause: error })
  }
}

function parse(text: string): { title: string | undefined; raw: Raw[] } {
  const { format, feed } = parseText(text)
  if (format === 'rss') {
    const raw = (feed.items ?? []).map(({ guid, title, link, pubDate, dc, description, content, atom }) => ({
      id: guid?.value ?? link,
      title,
      links: [
        link,
        guid?.isPermaLink === false ? undefined : guid?.value,
        ...(atom?.links ?? []).map(({ href }) => href),
      ],
      date: pubDate ?? dc?.dates?.[0],
      texts: [description, content?.encoded],
    }))
    return { title: feed.title, raw }
  }
  if (format === 'atom') {
    const raw = (feed.entries ?? []).map(({ id, title, links, published, updated, summary, content }) => ({
      id,
      title: title?.value,
      links: (links ?? []).filter(({ rel }) => (rel ?? 'alternate') === 'alternate').map(({ href }) => href),
      date: published ?? updated,
      texts: [summary?.value, content?.value],
    }))
    return { title: feed.title?.value, raw }
  }
  if (format === 'rdf') {
    const raw = (feed.items ?? []).map(({ rdf, title, link, dc, description, content }) => ({
      id: rdf?.about ?? link,
      title,
      links: [link],
      date: dc?.dates?.[0],
      texts: [description, content?.encoded],
    }))
    return { title: feed.title, raw }
  }
  const raw = (feed.items ?? []).map((item) => ({
    id: item.id,
    title: item.title,
    links: [item.url, item.external_url],
    date: item.date_published ?? item.date_modified,
    texts: [item.summary, item.content_text, item.content_html],
  }))
  return { title: feed.title, raw }
}
