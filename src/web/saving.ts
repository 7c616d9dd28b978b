import type { Kind } from '../kinds/base/kind.ts'
import { dayStart, dayTime } from '../ledger/clock.ts'
import { hashInId } from '../ledger/document.ts'
import type { Draft, Envelope, Fields } from '../ledger/document.ts'
import { makeItemId } from '../ledger/item-id.ts'
import type { SigningKey } from '../ledger/keys.ts'
import type { Entry } from '../ledger/ledger.ts'
import type { MediaFile, MediaTexts } from '../ledger/media.ts'
import { editTime } from '../newsroom/edit-time.ts'
import type { SiteItem } from '../project/site-item.ts'
import { sameValue } from '../resolve/values.ts'
import type { WebContext } from './context.ts'

type Saving = Pick<WebContext, 'ledger' | 'settled' | 'media'>

/** A file of an item that has a media document. */
export interface KeptFile {
  media: string
  sha256: string
  caption: string
}

/** A file that gets one. */
export interface NewFile {
  file: MediaFile
  texts: MediaTexts
  caption: string
  /** The upload that it was. */
  upload?: string
}

export type SavedFile = KeptFile | NewFile

/** The tags under which fields list an item anew, by their canonical names; all of a new item's. */
export function newTags(fields: Fields, { terms }: Pick<WebContext, 'terms'>, before?: SiteItem): string[] {
  const tags = Array.isArray(fields.tags) ? fields.tags.map(String) : []
  return terms()
    .canonical('tag', tags)
    .filter((tag) => !before?.listing.tags.includes(tag))
}

/**
 * Publishes an item, once: the same author, time and salt make the same id.
 *
 * Where only the day shall be known, id and edit hold no more of the time.
 *
 * @param startedMs when the author began, in milliseconds since 1970; it is part of the id
 * @param salt two bytes that tell apart what one author begins in one millisecond
 * @returns the item's id
 */
export async function saveNew(
  saving: Saving,
  {
    kind,
    fields,
    author,
    files,
    startedMs,
    salt,
  }: {
    kind: Kind
    fields: Fields
    files: readonly SavedFile[]
    author: SigningKey
    startedMs: number
    salt: Buffer
  },
): Promise<string> {
  const nowMs = Date.now()
  const dayOnly = fields.dayOnly === true
  const idAt = (timeMs: number) => makeItemId(author.publicKey, timeMs, salt)
  // The same form may have been sent before, the other way or on the day before.
  const sent = [startedMs, dayStart(startedMs), dayStart(nowMs)].map(idAt)
  const [known] = await saving.ledger.known([...new Set(sent)])
  if (known !== undefined) return known
  const item = idAt(dayOnly ? dayStart(nowMs) : startedMs)
  const at = dayOnly ? dayTime(nowMs) : undefined
  await append(saving, files, { item, at, author }, (named) => ({
    type: 'edit',
    item,
    kind: kind.name,
    parents: [],
    fields: withFiles(fields, named),
  }))
  return item
}

/** Appends an edit together with the media documents that it names, and waits until it is projected. */
async function append(
  { ledger, settled, media }: Saving,
  files: readonly SavedFile[],
  { item, at, author }: { item: string; at: string | undefined; author: SigningKey },
  edit: (named: object[]) => Draft,
): Promise<void> {
  // Who shall not know when something was published is not told it by its files either.
  const dated = at === undefined ? {} : { at }
  const added = files.filter((file) => 'file' in file)
  const documents = added.map(({ file, texts }): Entry => ({
    draft: { type: 'media', item, files: [file], ...texts },
    ...dated,
  }))
  const draft = (before: readonly Envelope[]) => edit(files.map((file) => entryOf(file, added, before)))
  const appended = await ledger.append([...documents, { draft, author, ...dated }])
  media.uploads?.used(added.flatMap(({ upload }) => upload ?? []))
  const document = appended.at(-1)
  if (document) await settled(document._id)
}

/** What an edit says of a file. */
function entryOf(file: SavedFile, added: readonly NewFile[], documents: readonly Envelope[]): object {
  const said = file.caption === '' ? {} : { caption: file.caption }
  if ('media' in file) return { file: file.sha256, media: file.media, ...said }
  return { file: file.file.sha256, media: hashInId(documents[added.indexOf(file)]?._id ?? ''), ...said }
}

/** @param named entries; without any the field is absent */
function withFiles(fields: Fields, named: readonly object[]): Fields {
  return named.length === 0 ? fields : { ...fields, files: named }
}

/** Saves a new version, unless it says the very same as the one that readers see now. */
export async function saveEdit(
  saving: Saving,
  item: SiteItem,
  {
    parents,
    fields,
    files = [],
    author,
    note,
  }: {
    parents: readonly string[]
    fields: Fields
    /** The files of the new version, where the fields do not have them. */
    files?: readonly SavedFile[]
    author: SigningKey
    note?: string | undefined
  },
): Promise<void> {
  const sorted = [...new Set(parents)].sort()
  const isNew = files.some((file) => 'file' in file)
  const kept = withFiles(fields, isNew ? [] : files.map((file) => entryOf(file, [], [])))
  const isSame = !isNew && sameValue(kept, item.fields) && sameValue(sorted, item.heads)
  if (item.clashes.length === 0 && isSame) return
  const at = editTime(fields, item, sorted)
  await append(saving, files, { item: item._id, at, author }, (named) => ({
    type: 'edit',
    item: item._id,
    kind: item.kind,
    parents: sorted,
    fields: withFiles(fields, named),
    ...(note === undefined ? {} : { note }),
  }))
}

/** @returns the comment's hash */
export async function saveComment(
  { ledger, settled }: Saving,
  item: SiteItem,
  { fields, inReplyTo }: { fields: Fields; inReplyTo?: string | undefined },
): Promise<string> {
  const draft: Draft = {
    type: 'comment',
    item: item._id,
    fields,
    ...(inReplyTo === undefined ? {} : { inReplyTo }),
  }
  const [document] = await ledger.append([{ draft }])
  if (document) await settled(document._id)
  return document ? hashInId(document._id) : ''
}
