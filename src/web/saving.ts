import type { Kind } from '../kinds/base/kind.ts'
import { dayStart, dayTime } from '../ledger/clock.ts'
import { hashInId } from '../ledger/document.ts'
import type { Draft, Fields } from '../ledger/document.ts'
import { makeItemId } from '../ledger/item-id.ts'
import type { SigningKey } from '../ledger/keys.ts'
import { editTime } from '../newsroom/edit-time.ts'
import type { SiteItem } from '../project/site-item.ts'
import { sameValue } from '../resolve/values.ts'
import type { WebContext } from './context.ts'

type Saving = Pick<WebContext, 'ledger' | 'settled'>

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
  { ledger, settled }: Saving,
  {
    kind,
    fields,
    author,
    startedMs,
    salt,
  }: { kind: Kind; fields: Fields; author: SigningKey; startedMs: number; salt: Buffer },
): Promise<string> {
  const nowMs = Date.now()
  const dayOnly = fields.dayOnly === true
  const idAt = (timeMs: number) => makeItemId(author.publicKey, timeMs, salt)
  // The same form may have been sent before, the other way or on the day before.
  const sent = [startedMs, dayStart(startedMs), dayStart(nowMs)].map(idAt)
  const [known] = await ledger.known([...new Set(sent)])
  if (known !== undefined) return known
  const item = idAt(dayOnly ? dayStart(nowMs) : startedMs)
  const draft: Draft = { type: 'edit', item, kind: kind.name, parents: [], fields }
  const [document] = await ledger.append([{ draft, author, ...(dayOnly ? { at: dayTime(nowMs) } : {}) }])
  if (document) await settled(document._id)
  return item
}

/** Saves a new version, unless it says the very same as the one that readers see now. */
export async function saveEdit(
  { ledger, settled }: Saving,
  item: SiteItem,
  {
    parents,
    fields,
    author,
    note,
  }: { parents: readonly string[]; fields: Fields; author: SigningKey; note?: string | undefined },
): Promise<void> {
  const sorted = [...new Set(parents)].sort()
  if (item.clashes.length === 0 && sameValue(fields, item.fields) && sameValue(sorted, item.heads)) return
  const draft: Draft = {
    type: 'edit',
    item: item._id,
    kind: item.kind,
    parents: sorted,
    fields,
    ...(note === undefined ? {} : { note }),
  }
  const at = editTime(fields, item, sorted)
  const [document] = await ledger.append([{ draft, author, ...(at === undefined ? {} : { at }) }])
  if (document) await settled(document._id)
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
