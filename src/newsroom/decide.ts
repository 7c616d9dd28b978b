import type { Database } from '../couch/database.ts'
import { HyperactiveError } from '../errors.ts'
import { isHash } from '../ledger/document.ts'
import type { Draft } from '../ledger/document.ts'
import { isItemId } from '../ledger/item-id.ts'
import type { SigningKey } from '../ledger/keys.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { ACTIONS, aspectOf, supersededBy } from '../project/decisions.ts'
import type { Policy } from '../project/policy.ts'
import { commentId } from '../project/site-item.ts'
import type { SiteComment, SiteItem } from '../project/site-item.ts'

/** What moderation can say, and what it says it of: an item, or one of its comments. */
export interface Judgement {
  item: string
  /** The hash of a comment; the item itself unless given. */
  comment?: string
  action: string
  reason?: string
  /** One of the categories, or another that a reader will see as it is. */
  category?: string
  /** The account that decides. */
  by?: string
  /** The author's key, for withdrawing and taking that back. */
  author?: SigningKey
}

/** What deciding takes. */
export interface Newsroom {
  ledger: Ledger
  site: Database
  policy: Policy
}

/**
 * Appends a decision, in this node's name. It supersedes those of its kind that are in force here and now; one that a
 * moderator elsewhere makes at the same time stays in force beside it.
 *
 * @returns the decision's id
 * @throws HyperactiveError `unknown_action`, `unknown_item`, `unknown_comment`
 */
export async function decide(
  { ledger, site, policy }: Newsroom,
  { item, comment, action, reason, category, by, author }: Judgement,
): Promise<string> {
  if (!aspectOf(action)) {
    const text = `"${action}" is not something that can be decided; ${ACTIONS.join(', ')} are`
    throw new HyperactiveError('unknown_action', text, { status: 400 })
  }
  const target = await targetOf(site, item, comment)
  const decider = { action, node: ledger.node, ...(by === undefined ? {} : { by }) }
  const draft: Draft = {
    type: 'decision',
    item,
    target: comment ?? item,
    action,
    supersedes: supersededBy(decider, target.decisions, policy),
    ...(by === undefined ? {} : { by }),
    ...(category === undefined || category === '' ? {} : { category }),
    ...(reason === undefined || reason.trim() === '' ? {} : { reason: reason.trim() }),
  }
  const [document] = await ledger.append([{ draft, ...(author ? { author } : {}) }])
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
