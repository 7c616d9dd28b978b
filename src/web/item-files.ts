import type { Fields } from '../ledger/document.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { MEDIA_LIMITS } from '../ledger/media.ts'
import type { Media } from '../ledger/document.ts'
import type { MediaFile, MediaTexts } from '../ledger/media.ts'
import { LIMITS } from '../kinds/base/fields.ts'
import type { Kind } from '../kinds/base/kind.ts'
import { isUploadId } from '../media/uploads/uploads.ts'
import type { Uploads, WaitingFile } from '../media/uploads/uploads.ts'
import { filesOf } from '../project/media.ts'
import type { ItemFile, KnownFile } from '../project/media.ts'
import type { SiteItem } from '../project/site-item.ts'
import { oneLine } from './controls.ts'
import type { Form } from './form.ts'
import type { NewFile, SavedFile } from './saving.ts'

/** What people say of a file in a form, by name of the input. */
export const FILE_TEXTS = ['alt', 'caption', 'credit', 'licence', 'name'] as const
export type FileTexts = Record<(typeof FILE_TEXTS)[number], string>

const LONGEST: Readonly<Record<keyof FileTexts, number>> = {
  alt: MEDIA_LIMITS.alt,
  caption: LIMITS.caption,
  credit: MEDIA_LIMITS.credit,
  licence: MEDIA_LIMITS.licence,
  name: MEDIA_LIMITS.name,
}

/** A file in a form: one that the item has, or an upload that waits for the form to be sent. */
export interface FormFile {
  /** The hash of its media document, or what the upload is known by. */
  key: string
  file: KnownFile
  texts: FileTexts
  /** As the browser called it, or what it is named by otherwise; to tell one from another in the form. */
  calledBy: string
  /** Small pictures of one that the item has. */
  made?: ItemFile['made']
}

/** A file that a form names and that is not here any more. */
export interface FilesRead {
  files: FormFile[]
  /** How many were named that are not here. */
  gone: number
  /** Uploads that were taken out. */
  dropped: string[]
}

export interface FilesContext {
  uploads: Uploads | undefined
  /** The form's address, which uploads are bound to. */
  action: string
  item?: SiteItem | undefined
}

/** Whether a kind's form has files. */
export function hasFiles(kind: Kind): boolean {
  return kind.form.some(({ control }) => control === 'files')
}

/** The files that a form shows of an item before anything is typed. */
export function filesOfItem(item: SiteItem): FormFile[] {
  return filesOf(item.fields, item.media).map(fromItem)
}

/** A file that has just been taken, as the form shows it first. */
export function fromUpload({ id, name, file }: WaitingFile): FormFile {
  // Cameras name pictures by the time at which they were taken. Documents are known by their names.
  const isDocument = !/^(?:image|audio|video)\//.test(file.type)
  const texts = { alt: '', caption: '', credit: '', licence: '', name: isDocument ? name : '' }
  return { key: id, file, texts, calledBy: name }
}

function fromItem(file: ItemFile): FormFile {
  const { alt = '', caption = '', credit = '', licence = '', name = '', media, made } = file
  const calledBy = name || caption || alt || file.type
  return { key: media, file, texts: { alt, caption, credit, licence, name }, calledBy, made }
}

/** The files that a form names, in the order that was typed, with what was typed of each. */
export function readFiles(form: Form, { uploads, action, item }: FilesContext): FilesRead {
  const read: FilesRead = { files: [], gone: 0, dropped: [] }
  const known = new Map(item ? Object.entries(knownFiles(item)) : [])
  for (const { number, key } of placed(form)) {
    // A row of the page's script that nothing came of.
    if (key === '') continue
    if (form.has(`file-${number}-out`)) {
      if (isUploadId(key)) read.dropped.push(key)
      continue
    }
    const waiting = isUploadId(key) ? uploads?.find(key, action) : undefined
    const found = waiting ? fromUpload(waiting) : known.get(key)
    if (!found) read.gone += 1
    else read.files.push({ ...found, texts: typedTexts(form, number) })
  }
  return read
}

