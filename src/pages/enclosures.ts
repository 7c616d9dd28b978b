import type { Enclosure } from '../kinds/base/kind.ts'
import { filesOf } from '../project/media.ts'
import type { ItemFile, KnownFile } from '../project/media.ts'
import type { SiteItem } from '../project/site-item.ts'
import { filePath, isFilm, isPicture, isSound, sizesOf } from './files.ts'

/** Programs that read feeds show pictures of this width, and other sites cards. */
const PICTURE_WIDTH = 1280
/** What every program that plays podcasts takes. */
const PODCAST_TYPES = new Set(['audio/mpeg', 'audio/mp4', 'audio/aac'])

/** A file of an item that is played, as feeds and playlists name it. */
export interface Played extends Enclosure {
  sha256: string
  bytes: number
  durationMs: number | undefined
  /** What is written below it, or what it was called. */
  name: string
}

/** The files of an item that readers get. */
export function filesShown({ fields, media, standing }: SiteItem): ItemFile[] {
  return standing.hidden || standing.closed !== undefined ? [] : filesOf(fields, media)
}

/**
 * Files that programs which read feeds fetch: an item's sound and film, or its first picture where it has neither.
 *
 * @param url this node's public address, without a slash at the end
 */
export function enclosuresOf(item: SiteItem, url: string): Enclosure[] {
  const files = filesShown(item)
  const played = [...playedOf(files, url, 'sound'), ...playedOf(files, url, 'film')]
  if (played.length > 0) return played.map(({ address, type, bytes }) => ({ address, type, bytes }))
  const picture = files.find(isPicture)
  const file = picture && plainPicture(picture)
  return file ? [{ address: url + filePath(file), type: file.type, bytes: file.bytes }] : []
}

/** An item's sound or film, each as what most programs play. */
export function playedOf(files: readonly ItemFile[], url: string, sort: 'sound' | 'film'): Played[] {
  return files.filter(sort === 'sound' ? isSound : isFilm).map((file) => {
    const { sha256, type, bytes, durationMs } = sort === 'sound' ? plainSound(file) : plainFilm(file)
    const extension = [file, ...file.made].find((one) => one.sha256 === sha256)?.extension ?? ''
    return {
      sha256: file.sha256,
      address: url + filePath({ sha256, extension }),
      type,
      bytes,
      durationMs: durationMs ?? file.durationMs,
      name: file.caption ?? (file.name ?? '').replace(/\.\w{1,5}$/, ''),
    }
  })
}

/** Whether podcasts can have it. */
export function isForPodcasts({ type }: Pick<Played, 'type'>): boolean {
  return PODCAST_TYPES.has(type)
}

function plainSound(file: ItemFile): KnownFile {
  if (PODCAST_TYPES.has(file.type)) return file
  return file.made.find(({ as, type }) => as === 'sound' && type === 'audio/mpeg') ?? file
}

function plainFilm(file: ItemFile): KnownFile {
  return file.made.find(({ as, type }) => as === 'film' && type === 'video/mp4') ?? file
}

/** A picture as JPEG of a moderate size where there is one, or as it is. */
export function plainPicture(file: ItemFile): KnownFile {
  const jpegs = sizesOf(file).filter(({ type }) => type === 'image/jpeg')
  const fitting = jpegs.filter(({ width = 0 }) => width <= PICTURE_WIDTH)
  const isModerate = file.type === 'image/jpeg' && (file.width ?? Infinity) <= PICTURE_WIDTH
  return isModerate ? file : (fitting.at(-1) ?? file)
}

/** The picture that stands for an item elsewhere: its first one, or the still of its first film. */
export function plainCover(files: readonly ItemFile[]): (KnownFile & { alt: string }) | undefined {
  for (const file of files) {
    const still = isFilm(file) ? file.made.find(({ as }) => as === 'poster') : undefined
    const picture = isPicture(file) ? plainPicture(file) : still
    if (picture) return { ...picture, alt: file.alt ?? '' }
  }
  return undefined
}
