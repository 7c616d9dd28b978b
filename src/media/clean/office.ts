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
  mayStay,
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

/** Where the relationships of a part are; those of the whole document are those of the part without a name. */
function relationshipsOf(part: string): string {
  return posix.join(posix.dirname(part), '_rels', `${posix.basename(part)}.rels`)
}

/** What a document of Office Open XML keeps: the list of types, and what relationships of kinds that are kept lead to. */
interface Connected {
  parts: Set<string>
  relationships: Map<string, string>
  /** By part, the ids in it that lead nowhere any more. */
  gone: Map<string, Set<string>>
}

async function connectedParts(
  read: (name: string) => Promise<string>,
  isKept: (part: string) => boolean,
): Promise<Connected> {
  const parts = new Set([CONTENT_TYPES])
  const relationships = new Map<string, string>()
  const gone = new Map<string, Set<string>>()
  const owners = ['']
  for (const owner of owners) {
    const name = relationshipsOf(owner)
    if (!isKept(name)) continue
    const edited = editRelationships(await read(name), owner, isKept)
    relationships.set(name, edited.xml)
    gone.set(owner, edited.gone)
    parts.add(name)
    for (const part of edited.reached) {
      if (parts.has(part)) continue
      parts.add(part)
      owners.push(part)
    }
  }
  if (owners.length === 1) throw unreadable('nothing in it leads to what it shows')
  return { parts, relationships, gone }
}

/** The pictures among parts, written anew; those that cannot be are not among them. */
async function cleanPictures(
  names: readonly string[],
  read: (name: string) => Promise<Buffer>,
  limits: CleanLimits,
): Promise<Map<string, Buffer>> {
  const pictures = new Map<string, Buffer>()
  for (const name of names) {
    if (!PICTURE.test(name)) continue
    const bytes = await read(name)
    const found = typeOfPicture(bytes)
    const clean = found === undefined ? undefined : await cleanEmbedded(bytes, found, limits)
    if (clean) pictures.set(name, clean)
  }
  return pictures
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
    zip.entries.filter(({ name }) => mayStay(name, isOpenDocument)).map((entry) => [entry.name, entry]),
  )
  const read = async (name: string): Promise<Buffer> => {
    const entry = kept.get(name)
    if (!entry) throw unreadable(`its part ${name} is missing`)
    return zip.read(entry)
  }
  const pictures = await cleanPictures([...kept.keys()], read, limits)
  for (const name of kept.keys()) if (PICTURE.test(name) && !pictures.has(name)) kept.delete(name)
  const isKept = (part: string) => kept.has(part)
  const connected = isOpenDocument
    ? undefined
    : await connectedParts(async (name) => xmlOf(await read(name)), isKept)
  for (const name of kept.keys()) if (connected && !connected.parts.has(name)) kept.delete(name)
  const isText = type.includes('wordprocessing')
  const cleanXml = (name: string, xml: string): string => {
    if (name === CONTENT_TYPES) return editContentTypes(xml, isKept)
    if (name === MANIFEST) return editManifest(xml, isKept)
    if (!connected) return editOdfPart(xml)
    return connected.relationships.get(name) ?? editOoxmlPart(xml, connected.gone.get(name), isText)
  }
  const cleanPart = async (name: string): Promise<Buffer> => {
    if (name === 'mimetype') return Buffer.from(type)
    const picture = pictures.get(name)
    if (picture) return picture
    const bytes = await read(name)
    return FONT.test(name) ? bytes : Buffer.from(cleanXml(name, xmlOf(bytes)))
  }
  const first = isOpenDocument ? ['mimetype', MANIFEST] : [CONTENT_TYPES, '_rels/.rels']
  const others = [...kept.keys()].filter((name) => !first.includes(name)).sort()
  await using file = await open(output, 'wx')
  const writer = new ZipWriter(file)
  for (const name of [...first, ...others])
    await writer.add(name, await cleanPart(name), name !== 'mimetype' && !pictures.has(name))
  await writer.end()
}
