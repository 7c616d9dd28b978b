import type { Wording } from '../i18n/wording.ts'
import { servedName } from '../media/serve-headers.ts'
import type { ItemFile, KnownFile } from '../project/media.ts'
import { captionFacts, isCaptions } from './captions.ts'
import type { ShownCaptions } from './captions.ts'

/** Sizes of a picture by what they are made as, the smallest first. */
const SIZE = /^w\d+$/
/** Types that a `picture` offers before those that every browser shows, in this order. */
const NEWER_TYPES = ['image/avif', 'image/webp']
const FILM_TYPES = ['video/mp4', 'video/webm', 'application/vnd.apple.mpegurl']
const SOUND_TYPES = ['audio/ogg', 'audio/mpeg']
/** No picture stands wider on a page than so many pixels, and three quarters of them look almost like all. */
const WIDEST = 1280
const ENOUGH = 0.75
/** A source of more bytes is not what a link to the large picture leads to, where there is a smaller one. */
const LARGE_BYTES = 2 * 1024 * 1024

/** What people say of a file, for a template. */
interface Said {
  /** The file's digest. */
  sha256: string
  alt: string
  caption: string
  credit: string
  licence: string
}

interface Source {
  path: string
  type: string
}

/** A file to be fetched: what it is called, what it is, and how much of it there is. */
export interface Download extends Source {
  name: string
  /** "PDF" */
  format: string
  size: string
}

/** A picture in all sizes that there are. */
export interface ShownPicture extends Said {
  form: 'picture'
  /** By type, the newest first. */
  sources: { type: string; srcset: string }[]
  path: string
  srcset: string
  width: number | undefined
  height: number | undefined
  /** Its newer types are all so much smaller than it is that they would be seen to be where it stands large. */
  isCoarse: boolean
  /** The large one, for a link. */
  large: string
}

/** A film or sound with everything that a player takes. */
export interface ShownPlayer extends Said {
  form: 'film' | 'sound'
  name: string
  /** The one that plays best first. */
  sources: Source[]
  captions: ShownCaptions[]
  /** A film's still, or the picture of a sound's waveform. */
  poster: string | undefined
  posterWidth: number | undefined
  posterHeight: number | undefined
  width: number | undefined
  height: number | undefined
  /** "1:02:03"; empty when nobody knows. */
  duration: string
  downloads: Download[]
}

export interface ShownFile extends Said {
  form: 'file'
  download: Download
}

export type Shown = ShownPicture | ShownPlayer | ShownFile

/** An item's files as its page has them. */
export interface ShownFiles {
  /** Above the text. */
  lead: Shown[]
  pictures: ShownPicture[]
  players: ShownPlayer[]
  attachments: ShownFile[]
  /** How many there are. */
  count: number
  /** Whether something plays, for which the page needs leave. */
  plays: boolean
}

/** Kinds of which the files are the main thing. */
const OF_FILES = new Set(['photo', 'video', 'audio'])

/** The address of a file on any node; it never changes. */
export function filePath({ sha256, extension }: Pick<KnownFile, 'sha256' | 'extension'>): string {
  return `/files/${sha256}.${extension}`
}

/** Pictures that browsers show where they stand; a drawing (SVG) is a download. */
export function isPicture({ type }: Pick<KnownFile, 'type'>): boolean {
  return type.startsWith('image/') && type !== 'image/svg+xml'
}

export function isFilm({ type }: Pick<KnownFile, 'type'>): boolean {
  return type.startsWith('video/')
}

export function isSound({ type }: Pick<KnownFile, 'type'>): boolean {
  return type.startsWith('audio/')
}

/**
 * Files in their order, each as what it is. Captions belong to the film or sound before them.
 *
 * @param language the item's, for captions whose name does not say another
 */
export function shownFiles(files: readonly ItemFile[], language: string, wording: Wording): Shown[] {
  const shown: Shown[] = []
  let player: ShownPlayer | undefined
  for (const file of files) {
    if (player && isCaptions(file)) {
      player.captions.push({
        ...captionFacts(file, { language, player, wording }),
        path: filePath(file),
      })
      continue
    }
    const one = shownFile(file, wording)
    if (isPlayer(one)) player = one
    shown.push(one)
  }
  return shown
}

/**
 * Where the files of an item stand on its page: those of a photo, video or sound as the main thing, of others the first
 * picture above the text and the rest below it.
 */
export function placedFiles(kind: string, shown: readonly Shown[]): ShownFiles {
  const pictures = shown.filter((file) => file.form === 'picture')
  const players = shown.filter(isPlayer)
  const attachments = shown.filter((file) => file.form === 'file')
  const placed = { attachments, count: shown.length, plays: players.length > 0 }
  if (kind === 'photo' && pictures.length > 1) return { ...placed, lead: [], pictures, players }
  if (kind === 'video' || kind === 'audio') {
    const lead = players.length > 0 ? players : pictures.slice(0, 1)
    const others = players.length > 0 ? pictures : pictures.slice(1)
    return { ...placed, lead, pictures: others, players: [] }
  }
  return { ...placed, lead: pictures.slice(0, 1), pictures: pictures.slice(1), players }
}

