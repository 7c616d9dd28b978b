import type { Published } from '../helpers/forms.ts'
import type { Marker } from './operations.ts'

/**
 * What became of a text that a person sent: `acknowledged` by a 303 (or by an import's report), or `unknown`, because
 * the answer was lost or was an error page: the ledger may have it or not.
 */
export type Outcome = 'acknowledged' | 'unknown'

export interface Attempt {
  node: string
  outcome: Outcome
  /** Why it was not acknowledged. */
  reason?: string
}

/** What the network has to hold, as far as the people outside can tell. */
export class Model {
  /** Articles whose publishing was acknowledged, by the name that operations give them. */
  readonly articles = new Map<string, Published>()
  /** Every text that was ever sent off, by its marker. */
  readonly attempts = new Map<Marker, Attempt>()

  /** To be called before a text is sent. */
  attempt(marker: Marker, node: string): void {
    this.attempts.set(marker, { node, outcome: 'unknown' })
  }

  acknowledge(marker: Marker): void {
    const attempt = this.attempts.get(marker)
    if (attempt) this.attempts.set(marker, { node: attempt.node, outcome: 'acknowledged' })
  }

  fail(marker: Marker, reason: string): void {
    const attempt = this.attempts.get(marker)
    if (attempt?.outcome === 'unknown') attempt.reason = reason
  }

  markers(outcome: Outcome): Marker[] {
    return [...this.attempts].filter(([, attempt]) => attempt.outcome === outcome).map(([marker]) => marker)
  }
}
