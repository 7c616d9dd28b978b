import { generateAtomFeed, generateJsonFeed, generateRssFeed } from 'feedsmith'
import { kindOf } from '../kinds/base/registry.ts'
import type { Enclosure } from '../kinds/base/kind.ts'
import { toldTime, wallTime } from '../ledger/clock.ts'
import type { SiteComment, SiteItem } from '../project/site-item.ts'
import type { Wording } from '../i18n/wording.ts'
import { enclosuresOf, filesShown, plainCover } from './enclosures.ts'
import { filePath } from './files.ts'
import { whenModel } from './calendar.ts'
import { renderMarkdown } from './markdown.ts'
import { pathOf, text } from './models.ts'

/** A listing as programs that read feeds take it. Addresses are absolute. */
export interface Feed {
  title: string
  description: string
  language: string
  /** The listing's page. */
  url: string
  /** The feed itself, without the ending that names its format. */
  self: string
  /** The feed of what is older, likewise with its query. */
  older?: string | undefined
  entries: readonly FeedEntry[]
}

export interface FeedEntry {
  /** The same on every node, so that a reader's program knows an entry again wherever it reads. */
  id: string
  url: string
  title: string
  summary: string
  /** The full text: HTML. */
  html: string
  author: string
  published: Date
  updated: Date
  tags: readonly string[]
  language: string
  enclosures: readonly Enclosure[]
  comments?: string
}

export const FEED_FORMATS = {
  atom: { type: 'application/atom+xml; charset=utf-8', make: atomFeed },
  rss: { type: 'application/rss+xml; charset=utf-8', make: rssFeed },
  json: { type: 'application/feed+json; charset=utf-8', make: jsonFeed },
} as const

export type FeedFormat = keyof typeof FEED_FORMATS

/** @param url this node's public address, without a slash at the end */
export function itemEntry(item: SiteItem, url: string, wording: Wording): FeedEntry {
  const { fields, listing, kind, _id } = item
  const path = url + pathOf(kind, _id)
  return {
    id: `urn:hyperactive:${_id}`,
    url: path,
    title: listing.title,
    summary: text(fields.summary),
    html: pictureOf(item, url) + whenOf(item, wording) + absolute(renderMarkdown(text(fields.body)), url),
    author: text(fields.author),
    published: new Date(toldTime(item.at, listing.dayOnly === true)),
    updated: new Date(toldTime(item.updatedAt, listing.dayOnly === true)),
    tags: listing.tags,
    language: listing.language,
    enclosures: [...(kindOf(kind)?.enclosures?.(fields) ?? []), ...enclosuresOf(item, url)],
    ...(kindOf(kind)?.comments ? { comments: `${path}#comments` } : {}),
  }
}

/** @param title of the item that it is on */
export function commentEntry(comment: SiteComment, title: string, url: string): FeedEntry {
  const { item, fields, at, _id } = comment
  const hash = _id.split(':').at(-1) ?? ''
  return {
    id: `urn:hyperactive:${_id}`,
    url: `${url}/comments/${item}/${hash}`,
    title: text(fields.title) || title,
    summary: '',
    html: absolute(renderMarkdown(text(fields.body)), url),
    author: text(fields.author),
    published: new Date(wallTime(at)),
    updated: new Date(wallTime(at)),
    tags: [],
    language: '',
    enclosures: [],
  }
}

/** When the newest change of what a feed holds was made. */
export function changedAt({ entries }: Pick<Feed, 'entries'>): Date | undefined {
  const times = entries.map(({ updated }) => updated.getTime())
  return times.length === 0 ? undefined : new Date(Math.max(...times))
}

/** RSS 2.0 with full texts. */
export function rssFeed(feed: Feed): string {
  const self = { href: `${feed.self}.rss`, rel: 'self', type: 'application/rss+xml' }
  return generateRssFeed({
    title: feed.title,
    link: feed.url,
    description: feed.description || feed.title,
    language: feed.language,
    atom: { links: [self, ...older(feed, 'rss')] },
    items: feed.entries.map((entry) => ({
      title: entry.title,
      link: entry.url,
      guid: { value: entry.id, isPermaLink: false },
      pubDate: entry.published,
      description: entry.summary || undefined,
      categories: entry.tags.map((name) => ({ name })),
      content: { encoded: entry.html },
      enclosures: entry.enclosures.map(({ address, type, bytes = 0 }) => ({
        url: address,
        type,
        length: bytes,
      })),
      ...(entry.comments === undefined ? {} : { comments: entry.comments }),
      ...(entry.author ? { dc: { creators: [entry.author] } } : {}),
    })),
  })
}

