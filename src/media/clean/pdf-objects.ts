import { readFile, rm, writeFile } from 'node:fs/promises'
import { deflateSync, inflateSync } from 'node:zlib'
import { bareIcc } from './icc-profile.ts'
import { bareJpeg, bareJpeg2000 } from './jpeg-segments.ts'
import { cleaned, goes, isDictionary } from './pdf-rules.ts'
import type { Dictionary, Value } from './pdf-rules.ts'
import { tooLarge, unreadable } from './problems.ts'

type PdfObject = { value?: Value; stream?: { dict: Dictionary; datafile?: string } }

const MOST_JSON_BYTES = 100 * 1024 * 1024
const MOST_IMAGE_BYTES = 64 * 1024 * 1024
const MOST_PROFILE_BYTES = 16 * 1024 * 1024

type Objects = Record<string, PdfObject>

/** A value, or what it refers to. */
function resolved(value: Value | undefined, objects: Objects): Value | undefined {
  return typeof value === 'string' && value.endsWith(' R') ? objects[`obj:${value}`]?.value : value
}

/** Puts the names of a stream's filters into its own dictionary, wherever they were. */
function filtersOf(dictionary: Dictionary, objects: Objects): Value[] {
  const filter = resolved(dictionary['/Filter'], objects)
  if (filter === undefined || filter === null) return []
  const names = (one: Value) => resolved(one, objects) ?? null
  dictionary['/Filter'] = Array.isArray(filter) ? filter.map(names) : filter
  return Array.isArray(filter) ? filter.map(names) : [filter]
}

/** The bytes of a stream that is packed as most are, or nothing. */
function unpacked(packed: Buffer, filters: Value[]): Buffer | undefined {
  if (filters.length === 0) return packed
  if (filters.length > 1 || filters[0] !== '/FlateDecode') return undefined
  try {
    return inflateSync(packed, { maxOutputLength: MOST_PROFILE_BYTES })
  } catch {
    return undefined
  }
}

/**
 * Takes out of a colour profile whose it is; only such streams have a number of components and no type. Of one that
 * cannot be read nothing stays: viewers then take the usual colours for as many components.
 */
async function cleanProfile(dictionary: Dictionary, filters: Value[], file: string): Promise<void> {
  if (typeof dictionary['/N'] !== 'number' || '/Type' in dictionary) return
  const bytes = unpacked(await readFile(file), filters)
  const bare = (bytes && bareIcc(bytes)) ?? Buffer.alloc(0)
  dictionary['/Filter'] = '/FlateDecode'
  delete dictionary['/DecodeParms']
  await rm(file)
  await writeFile(file, deflateSync(bare))
}

/** Takes notes out of a picture that stands in a document as the file that it was. */
async function cleanPicture(dictionary: Dictionary, filters: Value[], file: string): Promise<void> {
  const last = filters.at(-1)
  if (last !== '/DCTDecode' && last !== '/JPXDecode') return
  let bytes: Buffer = await readFile(file)
  if (bytes.length > MOST_IMAGE_BYTES) throw tooLarge('a picture in it')
  if (filters.length === 2 && filters[0] === '/FlateDecode') {
    bytes = inflateSync(bytes, { maxOutputLength: MOST_IMAGE_BYTES })
    dictionary['/Filter'] = last
    delete dictionary['/DecodeParms']
  } else if (filters.length > 1) {
    throw unreadable('a picture in it is packed in an unusual way; save it as PDF again')
  }
  const bare = last === '/DCTDecode' ? bareJpeg(bytes) : bareJpeg2000(bytes)
  if (!bare) throw unreadable('a picture in it cannot be read')
  await rm(file)
  await writeFile(file, bare)
}

/**
 * Takes what is not seen out of a document that qpdf has taken apart: `/Info` and XMP wherever they are, dates and names
 * of annotations, attached files, scripts and signatures, and the metadata of JPEG pictures, whose pixels stay as they
 * are. What then is named by nothing is not written any more, earlier versions of the document included.
 *
 * @param input qpdf's JSON, with streams in files of their own
 * @throws HyperactiveError `media_too_large`, `media_unreadable`
 */
export async function cleanPdfObjects(input: string, output: string): Promise<void> {
  const text = await readFile(input, 'utf8')
  if (text.length > MOST_JSON_BYTES) throw tooLarge('it has too many parts')
  const document = JSON.parse(text) as { qpdf: [Dictionary, Objects] }
  const objects = document.qpdf[1]
  const trailer = objects['trailer']
  const root = isDictionary(trailer?.value) ? trailer.value['/Root'] : undefined
  const catalogue = typeof root === 'string' ? objects[`obj:${root}`] : undefined
  if (!trailer || root === undefined || !isDictionary(catalogue?.value)) throw unreadable('it has no pages')
  // qpdf puts the right size where there is one.
  trailer.value = { '/Root': root, '/Size': 0 }
  // It is one whether it says so or not.
  catalogue.value['/Type'] = '/Catalog'
  for (const [name, object] of Object.entries(objects)) {
    if (name === 'trailer') continue
    if (object.stream) {
      const { dict, datafile } = object.stream
      if (goes(dict)) {
        delete object.stream
        object.value = null
        continue
      }
      object.stream.dict = cleaned(dict) as Dictionary
      if (datafile === undefined) continue
      const filters = filtersOf(object.stream.dict, objects)
      await cleanPicture(object.stream.dict, filters, datafile)
      await cleanProfile(object.stream.dict, filters, datafile)
    } else if (object.value !== undefined) {
      object.value = cleaned(object.value)
    }
  }
  // A document opens on its first page, not with an action; one that is a mere place stays.
  if (isDictionary(catalogue.value) && !Array.isArray(catalogue.value['/OpenAction']))
    delete catalogue.value['/OpenAction']
  await writeFile(output, JSON.stringify(document), { flag: 'wx' })
}
