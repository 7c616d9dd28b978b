import type { ParameterizedContext } from 'koa'
import { HyperactiveError } from '../errors.ts'
import type { Wording } from '../i18n/wording.ts'
import { LIMITS } from '../kinds/base/fields.ts'
import type { Kind } from '../kinds/base/kind.ts'
import { notTaken, tooManyFiles } from '../media/uploads/problems.ts'
import { UPLOADS_PATH } from '../media/uploads/resumable.ts'
import { isUploadId } from '../media/uploads/uploads.ts'
import { SCRIPTS } from '../pages/assets.ts'
import type { SiteItem } from '../project/site-item.ts'
import { isKnown } from './abuse/on-forms.ts'
import type { WebContext } from './context.ts'
import { filesSentWith } from './form.ts'
import type { Form } from './form.ts'
import {
  doubles,
  FILE_TEXTS,
  filesOfItem,
  fromUpload,
  hasFiles,
  readFiles,
  tooLongTexts,
} from './item-files.ts'
import type { FormFile } from './item-files.ts'
import { problemSentence } from './item-form.ts'
import type { SentFile } from './multipart.ts'
import { wordingFor } from './page.ts'

/** The files of a form, and what is to be said of them. */
export interface FilesOfForm {
  files: FormFile[]
  /** Sentences about files that are not in the form. */
  problems: string[]
  /** What is wrong with what was typed, by name of the input. */
  errors: Record<string, string>
  /** Uploads that came with this very request. */
  fresh: string[]
}

/** What a form to publish begins with, and one to edit an item. */
export function filesToShow(kind: Kind, item: SiteItem | undefined): FilesOfForm {
  return { files: item && hasFiles(kind) ? filesOfItem(item) : [], problems: [], errors: {}, fresh: [] }
}

/**
 * Reads what a form says of its files, takes those that came with it, and removes those that were taken out. A file that
 * cannot be taken keeps nothing else from being so.
 */
export async function filesOfForm(
  ctx: ParameterizedContext,
  web: WebContext,
  { kind, form, item }: { kind: Kind; form: Form; item?: SiteItem | undefined },
): Promise<FilesOfForm> {
  const wording = wordingFor(ctx)
  const read: FilesOfForm = { files: [], problems: [], errors: {}, fresh: [] }
  if (!hasFiles(kind)) return read
  const { uploads } = web.media
  const { files, gone, dropped } = readFiles(form, { uploads, action: ctx.path, item })
  read.files = files
  for (const id of dropped) await uploads?.drop(id)
  if (gone > 0) read.problems.push(wording.t('files.gone', { count: gone }))
  const room = LIMITS.files - files.length
  // The cleaner works on some at once; they keep their order.
  const taking = filesSentWith(ctx).map((sent, index) => takeOne(ctx, web, sent, index < room))
  for (const taken of await Promise.all(taking)) {
    if (typeof taken === 'string') read.problems.push(taken)
    else {
      read.files.push(taken)
      read.fresh.push(taken.key)
    }
  }
  for (const double of doubles(read.files)) {
    read.problems.push(wording.t('files.twice', { name: double.calledBy }))
    read.files.splice(read.files.indexOf(double), 1)
    if (isUploadId(double.key)) await uploads?.release([double.key])
  }
  for (const [name, { text, most }] of tooLongTexts(read.files)) {
    const problem = `is longer than ${most} characters`
    read.errors[name] = problemSentence(wording.t(`files.${text}`), problem, wording)
  }
  return read
}

/** Gives the file, or a sentence that says why it was not taken. */
async function takeOne(
  ctx: ParameterizedContext,
  { media, gate }: WebContext,
  { name, received, problem }: SentFile,
  isRoom: boolean,
): Promise<FormFile | string> {
  const wording = wordingFor(ctx)
  try {
    if (!media.uploads || !received) throw problem ?? notTaken()
    if (!isRoom) throw tooManyFiles(LIMITS.files)
    gate.takeUpload(isKnown(ctx), wording)
    return fromUpload(await media.uploads.take(received, ctx.path))
  } catch (error) {
    if (!(error instanceof HyperactiveError)) throw error
    return fileProblem(name, error, wording)
  }
}

