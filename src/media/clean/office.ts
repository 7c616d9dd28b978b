import { open } from 'node:fs/promises'
import { posix } from 'node:path'
import { cleanEmbedded, decodeOnly, EMBEDDED_TYPES } from './image.ts'
import type { CleanLimits } from './limits.ts'
import {
  editContentTypes,
  editManifest,
  editOdfPart,
  editOoxmlPart,
  editRelationships,
  stays,
} from './office-rules.ts'
import { tooLarge, unreadable } from './problems.ts'
import { textOf } from './text.ts'
import { ZipFile, ZipWriter } from './zip.ts'

const MOST_XML_BYTES = 64 * 1024 * 1024
const PICTURE = /\.(?:jpe?g|png|gif|webp)$/i
const FONT = /\.(?:ttf|otf|odttf|fntdata)$/i
const CONTENT_TYPES = '[Content_Types].xml'
const MANIFEST = 'META-INF/manifest.xml'

/** The type of a picture by its first bytes. */
function typeOfPicture(bytes: Buffer): string | undefined {
  const start = bytes.toString('latin1', 0, 12)
  if (start.startsWith('\xFF\xD8\xFF')) return 'image/jpeg'
  if (start.startsWith('\x89PNG')) return 'image/png'
  if (start.startsWith('GIF8')) return 'image/gif'
  return start.startsWith('RIFF') && start.endsWith('WEBP') ? 'image/webp' : undefined
}

function xmlOf(bytes: Buffer): string {
  if (bytes.length > MOST_XML_BYTES) throw tooLarge('one of its parts')
  const text = textOf(bytes, true)
  if (text === undefined) throw unreadable('one of its parts is no XML')
  return text
}

/** The part that a relationships file is of. */
function ownerOf(relationships: string): string {
  const folder = posix.dirname(posix.dirname(relationships))
  return posix.join(folder, posix.basename(relationships, '.rels'))
}

/**
 * Writes an office document anew: a new archive with the parts that show something, its XML without names, dates,
 * comments and tracked changes, its pictures decoded and encoded again. Properties, thumbnails, macros, embedded
 * documents, printer settings, signatures and pictures in formats that cannot be written anew go.
 *
 * @throws HyperactiveError `media_unreadable`, `media_too_large`
 */
export async function cleanOffice(
  input: string,
  type: string,
  output: string,
  limits: CleanLimits,
): Promise<void> {
  decodeOnly(...EMBEDDED_TYPES)
  const isOpenDocument = type.includes('oasis')
  await using zip = await ZipFile.open(input, limits)
  const kept = new Map(
    zip.entries.filter(({ name }) => stays(name, isOpenDocument)).map((entry) => [entry.name, entry]),
  )
  const pictures = new Map<string, Buffer>()
  for (const [name, entry] of kept) {
    if (!PICTURE.test(name)) continue
    const bytes = await zip.read(entry)
    const found = typeOfPicture(bytes)
    const clean = found === undefined ? undefined : await cleanEmbedded(bytes, found, limits)
    if (clean) pictures.set(name, clean)
    else kept.delete(name)
  }
  const isKept = (part: string) => kept.has(part)
  const gone = new Map<string, Set<string>>()
  const parts = new Map<string, Buffer>()
  // Relationships first: they say which references in the other parts lead nowhere any more.
  for (const [name, entry] of kept) {
    if (!name.endsWith('.rels')) continue
    const edited = editRelationships(xmlOf(await zip.read(entry)), name, isKept)
    gone.set(ownerOf(name), edited.gone)
    parts.set(name, Buffer.from(edited.xml))
  }
  const cleanPart = async (name: string): Promise<Buffer> => {
    const ready = pictures.get(name) ?? parts.get(name)
    const entry = kept.get(name)
    if (ready) return ready
    if (!entry) throw unreadable(`its part ${name} is missing`)
    const bytes = await zip.read(entry)
    if (FONT.test(name)) return bytes
    if (name === 'mimetype') return Buffer.from(type)
    const xml = xmlOf(bytes)
    if (name === CONTENT_TYPES) return Buffer.from(editContentTypes(xml, isKept))
    if (name === MANIFEST) return Buffer.from(editManifest(xml, isKept))
    return Buffer.from(
      isOpenDocument ? editOdfPart(xml) : editOoxmlPart(xml, name, gone.get(name) ?? new Set()),
    )
  }
  const first = isOpenDocument ? ['mimetype', MANIFEST] : [CONTENT_TYPES, '_rels/.rels']
  const others = [...kept.keys()].filter((name) => !first.includes(name)).sort()
  const file = await open(output, 'wx')
  try {
    const writer = new ZipWriter(file)
    for (const name of [...first, ...others])
      await writer.add(name, await cleanPart(name), name !== 'mimetype' && !pictures.has(name))
    await writer.end()
  } finally {
    await file.close()
  }
}
