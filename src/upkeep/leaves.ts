import { revisionOf } from '../ledger/document.ts'

/** A revision of a document that no other one follows. */
export interface Leaf {
  rev: string
  deleted: boolean
  /** The revision itself and those before it, newest first, as far as the store remembers. */
  history: readonly string[]
}

/** What a ledger document's leaves say. */
export interface Verdict {
  /**
   * `live`: the revision that the id implies is a leaf, as it should be. `updated`: another one was written over it.
   * `erased`: it was deleted, or nothing lives under the id. `absent`: only others live under the id.
   */
  state: 'live' | 'updated' | 'erased' | 'absent'
  /** Living leaves other than the implied one; they came past the gateway. */
  bogus: string[]
  /** The deleted leaves of an erased document. */
  tombstones: Leaf[]
}

/**
 * Judges the leaves of a ledger document. Deletion wins over whatever else lives under the id, so that what was erased
 * stays erased; deleted branches beside the implied revision harm nobody.
 */
export function judgeLeaves(id: string, leaves: readonly Leaf[]): Verdict {
  const implied = revisionOf(id)
  const living = leaves.filter(({ deleted }) => !deleted)
  const dead = leaves.filter(({ deleted }) => deleted)
  const bogus = living.map(({ rev }) => rev).filter((rev) => rev !== implied)
  const knows = ({ history }: Leaf) => history.includes(implied)
  if (living.some(({ rev }) => rev === implied)) return { state: 'live', bogus, tombstones: [] }
  if (living.length === 0 || dead.some(knows)) return { state: 'erased', bogus, tombstones: dead }
  return { state: living.some(knows) ? 'updated' : 'absent', bogus, tombstones: [] }
}