/** Why a file was not taken, as a sentence that names it. */
export function fileProblem(name: string, { code, message }: HyperactiveError, wording: Wording): string {
  const path = `files.problem.${code}`
  const number = code === 'upload_too_many' ? LIMITS.files : 0
  const said = wording.t(path, { name, number })
  return said === path ? `${name}: ${message}` : said
}

/** Messages that the page's script shows. */
const SAID = {
  say: [
    'drop',
    'waiting',
    'sending',
    'paused',
    'working',
    'ready',
    'failed',
    'retry',
    'hide',
    'hidden',
    'allSent',
    'send',
  ],
  faces: [
    'title',
    'how',
    'keys',
    'oval',
    'rectangle',
    'shape',
    'add',
    'area',
    'undo',
    'done',
    'cancel',
    'picture',
    'failed',
  ],
} as const

/** What the page's script works with. */
function scriptModel(action: string, { t }: Wording): object {
  const said = Object.entries(SAID).map(([group, names]) => [
    group,
    Object.fromEntries(names.map((name) => [name, t(`files.${group}.${name}`)])),
  ])
  return {
    form: action,
    uploads: UPLOADS_PATH,
    tus: SCRIPTS.tus.path,
    hideFaces: SCRIPTS.hideFaces.path,
    most: LIMITS.files,
    ...Object.fromEntries(said),
  }
}

/**
 * The files of a form as its template shows them.
 *
 * @param action the form's address
 */
export async function filesModel(
  { files, problems, errors }: FilesOfForm,
  { media }: Pick<WebContext, 'media'>,
  { action, wording }: { action: string; wording: Wording },
): Promise<object> {
  const shown = files.map(async (file, index) => ({
    number: index + 1,
    key: file.key,
    calledBy: file.calledBy,
    size: fileSize(file.file.bytes, wording),
    type: file.file.type,
    picture: await pictureOf(file, media.uploads),
    ...textsModel(file.texts, (name) => errors[`file-${index + 1}-${name}`]),
  }))
  const nothing = { alt: '', caption: '', credit: '', licence: '', name: '' }
  const blank = { number: 0, key: '', ...textsModel(nothing, () => undefined) }
  return {
    list: await Promise.all(shown),
    blank,
    problems,
    most: fileSize(media.uploads?.fileBytes ?? 0, wording),
    script: scriptModel(action, wording),
  }
}

function textsModel(typed: FormFile['texts'], errorOf: (name: string) => string | undefined) {
  const texts = FILE_TEXTS.map((name) => ({ name, value: typed[name], error: errorOf(name) }))
  const isOpen = texts.some(({ name, value, error }) =>
    name === 'alt' || name === 'caption' ? false : value !== '' || error !== undefined,
  )
  return { texts, isOpen }
}

/** Where a small picture of a file is, if there is one. */
async function pictureOf(
  { key, file, made }: FormFile,
  uploads: WebContext['media']['uploads'],
): Promise<string | undefined> {
  if (isUploadId(key)) return (await uploads?.preview(key)) ? `/uploads/${key}/preview` : undefined
  const small = made?.find(({ as, type }) => as === 'w320' && type === 'image/jpeg')
  const picture = small ?? (/^image\/(?!svg)/.test(file.type) ? file : undefined)
  return picture && `/files/${picture.sha256}.${picture.extension}`
}

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const

/** A number of bytes as people read it: "3.4 MB". */
export function fileSize(bytes: number, { language }: Pick<Wording, 'language'>): string {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log10(Math.max(bytes, 1)) / 3))
  const format = new Intl.NumberFormat(language, {
    style: 'unit',
    unit: UNITS[power] ?? 'byte',
    maximumFractionDigits: power > 1 ? 1 : 0,
  })
  return format.format(bytes / 1000 ** power)
}
