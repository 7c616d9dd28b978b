import type { RangeRead, Reads } from '../../reads.ts'
import type { ChangedRow } from './changed-rows.ts'
import type { StoredPage } from './stored-page.ts'

/** What has changed, as pages are told of it. */
export interface Change {
  documents: readonly string[]
  rows: readonly ChangedRow[]
  names: readonly string[]
}

/** How many changed documents, rows and names are remembered for pages that were being made when they changed. */
const REMEMBERED = 50_000
/** What an entry of the indexes takes beside its text, roughly, and a page beside its parts. */
const ENTRY_BYTES = 100
const PAGE_BYTES = 500

interface Remembered extends Change {
  number: number
  size: number
}

interface Held {
  page: StoredPage
  /** What it was counted as. */
  bytes: number
}

/**
 * Pages as they were rendered, with what each was made of; a change drops exactly those that it touches. It holds as many
 * bytes as it may, and lets go of those that nobody has asked for longest.
 */
export class PageStore {
  readonly #pages = new Map<string, Held>()
  readonly #byDocument = new Map<string, Set<string>>()
  readonly #byName = new Map<string, Set<string>>()
  /** By view and first part of the key, such as a tag's listing: the pages that read something of it. */
  readonly #byScope = new Map<string, Set<string>>()
  readonly #changes: Remembered[] = []
  readonly #mostBytes: number
  readonly #onDrop: (keys: readonly string[]) => void
  #bytes = 0
  #number = 0
  #remembered = 0

  /**
   * @param options.mostBytes how much the pages may take, with their compressed forms and what is noted of them
   * @param options.onDrop told which pages do not hold any more
   */
  constructor({
    mostBytes,
    onDrop = () => undefined,
  }: {
    mostBytes: number
    onDrop?: (keys: readonly string[]) => void
  }) {
    this.#mostBytes = mostBytes
    this.#onDrop = onDrop
  }

  get size(): number {
    return this.#pages.size
  }

  get bytes(): number {
    return this.#bytes
  }

  /** How many documents, names and ranges lead to pages. */
  get entries(): number {
    return this.#byDocument.size + this.#byName.size + this.#byScope.size
  }

  /** To be noted before a page is made: what changes from then on may concern it. */
  get now(): number {
    return this.#number
  }

  get(key: string, nowMs = Date.now()): StoredPage | undefined {
    const held = this.#pages.get(key)
    if (!held) return undefined
    const { page } = held
    if (page.reads.untilMs <= nowMs) {
      this.#drop([key])
      return undefined
    }
    // The last in the map is the one that was asked for last.
    this.#pages.delete(key)
    this.#pages.set(key, held)
    return page
  }

  keys(): IterableIterator<string> {
    return this.#pages.keys()
  }

  /**
   * Keeps a page, unless something that it was made of has changed since it was begun.
   *
   * @param since {@link now} as it was before the page was made
   * @returns whether it is kept
   */
  put(page: StoredPage, since: number): boolean {
    if (page.reads.isUntold || this.#isStale(page.reads, since)) return false
    this.#remove(page.key)
    const bytes = bytesOf(page)
    this.#pages.set(page.key, { page, bytes })
    this.#bytes += bytes
    for (const id of page.reads.documents) entry(this.#byDocument, id).add(page.key)
    for (const name of page.reads.names) entry(this.#byName, name).add(page.key)
    for (const range of page.reads.ranges) entry(this.#byScope, scopeOfRange(range)).add(page.key)
    this.#shrink()
    return true
  }

  /** To be called when a stored page's compressed forms were made. */
  grown(page: StoredPage, bytes: number): void {
    const held = this.#pages.get(page.key)
    if (held?.page !== page) return
    held.bytes += bytes
    this.#bytes += bytes
    this.#shrink()
  }

  /** Drops the pages that were made of what has changed; gives their keys. */
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
          const held = this.#pages.get(key)
          if (held && isRead(held.page.reads, row)) keys.add(key)
        }
      }
    }
    const dropped = [...keys]
    this.#drop(dropped)
    return dropped
  }

  clear(): void {
    this.#number += 1
    this.#changes.length = 0
    this.#remembered = 0
    this.#drop([...this.#pages.keys()])
  }

  #isStale(reads: Reads, since: number): boolean {
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

  #drop(keys: readonly string[]): void {
    if (keys.length === 0) return
    for (const key of keys) this.#remove(key)
    this.#onDrop(keys)
  }

  #remove(key: string): void {
    const held = this.#pages.get(key)
    if (!held) return
    const { page, bytes } = held
    this.#pages.delete(key)
    this.#bytes -= bytes
    for (const id of page.reads.documents) leave(this.#byDocument, id, key)
    for (const name of page.reads.names) leave(this.#byName, name, key)
    for (const range of page.reads.ranges) leave(this.#byScope, scopeOfRange(range), key)
  }

  #shrink(): void {
    for (const key of this.#pages.keys()) {
      if (this.#bytes <= this.#mostBytes) return
      this.#remove(key)
    }
  }
}

function isRead(reads: Reads, { view, ordered }: ChangedRow): boolean {
  return reads.ranges.some((range) => range.view === view && range.from <= ordered && ordered <= range.to)
}

/** A page without the compressed forms that are made later. */
function bytesOf({ body, key, headers, reads }: StoredPage): number {
  const { documents, names, ranges } = reads
  const noted = [...documents, ...names, ...ranges.flatMap(({ from, to }) => [from, to])]
  const texts = [key, ...Object.entries(headers).flat(), ...noted]
  return (
    PAGE_BYTES + body.length + noted.length * ENTRY_BYTES + texts.reduce((sum, text) => sum + text.length, 0)
  )
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

function scopeOf(view: string, ordered: string): string {
  return `${view} ${ordered.slice(0, ordered.indexOf(END) + 1)}`
}

/** Only the view's name for a range that reaches over several. */
function scopeOfRange({ view, from, to }: RangeRead): string {
  const [first, last] = [scopeOf(view, from), scopeOf(view, to)]
  return first === last ? first : `${view} `
}
