import type { RangeRead, Reads } from '../../reads.ts'
import type { ChangedRow } from './changed-rows.ts'

/** What has changed, as pages are told of it. */
export interface Change {
  documents: readonly string[]
  rows: readonly ChangedRow[]
  names: readonly string[]
}

/** How many changed documents, rows and names are remembered for pages that were being made when they changed. */
const REMEMBERED = 50_000

interface Remembered extends Change {
  number: number
  size: number
}

/** What pages were made of, by their keys: says which a change touches. */
export class Dependencies {
  readonly #reads = new Map<string, Reads>()
  readonly #byDocument = new Map<string, Set<string>>()
  readonly #byName = new Map<string, Set<string>>()
  /** By view and first part of the key, such as a tag's listing: the pages that read something of it. */
  readonly #byScope = new Map<string, Set<string>>()
  readonly #changes: Remembered[] = []
  #number = 0
  #remembered = 0

  /** To be noted before a page is made: what changes from then on may concern it. */
  get now(): number {
    return this.#number
  }

  /** How many documents, names and scopes lead to pages. */
  get size(): number {
    return this.#byDocument.size + this.#byName.size + this.#byScope.size
  }

  put(key: string, reads: Reads): void {
    this.remove(key)
    this.#reads.set(key, reads)
    for (const id of reads.documents) entry(this.#byDocument, id).add(key)
    for (const name of reads.names) entry(this.#byName, name).add(key)
    for (const range of reads.ranges) entry(this.#byScope, scopeOfRange(range)).add(key)
  }

  remove(key: string): void {
    const reads = this.#reads.get(key)
    if (!reads) return
    this.#reads.delete(key)
    for (const id of reads.documents) leave(this.#byDocument, id, key)
    for (const name of reads.names) leave(this.#byName, name, key)
    for (const range of reads.ranges) leave(this.#byScope, scopeOfRange(range), key)
  }

  /** Takes in a change; gives the keys of the pages that were made of what has changed. */
  changed(change: Change): string[] {
    this.#number += 1
    const size = 1 + change.documents.length + change.rows.length + change.names.length
    this.#changes.push({ ...change, number: this.#number, size })
    this.#remembered += size
    while (this.#remembered > REMEMBERED) this.#remembered -= this.#changes.shift()?.size ?? REMEMBERED
    const keys = new Set<string>()
    for (const id of change.documents) for (const key of this.#byDocument.get(id) ?? []) keys.add(key)
    for (const name of change.names) for (const key of this.#byName.get(name) ?? []) keys.add(key)
    for (const row of change.rows) {
      for (const scope of [scopeOf(row.view, row.ordered), `${row.view} `]) {
        for (const key of this.#byScope.get(scope) ?? []) {
          const reads = this.#reads.get(key)
          if (reads && isRead(reads, row)) keys.add(key)
        }
      }
    }
    return [...keys]
  }

  /** Everything may have changed: whatever is being made now is stale. */
  forgetChanges(): void {
    this.#number += 1
    this.#changes.length = 0
    this.#remembered = 0
  }

  /** Whether something of this has changed since {@link now} was `since`. */
  isStale(reads: Reads, since: number): boolean {
    const [oldest] = this.#changes
    if (since < (oldest?.number ?? this.#number + 1) - 1) return this.#number !== since
    return this.#changes.some(
      (change) =>
        change.number > since &&
        (change.documents.some((id) => reads.documents.has(id)) ||
          change.names.some((name) => reads.names.has(name)) ||
          change.rows.some((row) => isRead(reads, row))),
    )
  }

  /** The keys of what has stopped being true by itself. */
  expired(nowMs: number): string[] {
    return [...this.#reads].filter(([, { untilMs }]) => untilMs <= nowMs).map(([key]) => key)
  }

  /** When the next page stops being true by itself, in milliseconds since 1970. */
  get nextMs(): number {
    let next = Infinity
    for (const { untilMs } of this.#reads.values()) next = Math.min(next, untilMs)
    return next
  }
}

function isRead(reads: Reads, { view, ordered }: ChangedRow): boolean {
  return reads.ranges.some((range) => range.view === view && range.from <= ordered && ordered <= range.to)
}

function entry(index: Map<string, Set<string>>, name: string): Set<string> {
  const known = index.get(name) ?? new Set()
  index.set(name, known)
  return known
}

function leave(index: Map<string, Set<string>>, name: string, key: string): void {
  const known = index.get(name)
  known?.delete(key)
  if (known?.size === 0) index.delete(name)
}

/** A text ends with this where keys are ordered. */
const END = '\u0000'

/** What a row's page of a view is found by: the view and the first part of the row's key. */
export function scopeOf(view: string, ordered: string): string {
  return `${view} ${ordered.slice(0, ordered.indexOf(END) + 1)}`
}

/** Only the view's name for a range that reaches over several. */
export function scopeOfRange({ view, from, to }: RangeRead): string {
  const [first, last] = [scopeOf(view, from), scopeOf(view, to)]
  return first === last ? first : `${view} `
}
