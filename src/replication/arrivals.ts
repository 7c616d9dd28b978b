import type { Database } from '../couch/database.ts'
import { wallTime } from '../ledger/clock.ts'
import { parseId } from '../ledger/document.ts'

/** Up to which place of the ledger's changes a peer is known to hold everything, and since when that is known. */
export interface Confirmation {
  /** A `seq` of this node's ledger; opaque. */
  seq: string | number
  /** ISO 8601. */
  at: string
}

export type Confirmations = Readonly<Record<string, Confirmation>>

/** Whether a peer holds something: by its checkpoints it does, by its checkpoints it does not yet, or it never gave one. */
export type Holding = 'yes' | 'not-yet' | 'unknown'

/** How far a peer is behind this node. */
export interface Lag {
  documents: number
  /** How long the oldest of them has been on its way, as far as that can be told; 0 when none is. */
  seconds: number
}

const PAGE = 1000
const MOST_PAGES = 20

/** Keeps what the peers' checkpoints tell. */
export class ConfirmationLog {
  readonly #onChange: () => void
  readonly #confirmed: Map<string, Confirmation>

  constructor(before: Confirmations, onChange: () => void) {
    this.#confirmed = new Map(Object.entries(before))
    this.#onChange = onChange
  }

  add(peer: string, seq: string | number): void {
    this.#confirmed.set(peer, { seq, at: new Date().toISOString() })
    this.#onChange()
  }

  summary(): Confirmations {
    return Object.fromEntries(this.#confirmed)
  }
}

/**
 * Which peers hold all of these documents: those whose checkpoint has none of them still to come. A checkpoint is
 * written after the documents before it were stored, or refused for good.
 */
export async function holdings(
  ledger: Database,
  ids: readonly string[],
  peers: readonly string[],
  confirmed: Confirmations,
): Promise<Record<string, Holding>> {
  const wanted = new Set(ids)
  const answers = peers.map(async (peer): Promise<[string, Holding]> => {
    const { seq } = confirmed[peer] ?? {}
    if (seq === undefined) return [peer, 'unknown']
    const missing = await anyBehind(ledger, seq, wanted).catch(() => undefined)
    return [peer, missing === undefined ? 'unknown' : missing ? 'not-yet' : 'yes']
  })
  return Object.fromEntries(await Promise.all(answers))
}

/** How far a peer is behind, or undefined when it never gave a checkpoint. */
export async function lagBehind(
  ledger: Database,
  confirmation: Confirmation | undefined,
  nowMs: number,
): Promise<Lag | undefined> {
  if (!confirmation) return undefined
  const since = confirmation.seq
  try {
    const { results, pending = 0 } = await ledger.changes({ since, limit: PAGE, include_docs: true })
    const rows = results.filter(({ id, deleted }) => !deleted && parseId(id))
    const [first] = rows
    if (!first) return { documents: 0, seconds: 0 }
    // An import is dated long before it is stored: the peer was up to date when it last said so.
    const writtenMs = typeof first.doc?.at === 'string' ? wallTime(first.doc.at) : 0
    const sinceMs = Math.max(writtenMs, Date.parse(confirmation.at))
    return { documents: rows.length + pending, seconds: Math.max(Math.round((nowMs - sinceMs) / 1000), 0) }
  } catch {
    // A checkpoint of another ledger's time says nothing of this one.
    return undefined
  }
}

/** Whether any of the wanted documents comes after this place; undefined when that is too far to look. */
async function anyBehind(
  ledger: Database,
  from: string | number,
  wanted: ReadonlySet<string>,
): Promise<boolean | undefined> {
  let since = from
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const { results, last_seq } = await ledger.changes({ since, limit: PAGE })
    if (results.some(({ id }) => wanted.has(id))) return true
    if (results.length < PAGE) return false
    since = last_seq
  }
  return undefined
}