/** Whether files are what an item of this kind is about. */
export function isOfFiles(kind: string): boolean {
  return OF_FILES.has(kind)
}

function isPlayer(file: Shown): file is ShownPlayer {
  return file.form === 'film' || file.form === 'sound'
}

function shownFile(file: ItemFile, wording: Wording): Shown {
  if (isPicture(file)) return shownPicture(file)
  if (isFilm(file)) return shownPlayer('film', file, wording)
  if (isSound(file)) return shownPlayer('sound', file, wording)
  return { form: 'file', ...saidOf(file), download: downloadOf(file, file, wording) }
}

/** A picture with everything smaller that was made of it; the source itself where nothing was. */
export function shownPicture(file: ItemFile): ShownPicture {
  const sizes = sizesOf(file)
  const newer = NEWER_TYPES.flatMap((type) => {
    const srcset = srcsetOf(sizes.filter((size) => size.type === type))
    return srcset === '' ? [] : [{ type, srcset }]
  })
  const smaller = sizes.filter(({ type }) => !NEWER_TYPES.includes(type))
  const hasLarge = smaller.length > 0 && file.bytes > LARGE_BYTES
  // A small source is the largest of its sizes.
  const plain: KnownFile[] = hasLarge || file.width === undefined ? smaller : [...smaller, file]
  const largest = plain.at(-1)
  return {
    form: 'picture',
    ...saidOf(file),
    sources: newer,
    isCoarse: newestWidth(sizes) < ENOUGH * Math.min(file.width ?? 0, WIDEST),
    path: filePath(largest ?? file),
    srcset: plain.length > 1 ? srcsetOf(plain) : '',
    width: file.width,
    height: file.height,
    large: filePath((hasLarge ? largest : undefined) ?? file),
  }
}

/** The width of the largest of the newer types; nothing is too small where there are none. */
function newestWidth(sizes: readonly KnownFile[]): number {
  const newer = sizes.filter(({ type }) => NEWER_TYPES.includes(type))
  return newer.at(-1)?.width ?? Infinity
}

/** The smaller ones of a picture, the smallest first. */
export function sizesOf({ made }: Pick<ItemFile, 'made'>): (KnownFile & { as: string })[] {
  const sizes = made.filter(({ as, width }) => SIZE.test(as) && width !== undefined)
  return sizes.sort((a, b) => (a.width ?? 0) - (b.width ?? 0))
}

function srcsetOf(sizes: readonly KnownFile[]): string {
  const widths = new Map(sizes.map((size) => [size.width, size]))
  return [...widths].map(([width, size]) => `${filePath(size)} ${width}w`).join(', ')
}

function shownPlayer(form: 'film' | 'sound', file: ItemFile, wording: Wording): ShownPlayer {
  const { made, width, height, durationMs } = file
  const types = form === 'film' ? FILM_TYPES : SOUND_TYPES
  const as = form === 'film' ? ['film', 'hls'] : ['sound']
  const played = types.flatMap((type) => made.find((one) => one.type === type && as.includes(one.as)) ?? [])
  const sources = [...played, file].map((one) => ({ path: filePath(one), type: one.type }))
  const still = made.find((one) => one.as === (form === 'film' ? 'poster' : 'wave') && isPicture(one))
  const fetched = [...played.filter(({ type }) => !type.startsWith('application/')), file]
  return {
    form,
    ...saidOf(file),
    name: servedName(file),
    sources: uniqueBy(sources, ({ path }) => path),
    captions: [],
    poster: still && filePath(still),
    posterWidth: still?.width,
    posterHeight: still?.height,
    width,
    height,
    duration: durationText(durationMs),
    downloads: uniqueBy(
      fetched.map((one) => downloadOf(one, file, wording)),
      ({ path }) => path,
    ),
  }
}

/** @param called the file that people gave a name */
function downloadOf(file: KnownFile, called: ItemFile, wording: Wording): Download {
  const { extension, type, bytes } = file
  return {
    path: filePath(file),
    type,
    name: servedName({ name: called.name, extension }),
    format: extension.toUpperCase(),
    size: wording.bytes(bytes),
  }
}

function saidOf({ sha256, alt = '', caption = '', credit = '', licence = '' }: ItemFile): Said {
  return { sha256, alt, caption, credit, licence }
}

function two(part: number): string {
  return String(part).padStart(2, '0')
}

/** "3:07" or "1:02:03", rounded to whole seconds; empty for none. */
export function durationText(durationMs: number | undefined): string {
  if (durationMs === undefined) return ''
  const all = Math.round(durationMs / 1000)
  const [hours, minutes, seconds] = [Math.floor(all / 3600), Math.floor(all / 60) % 60, all % 60]
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`
}

function uniqueBy<Value>(values: readonly Value[], nameOf: (value: Value) => string): Value[] {
  const seen = new Set<string>()
  return values.filter((value) => !seen.has(nameOf(value)) && seen.add(nameOf(value)))
}
