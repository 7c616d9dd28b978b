import { generateAtomFeed, generateRssFeed } from 'feedsmith'
import { wallTime } from '../ledger/clock.ts'
import type { SiteItem } from '../project/site-item.ts'
import { renderMarkdown } from './markdown.ts'
import { pathOf, text } from './models.ts'

export interface FeedSite {
  name: string
  description: string
  language: string
  /** The public address, without a slash at the end. */
  url: string
}

/** An RSS 2.0 feed with full texts. */
export function rssFeed(site: FeedSite, items: readonly SiteItem[]): string {
  return generateRssFeed({
    title: site.name,
    link: `${site.url}/`,
    description: site.description,
    language: site.language,
    items: items.map((item) => ({
      title: text(item.fields.title),
      link: site.url + pathOf(item.kind, item._id),
      guid: { value: guidOf(item), isPermaLink: false },
      pubDate: new Date(wallTime(item.at)),
      description: text(item.fields.summary) || undefined,
      categories: item.listing.tags.map((name) => ({ name })),
      content: { encoded: renderMarkdown(text(item.fields.body)) },
      ...(item.fields.author ? { dc: { creators: [text(item.fields.author)] } } : {}),
    })),
  })
}

/** An Atom feed (RFC 4287) with full texts. */
export function atomFeed(site: FeedSite, items: readonly SiteItem[]): string {
  const updated = items
    .map(({ updatedAt }) => updatedAt)
    .sort()
    .at(-1)
  return generateAtomFeed({
    id: `${site.url}/`,
    title: { value: site.name },
    subtitle: { value: site.description },
    updated: new Date(updated === undefined ? 0 : wallTime(updated)),
    links: [
      { href: `${site.url}/` },
      { href: `${site.url}/newswire.atom`, rel: 'self', type: 'application/atom+xml' },
    ],
    entries: items.map((item) => ({
      id: guidOf(item),
      title: { value: text(item.fields.title) },
      published: new Date(wallTime(item.at)),
      updated: new Date(wallTime(item.updatedAt)),
      links: [{ href: site.url + pathOf(item.kind, item._id) }],
      authors: [{ name: text(item.fields.author) || site.name }],
      categories: item.listing.tags.map((term) => ({ term })),
      ...(item.fields.summary ? { summary: { value: text(item.fields.summary) } } : {}),
      content: { value: renderMarkdown(text(item.fields.body)), type: 'html' },
    })),
  })
}

/** The same on every node, so that a reader's program knows an entry again wherever it reads. */
function guidOf(item: SiteItem): string {
  return `urn:hyperactive:${item._id}`
}
