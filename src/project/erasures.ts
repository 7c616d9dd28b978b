import type { Erasure } from '../ledger/document.ts'
import type { Policy } from './policy.ts'

/** What the site database remembers of one erasure document: an order, or a node's answer to one. */
export type KnownErasure = Pick<Erasure, 'at' | 'node' | 'category' | 'by' | 'order' | 'did'>

/** By the hashes of their documents. */
export type Erasures = Readonly<Record<string, KnownErasure>>

export function knownErasure({ at, node, category, by, order, did }: Erasure): KnownErasure {
  return {
    at,
    node,
    ...(category === undefined ? {} : { category }),
    ...(by === undefined ? {} : { by }),
    ...(order === undefined ? {} : { order }),
    ...(did === undefined ? {} : { did }),
  }
}

export function isOrder({ order, did }: KnownErasure): boolean {
  return order === undefined && did === undefined
}

/**
 * The orders that this node heeds: those of nodes whose decisions count here, apart from those that it has declined. What
 * is ordered to be erased is closed at once, also while somebody here is still asked.
 */
export function ordersInForce(erasures: Erasures, policy: Policy): string[] {
  const declined = new Set(ownAnswers(erasures, policy, 'declined'))
  return Object.keys(erasures)
    .filter((hash) => {
      const known = erasures[hash]
      return known !== undefined && isOrder(known) && policy.counts(known.node) && !declined.has(hash)
    })
    .sort()
}

/** Whether one of the orders in force is carried out here without asking: an own one, or by the policy any. */
export function isToExecute(erasures: Erasures, policy: Policy): boolean {
  return ordersInForce(erasures, policy).some(
    (hash) => policy.erasures === 'execute' || policy.isOwn(erasures[hash]?.node ?? ''),
  )
}

/** Whether this node has said of every order in force that it carried it out. */
export function isExecuted(erasures: Erasures, policy: Policy): boolean {
  return ordersInForce(erasures, policy).every((hash) => isAnswered(hash, erasures, policy))
}

/** Whether this node has said of an order that it carried it out. */
export function isAnswered(order: string, erasures: Erasures, policy: Policy): boolean {
  return ownAnswers(erasures, policy, 'executed').includes(order)
}

function ownAnswers(erasures: Erasures, policy: Policy, wanted: 'executed' | 'declined'): string[] {
  return Object.values(erasures).flatMap(({ node, order, did }) =>
    did === wanted && order !== undefined && policy.isOwn(node) ? [order] : [],
  )
}
