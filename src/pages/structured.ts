import { isDayTime, wallTime } from '../ledger/clock.ts'
import type { KnownFile } from '../project/media.ts'
import type { SiteItem } from '../project/site-item.ts'
import { filesShown, plainCover } from './enclosures.ts'
import { fileData } from './structured-files.ts'
import { filePath } from './files.ts'
import { pathOf, text } from './models.ts'

/** What other sites and search engines are told of a page. */
export interface Card {
  /** The page's one address, whatever language its interface is read in. */
  canonical: string
  type: 'article' | 'website'
  title: string
  description: string
  /** A picture for it. */
  picture?: { url: string; alt: string; width: number | undefined; height: number | undefined }
  /** schema.org data as JSON that is safe inside a `script` element. */
  data?: string
}

/** What an item's page says of itself: an open-graph card, and schema.org's NewsArticle or Event. */
export function cardOf(item: SiteItem, site: { name: string; url: string }): Card {
  const canonical = site.url + pathOf(item.kind, item._id)
  const { title, summary } = item.listing
  const data = item.occurrences
    ? eventData(item)
    : item.sections.includes('newswire')
      ? articleData(item)
      : undefined
  const files = filesShown(item)
  const cover = plainCover(files)
  return {
    canonical,
    type: 'article',
    title,
    description: summary,
    ...(cover ? { picture: pictureOf(cover, site.url) } : {}),
    ...(data
      ? {
          data: safeJson({
            '@context': 'https://schema.org',
            ...data,
            ...fileData(item, site.url),
            url: canonical,
            inLanguage: item.listing.language,
            publisher: { '@type': 'NewsMediaOrganization', name: site.name, url: `${site.url}/` },
          }),
        }
      : {}),
  }
}

function pictureOf({ alt, width, height, ...file }: KnownFile & { alt: string }, url: string) {
  return { url: url + filePath(file), alt, width, height }
}

function articleData(item: SiteItem): object {
  const { title, summary, author, tags, dayOnly } = item.listing
  return {
    '@type': 'NewsArticle',
    headline: title,
    ...(summary === '' ? {} : { description: summary }),
    datePublished: isoOf(item.at, dayOnly),
    dateModified: isoOf(item.updatedAt, dayOnly),
    ...(author === undefined ? {} : { author: { '@type': 'Person', name: author } }),
    ...(tags.length > 0 ? { keywords: tags.join(', ') } : {}),
  }
}

/** The next occurrence, or the last one of an event that is over. */
function eventData(item: SiteItem): object | undefined {
  const all = item.occurrences ?? []
  const now = new Date().toISOString()
  const next = all.find(({ end }) => end > now) ?? all.at(-1)
  if (!next) return undefined
  const { venue, organiser, latitude, longitude } = item.fields
  const place = next.venue ?? text(venue)
  const { title, summary } = item.listing
  return {
    '@type': 'Event',
    name: next.title ?? title,
    ...(summary === '' ? {} : { description: summary }),
    startDate: next.localStart.length === 10 ? next.localStart : next.start,
    ...(next.localEnd === undefined
      ? {}
      : { endDate: next.localEnd.length === 10 ? next.localEnd : next.end }),
    eventStatus: 'https://schema.org/EventScheduled',
    ...(place === ''
      ? {}
      : {
          location: {
            '@type': 'Place',
            name: place,
            address: place,
            ...(latitude === undefined ? {} : { geo: { '@type': 'GeoCoordinates', latitude, longitude } }),
          },
        }),
    ...(typeof organiser === 'string' ? { organizer: { '@type': 'Organization', name: organiser } } : {}),
  }
}

/** JSON in which nothing can end the element that it stands in. */
function safeJson(value: object): string {
  return JSON.stringify(value).replaceAll(
    /[<>&\u2028\u2029]/g,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

function isoOf(at: string, dayOnly = false): string {
  const iso = new Date(wallTime(at)).toISOString()
  return dayOnly || isDayTime(at) ? iso.slice(0, 10) : iso
}
