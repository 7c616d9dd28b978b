import { isFilePath, lastStep } from './file-paths.ts'

/** What qpdf writes as JSON: numbers, "/Name", "3 0 R", "u:text", "b:hex", arrays and dictionaries. */
export type Value = null | boolean | number | string | Value[] | { [key: string]: Value }
export type Dictionary = { [key: string]: Value }

const words = (text: string) => new Set(text.split(' '))

/** Keys that say who, when and with what, or that run or carry something; a page looks the same without them. */
const NOTES = words(
  '/Metadata /PieceInfo /LastModified /Thumb /SpiderInfo /CreatorInfo /AF /AA /JS /JavaScript /EmbeddedFiles /EF ' +
    '/Collection /Threads /Perms /DSS /XFA /DPM /Author /Creator /Producer /ModDate /Keywords /Renditions ' +
    '/AlternatePresentations /Templates /URLS /IDS',
)
/** What pdfTeX writes into a picture that was a PDF: the path of its file, and the properties of that document. */
const TEX_NOTE = /^\/PTEX\./
/** Programs put keys of their own into these two (one site the number of the download); nothing shown depends on them. */
const KEPT_OF = {
  '/Catalog': words(
    '/Type /Version /Extensions /Pages /PageLabels /Names /Dests /ViewerPreferences /PageLayout /PageMode /Outlines ' +
      '/OpenAction /AcroForm /StructTreeRoot /MarkInfo /Lang /OCProperties',
  ),
  '/Pages': words('/Type /Parent /Kids /Count /Resources /MediaBox /CropBox /Rotate'),
  '/Page': words(
    '/Type /Parent /Resources /MediaBox /CropBox /BleedBox /TrimBox /ArtBox /Contents /Rotate /Group /Annots ' +
      '/StructParents /Tabs /UserUnit /Dur /Trans',
  ),
} as const
const RUNS = words(
  '/JavaScript /Launch /SubmitForm /ImportData /GoToE /Rendition /Movie /Sound /RichMediaExecute',
)
/** Annotations that carry a file, or play something. */
const CARRIES = words('/FileAttachment /Sound /Movie /Screen /RichMedia /3D')
/** Of an annotation: who made it and when. A form field's `/T` is its name. */
const MAKER = ['/M', '/CreationDate', '/NM']
/** Of a field that is signed: the signature, and what it asks for. */
const SIGNATURE = ['/V', '/Lock', '/SV']
/** Where paths of somebody's computer stand: links, and what an office program takes for the description of a picture. */
const PATHS = words('/URI /Base /F /UF /DOS /Unix /Mac /Alt')
/** Smaller numbers would be written with an exponent, which PDF does not know. */
const LEAST = 1e-6

export function isDictionary(value: Value | undefined): value is Dictionary {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Whether a dictionary goes as a whole. */
export function goes(dictionary: Dictionary): boolean {
  const { '/Type': type, '/S': action, '/Subtype': subtype } = dictionary
  if (type === '/Metadata' || type === '/EmbeddedFile' || type === '/Sig' || type === '/DocTimeStamp')
    return true
  if ('/ByteRange' in dictionary) return true
  const isAnnotation = '/Rect' in dictionary
  if (isAnnotation && typeof subtype === 'string' && CARRIES.has(subtype)) return true
  if (typeof action !== 'string') return false
  // No program puts the kind of an action somewhere else, unless to hide it.
  const runs = RUNS.has(action) || action.endsWith(' R')
  return runs && (type === '/Action' || !('/Type' in dictionary))
}

function keptKeys(dictionary: Dictionary): ReadonlySet<string> | undefined {
  const type = dictionary['/Type']
  return typeof type === 'string' && Object.hasOwn(KEPT_OF, type)
    ? KEPT_OF[type as keyof typeof KEPT_OF]
    : undefined
}

function withoutPath(key: string, value: Value): Value {
  if (!PATHS.has(key) || typeof value !== 'string' || !value.startsWith('u:')) return value
  const text = value.slice(2)
  return isFilePath(text) ? `u:${lastStep(text)}` : value
}

/** A value without what is not seen; null for a dictionary that goes as a whole. */
export function cleaned(value: Value): Value {
  if (typeof value === 'number') return Math.abs(value) < LEAST ? 0 : value
  if (Array.isArray(value)) return value.map(cleaned)
  if (!isDictionary(value)) return value
  if (goes(value)) return null
  const known = keptKeys(value)
  const clean: Dictionary = {}
  for (const [key, inner] of Object.entries(value)) {
    if (NOTES.has(key) || TEX_NOTE.test(key) || (known && !known.has(key))) continue
    clean[key] = withoutPath(key, cleaned(inner))
  }
  if (clean['/FT'] === '/Sig') for (const key of SIGNATURE) delete clean[key]
  if ('/Rect' in clean && clean['/Subtype'] !== undefined) {
    for (const key of MAKER) delete clean[key]
    if (clean['/Subtype'] !== '/Widget' && !('/FT' in clean)) delete clean['/T']
  }
  return clean
}
