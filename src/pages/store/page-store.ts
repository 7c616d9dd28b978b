import { Dependencies } from './dependencies.ts'
import type { Change } from './dependencies.ts'
import type { StoredPage } from './stored-page.ts'

/** What an entry among the dependencies takes beside its text, roughly, and a page beside its parts. */
const ENTRY_BYTES = 100
const PAGE_BYTES = 500

interface Held {
  page: StoredPage
  /** What it was counted as. */
  bytes: number
}

/** What other stores are told that keep pages of this one: a change and its number, or that nothing holds any more. */
export interface Told {
  number: number
  change?: Change
}

/**
 * Pages as they were rendered, with what each was made of; a change drops exactly those that it touches. It holds as many
 * bytes as it may, and lets go of those that nobody has asked for longest.
 */
export class PageStore {
  readonly #pages = new Map<string, Held>()
  readonly #dependencies = new Dependencies()
  readonly #mostBytes: number
  readonly #onDrop: (pages: readonly StoredPage[]) => void
  readonly #onEvict: (page: StoredPage) => void
  readonly #followers = new Set<(told: Told) => void>()
  #bytes = 0
  /** The last of the pages. */
  #latest: Held | undefined

  /**
   * @param options.mostBytes how much the pages may take, with their compressed forms and what is noted of them
   * @param options.onDrop told which pages do not hold any more
   * @param options.onEvict told of a page that holds, and for which there is no room
   */
  constructor({
    mostBytes,
    onDrop = () => undefined,
    onEvict = () => undefined,
  }: {
    mostBytes: number
    onDrop?: (pages: readonly StoredPage[]) => void
    onEvict?: (page: StoredPage) => void
  }) {
    this.#mostBytes = mostBytes
    this.#onDrop = onDrop
    this.#onEvict = onEvict
  }

  get size(): number {
    return this.#pages.size
  }

  get bytes(): number {
    return this.#bytes
  }

  /** How many documents, names and scopes lead to pages. */
  get dependencies(): number {
    return this.#dependencies.size
  }

  /** To be noted before a page is made: what changes from then on may concern it. */
  get now(): number {
    return this.#dependencies.now
  }

  get(key: string, nowMs = Date.now()): StoredPage | undefined {
    const held = this.#pages.get(key)
    if (!held) return undefined
    const { page } = held
    if (page.reads.untilMs <= nowMs) {
      this.#drop([key])
      return undefined
    }
    page.asked += 1
    // The last in the map is the one that was asked for last; one that many ask for is there already.
    if (held !== this.#latest) {
      this.#pages.delete(key)
      this.#pages.set(key, held)
      this.#latest = held
    }
    return page
  }

  /** A page was asked for elsewhere, where there is a copy of it. */
  asked(key: string, times: number): void {
    const page = this.get(key)
    if (page) page.asked += times - 1
  }

  has(key: string): boolean {
    return this.#pages.has(key)
  }

  /** Whether this very page is kept. */
  holds(page: StoredPage): boolean {
    return this.#pages.get(page.key)?.page === page
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
    if (page.reads.isUntold || this.#dependencies.isStale(page.reads, since)) return false
    this.#remove(page.key)
    const bytes = bytesOf(page)
    this.#latest = { page, bytes }
    this.#pages.set(page.key, this.#latest)
    this.#bytes += bytes
    this.#dependencies.put(page.key, page.reads)
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

  /** Lets go of pages that hold. */
  forget(keys: Iterable<string>): void {
    for (const key of keys) this.#remove(key)
  }

  /** Drops the pages that were made of what has changed; gives their keys. */
  changed(change: Change): string[] {
    const dropped = this.#dependencies.changed(change)
    this.#drop(dropped)
    for (const told of this.#followers) told({ number: this.now, change })
    return dropped
  }

  /** Drops what has stopped being true by itself. */
  expire(nowMs = Date.now()): void {
    this.#drop(this.#dependencies.expired(nowMs))
  }

  /** When the next page stops being true by itself, in milliseconds since 1970. */
  get nextMs(): number {
    return this.#dependencies.nextMs
  }

  clear(): void {
    this.#dependencies.forgetChanges()
    this.#drop([...this.#pages.keys()])
    for (const told of this.#followers) told({ number: this.now })
  }

  /** Tells of everything that this store is told, after it is done; gives what ends it. */
  follow(told: (told: Told) => void): () => void {
    this.#followers.add(told)
    return () => this.#followers.delete(told)
  }

  #drop(keys: readonly string[]): void {
    const pages = keys.flatMap((key) => this.#pages.get(key)?.page ?? [])
    if (pages.length === 0) return
    for (const key of keys) this.#remove(key)
    this.#onDrop(pages)
  }

  #remove(key: string): void {
    const held = this.#pages.get(key)
    if (!held) return
    this.#pages.delete(key)
    if (held === this.#latest) this.#latest = undefined
    this.#bytes -= held.bytes
    this.#dependencies.remove(key)
  }

  #shrink(): void {
    for (const [key, { page }] of this.#pages) {
      if (this.#bytes <= this.#mostBytes) return
      this.#remove(key)
      this.#onEvict(page)
    }
  }
}

/** What a page takes before its compressed forms are made, or with those that it brings along. */
function bytesOf(page: StoredPage): number {
  const { body, forms } = page
  return knownBytesOf(page) + body.length + (forms.br?.length ?? 0) + (forms.gzip?.length ?? 0)
}

/** What is in memory of a page without its bytes, about. */
export function knownBytesOf({ key, headers, reads }: Omit<StoredPage, 'body' | 'forms'>): number {
  const { documents, names, ranges } = reads
  const noted = [...documents, ...names, ...ranges.flatMap(({ from, to }) => [from, to])]
  const texts = [key, ...Object.entries(headers).flat(), ...noted]
  return texts.reduce((sum, text) => sum + text.length, PAGE_BYTES + noted.length * ENTRY_BYTES)
}
