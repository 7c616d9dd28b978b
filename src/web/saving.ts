import type { Kind } from '../kinds/base/kind.ts'
import { hashInId } from '../ledger/document.ts'
import type { Draft, Fields } from '../ledger/document.ts'
import { makeItemId } from '../ledger/item-id.ts'
import type { SigningKey } from '../ledger/keys.ts'
import type { SiteItem } from '../project/site-item.ts'
import { sameValue } from '../resolve/values.ts'
import type { WebContext } from './context.ts'

type Saving = Pick<WebContext, 'ledger' | 'settled'>

/**
 * Publishes an item, once: the same author, time and salt make the same id.
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
  const item = makeItemId(author.publicKey, startedMs, salt)
  if ((await ledger.known([item])).size === 0) {
    const draft: Draft = { type: 'edit', item, kind: kind.name, parents: [], fields }
    const [document] = await ledger.append([{ draft, author }])
    if (document) await settled(document._id)
  }
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
  const [document] = await ledger.append([{ draft, author }])
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