/** All files that an item ever had, by the hashes of their media documents: the form may be of an older version. */
function knownFiles(item: SiteItem): Record<string, FormFile> {
  const documents = Object.entries(item.media ?? {}).filter(([, { of }]) => of === undefined)
  const all: Fields = { files: documents.map(([media]) => ({ media })) }
  return Object.fromEntries(filesOf(all, item.media).map((file) => [file.media, fromItem(file)]))
}

/** The numbers of a form's files with their keys, in their new order: who was given another place goes before others. */
function placed(form: Form): { number: number; key: string }[] {
  const numbers = [...form.keys()].flatMap((name) => {
    const [, number] = /^file-(\d{1,3})$/.exec(name) ?? []
    return number === undefined ? [] : [Number(number)]
  })
  return numbers
    .map((number) => {
      const typed = Number(form.get(`file-${number}-place`))
      const place = Number.isInteger(typed) && typed > 0 ? typed : number
      const rank = place === number ? 1 : place > number ? 2 : 0
      return { number, key: form.get(`file-${number}`) ?? '', place, rank }
    })
    .sort((a, b) => a.place - b.place || a.rank - b.rank || a.number - b.number)
}

function typedTexts(form: Form, number: number): FileTexts {
  const typed = (name: keyof FileTexts) => form.get(`file-${number}-${name}`) ?? ''
  return {
    alt: typed('alt').trim(),
    caption: typed('caption').trim(),
    credit: oneLine(typed('credit')),
    licence: oneLine(typed('licence')),
    name: oneLine(typed('name')),
  }
}

/** Inputs with more letters than they may have, by name, with how many they may have. */
export function tooLongTexts(
  files: readonly FormFile[],
): Map<string, { text: keyof FileTexts; most: number }> {
  const found = new Map<string, { text: keyof FileTexts; most: number }>()
  for (const [index, { texts }] of files.entries()) {
    for (const text of FILE_TEXTS) {
      const most = LONGEST[text]
      if (texts[text].length > most) found.set(`file-${index + 1}-${text}`, { text, most })
    }
  }
  return found
}

/** Files of which there is one of the same content before, which an item cannot have twice. */
export function doubles(files: readonly FormFile[]): FormFile[] {
  return files.filter(
    ({ file }, index) => files.findIndex((other) => other.file.sha256 === file.sha256) !== index,
  )
}

/** What is saved of a form's files: those whose texts are as they were stay as they are. */
export async function filesToSave(
  files: readonly FormFile[],
  { ledger, item, uploads, action }: FilesContext & { ledger: Pick<Ledger, 'read'> },
): Promise<SavedFile[]> {
  const saved: SavedFile[] = []
  for (const { key, texts } of files) {
    const { caption } = texts
    const said = textsOf(texts)
    const waiting = isUploadId(key) ? uploads?.find(key, action) : undefined
    if (waiting) saved.push({ file: waiting.file, texts: said, caption, upload: key })
    else if (item) saved.push(await again(key, { said, caption, item, ledger }))
  }
  return saved
}

/** A file that the item has: as it is, or with a new media document for the same bytes. */
async function again(
  media: string,
  options: { said: MediaTexts; caption: string; item: SiteItem; ledger: Pick<Ledger, 'read'> },
): Promise<SavedFile> {
  const { said, caption, item, ledger } = options
  const { alt, credit, licence, name, files = [] } = item.media?.[media] ?? {}
  const [known] = files
  const kept = { media, sha256: known?.sha256 ?? '', caption }
  if ([alt, credit, licence, name].join('\n') === [said.alt, said.credit, said.licence, said.name].join('\n'))
    return kept
  const document = (await ledger.read(`${item._id}:media:${media}`)) as Media | undefined
  const file: MediaFile | undefined = document?.files[0]
  return file ? ({ file, texts: said, caption } satisfies NewFile) : kept
}

function textsOf({ alt, credit, licence, name }: FileTexts): MediaTexts {
  return {
    ...(alt === '' ? {} : { alt }),
    ...(credit === '' ? {} : { credit }),
    ...(licence === '' ? {} : { licence }),
    ...(name === '' ? {} : { name }),
  }
}
