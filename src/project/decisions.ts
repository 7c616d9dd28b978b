import type { Action, Decision } from '../ledger/document.ts'

/** What the site database remembers of one decision. */
export type KnownDecision = Pick<Decision, 'action' | 'supersedes' | 'at' | 'node'> & { reason?: string }

/** What the decisions in force make of an item or a comment. */
export interface Standing {
  hidden: boolean
  /** Why it is hidden, in the words of the decision in force. */
  reason?: string
  status: 'published' | 'promoted' | 'featured'
  sticky: boolean
  /** Takes no more comments. */
  locked: boolean
}

/**
 * What decisions are about. Each is settled by itself: somebody who promotes an item has not thereby said that it
 * shall be shown. Actions stand in order, the most restrictive one first.
 */
const ASPECTS = {
  visibility: ['hide', 'unhide'],
  status: ['publish', 'promote', 'feature'],
  place: ['unstick', 'stick'],
  comments: ['lock', 'unlock'],
} as const satisfies Record<string, readonly Action[]>

type Aspect = keyof typeof ASPECTS

const STATUS = { publish: 'published', promote: 'promoted', feature: 'featured' } as const

/** The aspect that an action settles, or undefined for one that this version does not know. */
export function aspectOf(action: string): Aspect | undefined {
  const aspects = Object.keys(ASPECTS) as Aspect[]
  return aspects.find((aspect) => (ASPECTS[aspect] as readonly string[]).includes(action))
}

/**
 * Which decisions of an aspect are in force: those that no other of the same aspect supersedes. Several are, when
 * moderators decided at once; then the most restrictive one counts.
 */
export function inForce(decisions: Readonly<Record<string, KnownDecision>>, aspect: Aspect): string[] {
  const ofAspect = Object.entries(decisions).filter(([, { action }]) => aspectOf(action) === aspect)
  const superseded = new Set(
    ofAspect.flatMap(([hash, { supersedes }]) => supersedes.filter((other) => other !== hash)),
  )
  const order = ASPECTS[aspect] as readonly string[]
  return ofAspect
    .filter(([hash]) => !superseded.has(hash))
    .sort(([a, { action: x }], [b, { action: y }]) => order.indexOf(x) - order.indexOf(y) || (a < b ? -1 : 1))
    .map(([hash]) => hash)
}

/** What all known decisions make of their target. Pure: the same decisions give the same answer, in any order. */
export function standingOf(decisions: Readonly<Record<string, KnownDecision>>): Standing {
  const counting = (aspect: Aspect) => decisions[inForce(decisions, aspect)[0] ?? '']
  const visibility = counting('visibility')
  const status = counting('status')?.action as keyof typeof STATUS | undefined
  return {
    hidden: visibility?.action === 'hide',
    ...(visibility?.action === 'hide' && visibility.reason !== undefined
      ? { reason: visibility.reason }
      : {}),
    status: status === undefined ? 'published' : STATUS[status],
    sticky: counting('place')?.action === 'stick',
    locked: counting('comments')?.action === 'lock',
  }
}
