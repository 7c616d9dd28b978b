import type { Fields, Media } from '../ledger/document.ts'
import type { MediaFile, MediaTexts } from '../ledger/media.ts'
import type { Cover, Plays } from './site-item.ts'

/** The picture of this size stands in listings. */
const COVER_SIZE = 'w320'

/** What the site database knows of a file: all but its pieces, which stay in the ledger. */
export type KnownFile = Omit<MediaFile, 'pieces'>

/** What it remembers of a media document. */
export interface KnownMedia extends MediaTexts {
  at: string
  node: string
  files: KnownFile[]
  of?: string
}

/** One file of an item as it stands there, with what was made of it. */
export interface ItemFile extends KnownFile, MediaTexts {
  /** The hash of its media document. */
  media: string
  caption?: string
  /** What was made of it, of each sort and type once, in the order of both. */
  made: (KnownFile & { as: string })[]
}

export function knownMedia({ at, node, files, of, name, alt, credit, licence }: Media): KnownMedia {
  return {
    at,
    node,
    files: files.map(knownFile),
    ...(of === undefined ? {} : { of }),
    ...(name === undefined ? {} : { name }),
    ...(alt === undefined ? {} : { alt }),
    ...(credit === undefined ? {} : { credit }),
    ...(licence === undefined ? {} : { licence }),
  }
}

/** What is known of a file, without whatever else stands beside that. */
export function knownFile({
  sha256,
  bytes,
  type,
  extension,
  width,
  height,
  durationMs,
  as,
}: KnownFile): KnownFile {
  return {
    sha256,
    bytes,
    type,
    extension,
    ...(width === undefined ? {} : { width }),
    ...(height === undefined ? {} : { height }),
    ...(durationMs === undefined ? {} : { durationMs }),
    ...(as === undefined ? {} : { as }),
  }
}

/**
 * An item's files in their order. One whose media document is not here yet is left out until it comes.
 *
 * Several nodes may have made the same sort of file; on every node the earliest counts.
 */
export function filesOf(fields: Fields, media: Readonly<Record<string, KnownMedia>> = {}): ItemFile[] {
  const entries = Array.isArray(fields.files) ? (fields.files as { media: string; caption?: string }[]) : []
  return entries.flatMap(({ media: hash, caption }) => {
    const known = media[hash]
    const [file] = known?.files ?? []
    if (!known || known.of !== undefined || !file) return []
    const { name, alt, credit, licence } = known
    return {
      ...file,
      media: hash,
      ...(name === undefined ? {} : { name }),
      ...(alt === undefined ? {} : { alt }),
      ...(credit === undefined ? {} : { credit }),
      ...(licence === undefined ? {} : { licence }),
      ...(caption === undefined ? {} : { caption }),
      made: madeOf(file.sha256, media),
    }
  })
}

function madeOf(source: string, media: Readonly<Record<string, KnownMedia>>): (KnownFile & { as: string })[] {
  const documents = Object.entries(media)
    .filter(([, { of }]) => of === source)
    .sort(([hash, { at }], [otherHash, { at: otherAt }]) =>
      `${at} ${hash}` < `${otherAt} ${otherHash}` ? -1 : 1,
    )
  const made = new Map<string, KnownFile & { as: string }>()
  for (const [, { files }] of documents) {
    for (const { as = '', ...file } of files) {
      const name = `${as} ${file.type}`
      if (!made.has(name)) made.set(name, { ...file, as })
    }
  }
  return [...made].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, file]) => file)
}

/** What stands for an item in a listing. */
export function coverOf(files: readonly ItemFile[]): Cover | undefined {
  for (const { made, alt, ...file } of files) {
    const picture = file.type.startsWith('image/') ? file : made.find(({ as }) => as === 'poster')
    // A drawing is a download, whatever it says of itself.
    if (!picture || picture.type === 'image/svg+xml') continue
    const small = made.find(({ as, type }) => as === COVER_SIZE && type === 'image/jpeg')
    return {
      ...placeOf(picture),
      ...(alt === undefined ? {} : { alt }),
      ...(small ? { small: placeOf(small) } : {}),
    }
  }
  return undefined
}

/** What plays among files, each sort once: listings say so, and podcasts and playlists are made of it. */
export function playsOf(files: readonly ItemFile[]): Plays[] {
  const isThere = (prefix: string) => files.some(({ type }) => type.startsWith(prefix))
  return [...(isThere('audio/') ? ['sound' as const] : []), ...(isThere('video/') ? ['film' as const] : [])]
}

function placeOf({ sha256, extension, width, height }: KnownFile) {
  return {
    sha256,
    extension,
    ...(width === undefined ? {} : { width }),
    ...(height === undefined ? {} : { height }),
  }
}
