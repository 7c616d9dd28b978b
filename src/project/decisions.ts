import type { Action, Decision } from '../ledger/document.ts'
import type { Policy } from './policy.ts'

/** What the site database remembers of one decision. */
export type KnownDecision = Pick<Decision, 'action' | 'supersedes' | 'at' | 'node'> & {
  reason?: string
  category?: string
  by?: string
}

type Decisions = Readonly<Record<string, KnownDecision>>

/** Why nobody can read something, not even behind a notice. */
export type Closed = 'erased' | 'concealed' | 'withdrawn' | 'awaiting'

/** What the decisions in force make of an item or a comment. */
export interface Standing {
  /** In no listing; its page, if it has one, stands behind a notice. */
  hidden: boolean
  /** Its text is on no page at all. */
  closed?: Closed
  /** Why it is hidden, in the words of the decision in force. */
  reason?: string
  category?: string
  status: 'published' | 'promoted' | 'featured'
  sticky: boolean
  /** Takes no more comments. */
  locked: boolean
}

/**
 * What decisions are about. Each is settled by itself: somebody who promotes an item has not thereby said that it
 * shall be shown, and what its author withdrew no moderator brings back. Actions stand in order, the most restrictive
 * one first.
 */
const ASPECTS = {
  visibility: ['conceal', 'hide', 'unhide'],
  author: ['withdraw', 'reinstate'],
  review: ['approve'],
  status: ['publish', 'promote', 'feature'],
  place: ['unstick', 'stick'],
  comments: ['lock', 'unlock'],
} as const satisfies Record<string, readonly Action[]>

export type Aspect = keyof typeof ASPECTS

/** Everything that can be decided. */
export const ACTIONS: readonly Action[] = Object.values(ASPECTS).flat()

const STATUS = { publish: 'published', promote: 'promoted', feature: 'featured' } as const

/** The aspect that an action settles, or undefined for one that this version does not know. */
export function aspectOf(action: string): Aspect | undefined {
  const aspects = Object.keys(ASPECTS) as Aspect[]
  return aspects.find((aspect) => (ASPECTS[aspect] as readonly string[]).includes(action))
}

/**
 * Whoever decided: two moderators of one node are two, and one who decides twice is one, also on two nodes that share
 * their people. A node's command line is one.
 */
function deciderOf({ node, by }: Pick<KnownDecision, 'node' | 'by'>): string {
  return by === undefined ? `node ${node}` : `account ${by}`
}

/**
 * Which decisions of an aspect are in force under a policy: those that count and that no other counting one of the same
 * aspect supersedes. Several are, when moderators decided at once; then the most restrictive one counts.
 */
export function inForce(decisions: Decisions, aspect: Aspect, policy: Policy): string[] {
  const ofAspect = Object.entries(decisions).filter(
    ([, { action, node }]) => aspectOf(action) === aspect && (aspect === 'author' || policy.counts(node)),
  )
  const superseded = new Set(
    ofAspect.flatMap(([hash, { supersedes }]) => supersedes.filter((other) => other !== hash)),
  )
  const order = ASPECTS[aspect] as readonly string[]
  return ofAspect
    .filter(([hash]) => !superseded.has(hash))
    .sort(([a, { action: x }], [b, { action: y }]) => order.indexOf(x) - order.indexOf(y) || (a < b ? -1 : 1))
    .map(([hash]) => hash)
}

/**
 * What a new decision takes the place of: all that is in force of its kind. Only the wish to hide something completely
 * leaves those of others standing that say the same, because the policy may ask for several.
 */
export function supersededBy(
  decision: Pick<KnownDecision, 'action' | 'node' | 'by'>,
  decisions: Decisions,
  policy: Policy,
): string[] {
  const aspect = aspectOf(decision.action)
  if (!aspect) return []
  const decider = deciderOf(decision)
  return inForce(decisions, aspect, policy)
    .filter((hash) => {
      const other = decisions[hash]
      return decision.action !== 'conceal' || other?.action !== 'conceal' || deciderOf(other) === decider
    })
    .sort()
}

/** Whether somebody has said that this shall be shown: approved of it, shown it again, or put it forward. */
export function isApproved(decisions: Decisions, policy: Policy): boolean {
  const inAspect = (aspect: Aspect) => {
    const [first] = inForce(decisions, aspect, policy)
    return first === undefined ? undefined : decisions[first]?.action
  }
  const status = inAspect('status')
  return (
    inAspect('review') !== undefined ||
    inAspect('visibility') === 'unhide' ||
    (status !== undefined && status !== 'publish')
  )
}

/**
 * What all known decisions make of their target under a policy. Pure: the same decisions give the same answer, in any
 * order.
 *
 * @param options.needsReview whether it is shown only once somebody has approved of it
 * @param options.erased whether an order to erase it is in force
 */
export function standingOf(
  decisions: Decisions,
  policy: Policy,
  { needsReview = false, erased = false }: { needsReview?: boolean; erased?: boolean } = {},
): Standing {
  const standing = (aspect: Aspect) =>
    inForce(decisions, aspect, policy).flatMap((hash) => decisions[hash] ?? [])
  const [visibility] = standing('visibility')
  const [status] = standing('status')
  const isHidden = visibility?.action === 'hide' || visibility?.action === 'conceal'
  const closed = closedBy()
  return {
    hidden: isHidden || closed !== undefined,
    ...(closed === undefined ? {} : { closed }),
    ...(isHidden && visibility.reason !== undefined ? { reason: visibility.reason } : {}),
    ...(isHidden && visibility.category !== undefined ? { category: visibility.category } : {}),
    status: STATUS[(status?.action ?? 'publish') as keyof typeof STATUS],
    sticky: standing('place')[0]?.action === 'stick',
    locked: standing('comments')[0]?.action === 'lock',
  }

  function closedBy(): Closed | undefined {
    if (erased) return 'erased'
    const concealers = standing('visibility').filter(({ action }) => action === 'conceal')
    if (new Set(concealers.map(deciderOf)).size >= policy.concealNeeds) return 'concealed'
    if (standing('author')[0]?.action === 'withdraw') return 'withdrawn'
    return needsReview && !isHidden && !isApproved(decisions, policy) ? 'awaiting' : undefined
  }
}
