import type { Database } from '../couch/database.ts'
import { HyperactiveError } from '../errors.ts'
import { isHash } from '../ledger/document.ts'
import type { Draft } from '../ledger/document.ts'
import { isItemId } from '../ledger/item-id.ts'
import type { SigningKey } from '../ledger/keys.ts'
import type { Entry, Ledger } from '../ledger/ledger.ts'
import { inPieces } from '../pieces.ts'
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
  /** The decisions that it takes the place of; those of its kind that are in force unless given. */
  over?: readonly string[]
  /** The author's key, for withdrawing and taking that back. */
  author?: SigningKey
}

/** What deciding takes. */
export interface Newsroom {
  ledger: Ledger
  site: Database
  policy: Policy
}

/** Decisions that are read for and appended together. */
const AT_ONCE = 200

/**
 * Appends a decision, in this node's name. It supersedes those of its kind that are in force here and now; one that a
 * moderator elsewhere makes at the same time stays in force beside it.
 *
 * @returns the decision's id
 * @throws HyperactiveError `unknown_action`, `unknown_item`, `unknown_comment`
 */
export async function decide(newsroom: Newsroom, judgement: Judgement): Promise<string> {
  checkAction(judgement.action)
  const { item, comment } = judgement
  const target = await targetOf(newsroom.site, item, comment)
  const [document] = await newsroom.ledger.append([entryOf(newsroom, judgement, target)])
  return document?._id ?? ''
}

/**
 * Decides on many at once: two hundred take one read and one write. What is not on this node is left out.
 *
 * @returns the decisions' ids, in the order of what was asked for
 * @throws HyperactiveError `unknown_action`
 */
export async function decideOnAll(newsroom: Newsroom, judgements: readonly Judgement[]): Promise<string[]> {
  for (const { action } of judgements) checkAction(action)
  const ids: string[] = []
  for (const some of inPieces(judgements, AT_ONCE)) {
    const keys = some.map(({ item, comment }) => (comment === undefined ? item : commentId(item, comment)))
    const { rows } = await newsroom.site.allDocs({ keys, include_docs: true })
    const entries = some.flatMap((judgement, index) => {
      const found = rows[index]?.doc
      const type = judgement.comment === undefined ? 'item' : 'comment'
      if (found?.type !== type) return []
      return [entryOf(newsroom, judgement, found as unknown as SiteItem | SiteComment)]
    })
    if (entries.length > 0) ids.push(...(await newsroom.ledger.append(entries)).map(({ _id }) => _id))
  }
  return ids
}

function checkAction(action: string): void {
  if (aspectOf(action)) return
  const text = `"${action}" is not something that can be decided; ${ACTIONS.join(', ')} are`
  throw new HyperactiveError('unknown_action', text, { status: 400 })
}

function entryOf(
  { ledger, policy }: Newsroom,
  { item, comment, action, reason, category, by, author, over }: Judgement,
  target: SiteItem | SiteComment,
): Entry {
  const decider = { action, node: ledger.node, ...(by === undefined ? {} : { by }) }
  const draft: Draft = {
    type: 'decision',
    item,
    target: comment ?? item,
    action,
    supersedes: [...(over ?? supersededBy(decider, target.decisions, policy))],
    ...(by === undefined ? {} : { by }),
    ...(category === undefined || category === '' ? {} : { category }),
    ...(reason === undefined || reason.trim() === '' ? {} : { reason: reason.trim() }),
  }
  return { draft, ...(author ? { author } : {}) }
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
