import type { Database } from '../couch/database.ts'
import { HyperactiveError } from '../errors.ts'
import { isHash } from '../ledger/document.ts'
import { isItemId } from '../ledger/item-id.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { CATEGORIES } from '../newsroom/categories.ts'
import { commentId } from '../project/site-item.ts'

/** What is to be erased: an item with all that belongs to it, or one comment. */
export interface ErasureTarget {
  item: string
  /** The hash of a comment. */
  comment?: string
}

/** What a document of the site database is about. */
export function targetIn(siteId: string): ErasureTarget {
  const [first, item = '', comment = ''] = siteId.split(':')
  return first === 'comment' ? { item, comment } : { item: siteId }
}

/**
 * Appends an order to erase something for good, in this node's name. It names a sort of reason and never the content: the
 * order outlives what it is about.
 *
 * @param given.by the account that orders it
 * @returns the order's id
 * @throws HyperactiveError `unknown_item`, `unknown_comment` (404), `reason_missing` (422)
 */
export async function orderErasure(
  { ledger, site }: { ledger: Ledger; site: Database },
  { item, comment }: ErasureTarget,
  { category, by }: { category: string; by?: string },
): Promise<string> {
  if (!(CATEGORIES as readonly string[]).includes(category)) {
    const text = `an erasure takes a reason of the list: ${CATEGORIES.join(', ')}`
    throw new HyperactiveError('reason_missing', text, { status: 422 })
  }
  const isFit = isItemId(item) && (comment === undefined || isHash(comment))
  const id = comment === undefined ? item : commentId(item, comment)
  const found = isFit ? await site.get(id) : undefined
  // What other nodes have ordered is here without its content; it can be ordered here too.
  if (!found || found.type === 'held') {
    const code = comment === undefined ? 'unknown_item' : 'unknown_comment'
    throw new HyperactiveError(code, `there is no ${id} on this node`, { status: 404 })
  }
  const draft = {
    type: 'erasure' as const,
    item,
    target: comment ?? item,
    category,
    ...(by === undefined ? {} : { by }),
  }
  const [document] = await ledger.append([{ draft }])
  return document?._id ?? ''
}

/** Says what this node did about an order. */
export async function answerErasure(
  ledger: Ledger,
  { item, comment }: ErasureTarget,
  orders: readonly string[],
  did: 'executed' | 'declined',
): Promise<string[]> {
  const target = comment ?? item
  const drafts = orders.map((order) => ({ draft: { type: 'erasure' as const, item, target, order, did } }))
  return (await ledger.append(drafts)).map(({ _id }) => _id)
}
