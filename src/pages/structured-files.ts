import { wallTime } from '../ledger/clock.ts'
import type { ItemFile } from '../project/media.ts'
import type { SiteItem } from '../project/site-item.ts'
import { filesShown, plainCover, plainPicture, playedOf } from './enclosures.ts'
import { filePath, isFilm, isPicture, isSound } from './files.ts'
import { embedPath } from './oembed.ts'

/** What schema.org's data of an item says of its files: ImageObject, VideoObject, AudioObject. */
export function fileData(item: SiteItem, url: string): object {
  const files = filesShown(item)
  const images = files.filter(isPicture).map((file) => imageData(file, url))
  const videos = files.filter(isFilm).map((file) => videoData(file, item, url))
  const sounds = files.filter(isSound).map((file) => soundData(file, item, url))
  return {
    ...(images.length > 0 ? { image: images } : {}),
    ...(videos.length > 0 ? { video: videos } : {}),
    ...(sounds.length > 0 ? { audio: sounds } : {}),
  }
}

function imageData(file: ItemFile, url: string): object {
  const { width, height } = file
  return {
    '@type': 'ImageObject',
    contentUrl: url + filePath(file),
    thumbnailUrl: url + filePath(plainPicture(file)),
    ...(width === undefined ? {} : { width }),
    ...(height === undefined ? {} : { height }),
    ...saidOf(file),
  }
}

function videoData(file: ItemFile, item: SiteItem, url: string): object {
  const poster = plainCover([file])
  return {
    '@type': 'VideoObject',
    ...playedData(file, item, { url, sort: 'film' }),
    ...(poster ? { thumbnailUrl: url + filePath(poster) } : {}),
    embedUrl: url + embedPath(item, file.sha256),
  }
}

function soundData(file: ItemFile, item: SiteItem, url: string): object {
  return { '@type': 'AudioObject', ...playedData(file, item, { url, sort: 'sound' }) }
}

function playedData(
  file: ItemFile,
  { listing, at }: SiteItem,
  { url, sort }: { url: string; sort: 'sound' | 'film' },
): object {
  const [played] = playedOf([file], url, sort)
  const { title, summary } = listing
  return {
    name: file.caption ?? title,
    description: file.alt ?? (summary || title),
    // Of some items only the day is told.
    uploadDate: new Date(wallTime(at)).toISOString().slice(0, 10),
    contentUrl: played?.address,
    encodingFormat: played?.type,
    ...(file.durationMs === undefined
      ? {}
      : { duration: `PT${Math.max(Math.round(file.durationMs / 1000), 1)}S` }),
    ...saidOf(file),
  }
}

function saidOf({ caption, credit, licence }: ItemFile): object {
  return {
    ...(caption === undefined ? {} : { caption }),
    ...(credit === undefined ? {} : { creditText: credit }),
    ...(licence === undefined ? {} : { license: licence }),
  }
}
