import { createHash } from 'node:crypto'
import type { Config } from '../config/config.ts'

/**
 * How this node moderates: it makes of the same ledger what its people want. Nothing is ever deleted by it; another
 * policy projects the ledger anew.
 */
export interface Policy {
  /** Whether the decisions that a node signed count here. */
  counts(node: string): boolean
  /** Whether this is the node's own key. */
  isOwn(node: string): boolean
  /** Whether other nodes' orders to erase are carried out, or somebody here is asked. */
  erasures: 'execute' | 'ask'
  /** How many moderators it takes to hide something completely. */
  concealNeeds: number
  /** Whether items, or comments, are shown only once somebody has approved of them. */
  reviews: { items: boolean; comments: boolean }
  /** Whether readers can comment at all. */
  takesComments: boolean
  /** Items that were published before this hybrid time need no review. */
  reviewFrom: string
  /** Changes when the same ledger would give other site documents. */
  digest: string
}

/** @param own this node's public key, whose decisions always count */
export function policyOf(
  { moderation, mirror }: Pick<Config, 'moderation'> & Partial<Pick<Config, 'mirror'>>,
  own: string,
): Policy {
  const { decisions, erasures, concealNeeds, publishing, comments, reviewFrom = '' } = moderation
  const listed = new Set(typeof decisions === 'string' ? [] : decisions)
  const text = JSON.stringify([decisions, concealNeeds, publishing, comments === 'review', reviewFrom, own])
  return {
    counts: (node) => decisions === 'all' || node === own || listed.has(node),
    isOwn: (node) => node === own,
    // There is nobody on a mirror to be asked.
    erasures: mirror ? 'execute' : erasures,
    concealNeeds,
    reviews: { items: publishing === 'review', comments: comments === 'review' },
    takesComments: comments !== 'closed',
    reviewFrom,
    digest: createHash('sha256').update(text).digest('hex').slice(0, 16),
  }
}
