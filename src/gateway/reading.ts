import type { Database } from '../couch/database.ts'
import { parseId, revisionOf } from '../ledger/document.ts'
import type { Feed } from './feed.ts'
import type { Tail } from './tail.ts'

const SMALLEST_PAGE = 100
const LARGEST_PAGE = 1000

/** One row of `_changes` as peers get it. */
export interface Row {
  seq: string | number
  id: string
  changes: { rev: string }[]
}

/** One client's way through the ledger's changes. */
export class Reading {
  /** Where the last row given stands; opaque. */
  since: string | number
  /** How many rows of the store are behind it. */
  pending = 0
  /** How many more rows the client wants. */
  left: number
  readonly signal: AbortSignal
  readonly #database: Database
  readonly #tail: Tail | undefined

  /** @param tail for a client that waits: what it knows is not asked of the store */
  constructor(database: Database, { since, limit }: Feed, signal: AbortSignal, tail?: Tail) {
    this.#database = database
    this.#tail = tail
    this.since = since
    this.left = limit
    this.signal = signal
  }

  /**
   * The next rows that a peer may have: neither tombstones nor anything that is not a ledger document. Where rows are
   * dropped it reads on until there is one to give or nothing is pending, because replicators take an empty page for
   * the end. Each row tells of the one revision that the id implies, whatever else the store holds.
   */
  async next(): Promise<Row[]> {
    const limit = Math.min(Math.max(this.left, SMALLEST_PAGE), LARGEST_PAGE)
    for (;;) {
      this.signal.throwIfAborted()
      const query = { since: this.since, limit, style: 'all_docs' } as const
      const {
        results,
        last_seq,
        pending = 0,
      } = this.#tail?.after(this.since) ?? (await this.#database.changes(query, this.signal))
      this.since = last_seq
      this.pending = pending
      const rows: Row[] = []
      for (const [index, { id, seq, deleted }] of results.entries()) {
        if (deleted || !parseId(id)) continue
        rows.push({ seq, id, changes: [{ rev: revisionOf(id) }] })
        if (rows.length === this.left && index < results.length - 1) {
          this.since = seq
          this.pending += results.length - index - 1
          break
        }
      }
      this.left -= rows.length
      if (rows.length > 0 || results.length === 0) return rows
    }
  }
}
