import { generateRssFeed } from 'feedsmith'
import { toldTime } from '../ledger/clock.ts'
import type { SiteItem } from '../project/site-item.ts'
import { filesShown, isForPodcasts, plainCover, playedOf } from './enclosures.ts'
import type { Played } from './enclosures.ts'
import { filePath } from './files.ts'
import { renderMarkdown } from './markdown.ts'
import { pathOf, text } from './models.ts'

/** Where directories of podcasts put those of news. */
const CATEGORY = 'News'
const SQUARE_TYPES = new Set(['image/jpeg', 'image/png'])

/** A listing as programs that play podcasts take it. Addresses are absolute. */
export interface Podcast {
  title: string
  description: string
  language: string
  /** Who publishes it. */
  author: string
  /** The listing's page. */
  url: string
  self: string
  image: string | undefined
  episodes: readonly Episode[]
}

/** One sound of an item. */
export interface Episode {
  /** The same on every node. */
  id: string
  url: string
  title: string
  summary: string
  /** HTML. */
  html: string
  author: string
  published: Date
  sound: Played
  image: string | undefined
}

/**
 * The episodes that an item is: one for each sound that programs play.
 *
 * @param url this node's public address, without a slash at the end
 */
export function episodesOf(item: SiteItem, url: string): Episode[] {
  const { _id, kind, at, fields, listing } = item
  const files = filesShown(item)
  const sounds = playedOf(files, url, 'sound').filter(isForPodcasts)
  const title = (name: string) =>
    sounds.length > 1 && name !== '' ? `${listing.title}: ${name}` : listing.title
  return sounds.map((sound) => ({
    id: `urn:hyperactive:${_id}:${sound.sha256.slice(0, 40)}`,
    url: url + pathOf(kind, _id),
    title: title(sound.name),
    summary: text(fields.summary),
    html: renderMarkdown(text(fields.body)),
    author: text(fields.author),
    published: new Date(toldTime(at, listing.dayOnly === true)),
    sound,
    image: imageOf(item, url),
  }))
}

/** The address of an item's picture, as directories of podcasts take them. */
export function imageOf(item: SiteItem, url: string): string | undefined {
  const cover = plainCover(filesShown(item))
  return cover && SQUARE_TYPES.has(cover.type) ? url + filePath(cover) : undefined
}

/** RSS 2.0 with the elements of iTunes, which the other programs read as well. */
export function podcastFeed(podcast: Podcast): string {
  const { title, description, language, author, url, self, image, episodes } = podcast
  return generateRssFeed({
    title,
    link: url,
    description,
    language,
    ...(image === undefined ? {} : { image: { url: image, title, link: url } }),
    atom: { links: [{ href: self, rel: 'self', type: 'application/rss+xml' }] },
    itunes: { author, type: 'episodic', categories: [{ text: CATEGORY }], ...(image ? { image } : {}) },
    items: episodes.map((episode) => ({
      title: episode.title,
      link: episode.url,
      guid: { value: episode.id, isPermaLink: false },
      pubDate: episode.published,
      description: episode.summary || episode.title,
      content: { encoded: episode.html },
      enclosures: [{ url: episode.sound.address, type: episode.sound.type, length: episode.sound.bytes }],
      itunes: {
        title: episode.title,
        ...(episode.author ? { author: episode.author } : {}),
        ...(episode.image ? { image: episode.image } : {}),
        ...(episode.sound.durationMs === undefined
          ? {}
          : { duration: Math.max(Math.round(episode.sound.durationMs / 1000), 1) }),
      },
    })),
  })
}

/** A playlist as players take it (M3U, extended): no title has a line break. */
export function playlistOf(title: string, tracks: readonly Track[]): string {
  const lines = tracks.flatMap((track) => [
    `#EXTINF:${track.seconds ?? -1},${line(track.title)}`,
    track.address,
  ])
  return ['#EXTM3U', `#PLAYLIST:${line(title)}`, ...lines, ''].join('\n')
}

export interface Track {
  title: string
  address: string
  seconds?: number | undefined
}

/** Everything of an item that plays, in the order of a playlist. */
export function tracksIn(item: SiteItem, url: string): Track[] {
  const files = filesShown(item)
  const played = [...playedOf(files, url, 'sound'), ...playedOf(files, url, 'film')]
  return played.map(({ address, durationMs, name }) => ({
    title: played.length > 1 && name !== '' ? `${item.listing.title}: ${name}` : item.listing.title,
    address,
    seconds: durationMs === undefined ? undefined : Math.round(durationMs / 1000),
  }))
}

function line(title: string): string {
  return title.replaceAll(/\s+/g, ' ')
}
