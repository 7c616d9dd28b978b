import { readFile, rm, writeFile } from 'node:fs/promises'
import { inflateSync } from 'node:zlib'
import { bareJpeg, bareJpeg2000 } from './jpeg-segments.ts'
import { tooLarge, unreadable } from './problems.ts'

/** What qpdf writes as JSON: numbers, "/Name", "3 0 R", "u:text", "b:hex", arrays and dictionaries. */
type Value = null | boolean | number | string | Value[] | { [key: string]: Value }
type Dictionary = { [key: string]: Value }
type PdfObject = { value?: Value; stream?: { dict: Dictionary; datafile?: string } }

const MOST_JSON_BYTES = 100 * 1024 * 1024
const MOST_IMAGE_BYTES = 64 * 1024 * 1024

/** Keys that say who, when and with what, or that run or carry something; a page looks the same without them. */
const NOTES = new Set([
  '/Metadata',
  '/PieceInfo',
  '/LastModified',
  '/Thumb',
  '/SpiderInfo',
  '/CreatorInfo',
  '/AF',
  '/AA',
  '/JS',
  '/JavaScript',
  '/EmbeddedFiles',
  '/EF',
  '/Collection',
  '/Threads',
  '/Perms',
  '/DSS',
  '/XFA',
])
const RUNS = new Set([
  '/JavaScript',
  '/Launch',
  '/SubmitForm',
  '/ImportData',
  '/GoToE',
  '/Rendition',
  '/Movie',
  '/Sound',
  '/RichMediaExecute',
])
/** Annotations that carry a file, or play something. */
const CARRIES = new Set(['/FileAttachment', '/Sound', '/Movie', '/Screen', '/RichMedia', '/3D'])
/** Of an annotation: who made it and when. A form field's `/T` is its name. */
const MAKER = ['/M', '/CreationDate', '/NM']

function isDictionary(value: Value | undefined): value is Dictionary {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Whether a dictionary goes as a whole. */
function goes(dictionary: Dictionary): boolean {
  const { '/Type': type, '/S': action, '/Subtype': subtype } = dictionary
  if (type === '/Metadata' || type === '/EmbeddedFile' || type === '/Sig' || type === '/DocTimeStamp')
    return true
  if ('/ByteRange' in dictionary) return true
  const isAnnotation = '/Rect' in dictionary
  if (isAnnotation && typeof subtype === 'string' && CARRIES.has(subtype)) return true
  return typeof action === 'string' && RUNS.has(action) && (type === '/Action' || !('/Type' in dictionary))
}

function cleaned(value: Value): Value {
  if (Array.isArray(value)) return value.map(cleaned)
  if (!isDictionary(value)) return value
  if (goes(value)) return null
  const kept = Object.entries(value).filter(([key]) => !NOTES.has(key))
  const clean = Object.fromEntries(kept.map(([key, inner]) => [key, cleaned(inner)]))
  if ('/Rect' in clean && clean['/Subtype'] !== undefined) {
    for (const key of MAKER) delete clean[key]
    if (clean['/Subtype'] !== '/Widget' && !('/FT' in clean)) delete clean['/T']
  }
  return clean
}

/** Takes notes out of a picture that stands in a document as the file that it was. */
async function cleanPicture(dictionary: Dictionary, file: string): Promise<void> {
  const filter = dictionary['/Filter']
  const filters = Array.isArray(filter) ? filter : [filter]
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
  const document = JSON.parse(text) as { qpdf: [Dictionary, Record<string, PdfObject>] }
  const objects = document.qpdf[1]
  for (const [name, object] of Object.entries(objects)) {
    if (name === 'trailer') {
      const { '/Info': _info, '/ID': _id, '/Encrypt': _encrypt, ...kept } = object.value as Dictionary
      object.value = cleaned(kept)
    } else if (object.stream) {
      const { dict, datafile } = object.stream
      if (goes(dict)) {
        delete object.stream
        object.value = null
        continue
      }
      object.stream.dict = cleaned(dict) as Dictionary
      if (datafile !== undefined) await cleanPicture(object.stream.dict, datafile)
    } else if (object.value !== undefined) {
      object.value = cleaned(object.value)
    }
  }
  dropOpenAction(objects)
  await writeFile(output, JSON.stringify(document), { flag: 'wx' })
}

/** A document opens on its first page, not with an action; one that is a mere place stays. */
function dropOpenAction(objects: Record<string, PdfObject>): void {
  for (const { value } of Object.values(objects)) {
    if (isDictionary(value) && value['/Type'] === '/Catalog' && !Array.isArray(value['/OpenAction']))
      delete value['/OpenAction']
  }
}
