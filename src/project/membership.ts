import type { Admission, Envelope, Eviction } from '../ledger/document.ts'

/** Who belongs to the network, as this node sees it. */
export interface Membership {
  /** Whether a chain of admissions leads from this node's trust anchors to the key. */
  isMember(key: string): boolean
  /** All members' keys, this node's own among them. */
  readonly members: readonly string[]
  /** Whether a member has put the key out; nothing more is taken from it. */
  isEvicted(key: string): boolean
  /** Whether a document of this key and hybrid time counts: a member's, or one dated before its key was evicted. */
  counts(key: string, at: string): boolean
}

/** What membership follows from: documents that have proven themselves, in any order. */
export interface MembershipFacts {
  /** This node's own key first, then the keys that its configuration trusts. */
  anchors: readonly string[]
  admissions: readonly Pick<Admission, 'node' | 'key' | 'at'>[]
  evictions: readonly Pick<Eviction, 'node' | 'key' | 'at'>[]
}

/**
 * Computes the members, level by level from the anchors: level 0 are the anchors, level n+1 the keys that level n
 * admits. An eviction counts when its signer stands at the same level as the evicted key or nearer to the anchors,
 * unless a member who stands no farther than the evictor admits the key again later. A node never evicts itself from
 * its own view. Pure: the order of the documents does not matter.
 */
export function computeMembership({ anchors, admissions, evictions }: MembershipFacts): Membership {
  const [own] = anchors
  const levelOf = new Map<string, number>()
  /** Evicted keys with the hybrid time of the earliest eviction in force. */
  const evicted = new Map<string, string>()
  let candidates = new Set(anchors)
  for (let level = 0; candidates.size > 0; level += 1) {
    for (const key of candidates) levelOf.set(key, level)
    // All of a level's evictions are judged by the same standing, so that their order cannot matter.
    const standing = new Map(levelOf)
    for (const { key, node, at } of evictions) {
      const evictor = standing.get(node)
      if (key === own || key === node || evictor === undefined || (standing.get(key) ?? level) < evictor)
        continue
      const readmitted = admissions.some((later) => {
        const admitter = later.node === key ? undefined : standing.get(later.node)
        return later.key === key && later.at > at && admitter !== undefined && admitter <= evictor
      })
      const before = evicted.get(key)
      if (!readmitted && (before === undefined || at < before)) evicted.set(key, at)
    }
    for (const key of evicted.keys()) levelOf.delete(key)
    candidates = new Set()
    for (const { key, node } of admissions) {
      if (levelOf.get(node) === level && !levelOf.has(key) && !evicted.has(key)) candidates.add(key)
    }
  }
  const admitted = new Set(anchors)
  for (const { key, node } of admissions) if (levelOf.has(node)) admitted.add(key)
  return {
    members: [...levelOf.keys()],
    isMember: (key) => levelOf.has(key),
    isEvicted: (key) => evicted.has(key),
    counts: (key, at) => levelOf.has(key) || (admitted.has(key) && at < (evicted.get(key) ?? '')),
  }
}

/** Whether a document is one that membership is computed from. */
export function concernsMembership(document: Envelope): document is Admission | Eviction {
  return document.type === 'admission' || document.type === 'eviction'
}