/** Atom (RFC 4287, paged by RFC 5005) with full texts. */
export function atomFeed(feed: Feed): string {
  return generateAtomFeed({
    id: feed.url,
    title: { value: feed.title },
    subtitle: { value: feed.description },
    updated: changedAt(feed) ?? new Date(0),
    links: [
      { href: feed.url },
      { href: `${feed.self}.atom`, rel: 'self', type: 'application/atom+xml' },
      ...older(feed, 'atom'),
    ],
    entries: feed.entries.map((entry) => ({
      id: entry.id,
      title: { value: entry.title },
      published: entry.published,
      updated: entry.updated,
      links: [
        { href: entry.url },
        ...entry.enclosures.map(({ address, type, bytes }) => ({
          href: address,
          rel: 'enclosure',
          type,
          ...(bytes === undefined ? {} : { length: bytes }),
        })),
      ],
      authors: [{ name: entry.author || feed.title }],
      categories: entry.tags.map((term) => ({ term })),
      ...(entry.summary ? { summary: { value: entry.summary } } : {}),
      content: { value: entry.html, type: 'html' },
    })),
  })
}

/** JSON Feed 1.1 with full texts. */
export function jsonFeed(feed: Feed): string {
  return `${JSON.stringify(
    generateJsonFeed({
      title: feed.title,
      description: feed.description,
      home_page_url: feed.url,
      feed_url: `${feed.self}.json`,
      language: feed.language,
      ...(feed.older === undefined ? {} : { next_url: withFormat(feed.older, 'json') }),
      items: feed.entries.map((entry) => ({
        id: entry.id,
        url: entry.url,
        title: entry.title,
        content_html: entry.html,
        date_published: entry.published,
        date_modified: entry.updated,
        ...(entry.summary ? { summary: entry.summary } : {}),
        ...(entry.author ? { authors: [{ name: entry.author }] } : {}),
        ...(entry.language ? { language: entry.language } : {}),
        ...(entry.tags.length > 0 ? { tags: [...entry.tags] } : {}),
        ...(entry.enclosures.length > 0 ? { attachments: entry.enclosures.map(attachment) } : {}),
      })),
    }),
  )}\n`
}

function attachment({ address, type, bytes }: Enclosure) {
  return { url: address, mime_type: type, ...(bytes === undefined ? {} : { size_in_bytes: bytes }) }
}

function older(feed: Feed, format: FeedFormat) {
  return feed.older === undefined ? [] : [{ href: withFormat(feed.older, format), rel: 'next' }]
}

/** "…/feed?before=…" with the format's ending before the query. */
function withFormat(address: string, format: FeedFormat): string {
  return address.replace(/(\?|$)/, `.${format}$1`)
}

/** When and where an event is: its text alone seldom says. */
function whenOf(item: SiteItem, wording: Wording): string {
  if (!item.occurrences) return ''
  const { times } = whenModel(item, wording, Date.now())
  const venue = text(item.fields.venue)
  const lines = times.map((time) =>
    [time.text, time.venue || venue].filter((part) => part !== '').join(' · '),
  )
  return `<p>${lines.map(escapeHtml).join('<br>')}</p>`
}

/** An item's first picture. */
function pictureOf(item: SiteItem, url: string): string {
  const cover = plainCover(filesShown(item))
  if (!cover) return ''
  const { width, height, alt } = cover
  const size = width && height ? ` width="${width}" height="${height}"` : ''
  return `<p><img src="${url}${filePath(cover)}" alt="${escapeHtml(alt)}"${size}></p>`
}

function escapeHtml(plain: string): string {
  return plain.replaceAll(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`)
}

/** Cleaned HTML with the site's own addresses made absolute: whoever reads a feed is elsewhere. */
function absolute(html: string, url: string): string {
  return html.replaceAll(/(href|src)="\/(?!\/)/g, `$1="${url}/`)
}
