import { filesShown, plainCover } from './enclosures.ts'
import { filePath, isFilm, isPicture, isSound, sizesOf } from './files.ts'
import { pathOf, text } from './models.ts'
import type { ItemFile, KnownFile } from '../project/media.ts'
import type { SiteItem } from '../project/site-item.ts'
import type { Element } from './xml.ts'

/** A player is this wide unless the film is smaller, or less is asked for. */
const WIDTH = 640
/** A sound's player with its title. */
const SOUND_HEIGHT = 200
/** A film's player has a line below it. */
const LINE_HEIGHT = 44
const CACHE_S = 600

/** What is told about something to programs that show it elsewhere, by the names of oEmbed 1.0, section 2.3.4. */
export type OEmbed = Readonly<Record<string, string | number>>

export interface Bounds {
  maxwidth: number
  maxheight: number
}

/** The file of an item that is shown elsewhere: the one asked for, or the first that is seen or heard. */
export function embedded(item: SiteItem, sha256?: string): ItemFile | undefined {
  const files = filesShown(item)
  if (sha256 !== undefined)
    return files.find((file) => [file, ...file.made].some((one) => one.sha256 === sha256))
  return files.find((file) => isFilm(file) || isSound(file)) ?? files.find(isPicture)
}

/** The address of the page that other sites show in a frame. */
export function embedPath(item: Pick<SiteItem, 'kind' | '_id'>, sha256?: string): string {
  return `${pathOf(item.kind, item._id)}/embed${sha256 === undefined ? '' : `/${sha256}`}`
}

/**
 * An item, or one of its files, as oEmbed has it (https://oembed.com, 1.0): `photo` for a picture, `video` for a film,
 * `rich` for sound, `link` for what is read.
 *
 * @param at.sha256 the file asked for; undefined for the item
 */
export function oembedOf(
  item: SiteItem,
  { sha256, bounds }: { sha256?: string | undefined; bounds: Bounds },
  site: { name: string; url: string },
): OEmbed {
  const file = embedded(item, sha256)
  const author = text(item.fields.author)
  const common = {
    version: '1.0',
    title: item.listing.title,
    ...(author ? { author_name: author } : {}),
    provider_name: site.name,
    provider_url: `${site.url}/`,
    cache_age: CACHE_S,
    ...thumbnailOf(item, bounds, site.url),
  }
  if (file && isPicture(file)) return { ...common, ...photoOf(file, bounds, site.url) }
  if (!file || !(isFilm(file) || isSound(file))) return { type: 'link', ...common }
  const { width, height } = isFilm(file) ? filmSize(file, bounds) : soundSize(bounds)
  const src = site.url + embedPath(item, sha256 === undefined ? undefined : file.sha256)
  const title = escapeAttribute(item.listing.title)
  const html = `<iframe src="${escapeAttribute(src)}" width="${width}" height="${height}" title="${title}" loading="lazy" referrerpolicy="no-referrer" allowfullscreen style="border:0;max-width:100%"></iframe>`
  return { type: isFilm(file) ? 'video' : 'rich', ...common, html, width, height }
}

/** oEmbed's answer as XML (section 2.3.4.3). */
export function oembedXml(answer: OEmbed): Element {
  return ['oembed', Object.entries(answer).map(([name, value]): Element => [name, String(value)])]
}

function photoOf(file: ItemFile, bounds: Bounds, url: string) {
  const picture = fittingPicture(file, bounds)
  const { width = 0, height = 0 } = picture
  return { type: 'photo', url: url + filePath(picture), width, height }
}

/** The largest JPEG within the bounds; the smallest there is where none fits. */
function fittingPicture(file: ItemFile, { maxwidth, maxheight }: Bounds): KnownFile {
  const sizes: KnownFile[] = sizesOf(file).filter(({ type }) => type === 'image/jpeg')
  const all = [...sizes, ...(file.type === 'image/jpeg' || sizes.length === 0 ? [file] : [])]
  const fits = ({ width = 0, height = 0 }: KnownFile) => width <= maxwidth && height <= maxheight
  return all.findLast(fits) ?? all[0] ?? file
}

function thumbnailOf(item: SiteItem, { maxwidth, maxheight }: Bounds, url: string): OEmbed {
  const files = filesShown(item)
  const cover = plainCover(files)
  if (!cover) return {}
  const of = files.find((file) => [file, ...file.made].some(({ sha256 }) => sha256 === cover.sha256))
  const small =
    of && isPicture(of) ? fittingPicture(of, { maxwidth: Math.min(maxwidth, WIDTH), maxheight }) : cover
  const { width = 0, height = 0 } = small
  if (width === 0 || height === 0 || width > maxwidth || height > maxheight) return {}
  return { thumbnail_url: url + filePath(small), thumbnail_width: width, thumbnail_height: height }
}

function filmSize({ width = 16, height = 9 }: KnownFile, { maxwidth, maxheight }: Bounds) {
  const room = Math.max(maxheight - LINE_HEIGHT, 1)
  const wide = Math.max(Math.min(WIDTH, maxwidth, Math.floor((room * width) / height)), 1)
  return { width: wide, height: Math.min(Math.round((wide * height) / width) + LINE_HEIGHT, maxheight) }
}

function soundSize({ maxwidth, maxheight }: Bounds) {
  return { width: Math.min(WIDTH, maxwidth), height: Math.min(SOUND_HEIGHT, maxheight) }
}

function escapeAttribute(plain: string): string {
  return plain.replaceAll(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`)
}
