import type { Database } from '../couch/database.ts'
import { HyperactiveError } from '../errors.ts'
import { isHash } from '../ledger/document.ts'
import type { Draft } from '../ledger/document.ts'
import { isItemId } from '../ledger/item-id.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { aspectOf, inForce } from '../project/decisions.ts'
import { commentId } from '../project/site-item.ts'
import type { SiteComment, SiteItem } from '../project/site-item.ts'

/** What moderation can say, and what it says it of: an item, or one of its comments. */
export interface Judgement {
  item: string
  /** The hash of a comment; the item itself unless given. */
  comment?: string
  action: string
  reason?: string
}

/**
 * Appends a decision, in this node's name. It supersedes those of its kind that are in force here and now; one that a
 * moderator elsewhere makes at the same time stays in force beside it.
 *
 * @returns the decision's id
 * @throws HyperactiveError `unknown_action`, `unknown_item`, `unknown_comment`
 */
export async function decide(
  { ledger, site }: { ledger: Ledger; site: Database },
  { item, comment, action, reason }: Judgement,
): Promise<string> {
  const aspect = aspectOf(action)
  if (!aspect) {
    const text = `"${action}" is not something that can be decided; hide, unhide, promote, feature, publish, stick, unstick, lock and unlock are`
    throw new HyperactiveError('unknown_action', text, { status: 400 })
  }
  const target = await targetOf(site, item, comment)
  const draft: Draft = {
    type: 'decision',
    item,
    target: comment ?? item,
    action,
    supersedes: inForce(target.decisions, aspect).sort(),
    ...(reason === undefined || reason.trim() === '' ? {} : { reason: reason.trim() }),
  }
  const [document] = await ledger.append([{ draft }])
  return document?._id ?? ''
}

async function targetOf(
  site: Database,
  item: string,
  comment: string | undefined,
): Promise<SiteItem | SiteComment> {
  if (comment === undefined) {
    const found = isItemId(item) ? await site.get(item) : undefined
    if (found?.type === 'item') return found as unknown as SiteItem
    throw new HyperactiveError('unknown_item', `there is no item ${item} on this node`, { status: 404 })
  }
  const found = isItemId(item) && isHash(comment) ? await site.get(commentId(item, comment)) : undefined
  if (found?.type === 'comment') return found as unknown as SiteComment
  throw new HyperactiveError('unknown_comment', `there is no comment ${comment} on ${item} on this node`, {
    status: 404,
  })
}
