import { Dependencies } from './dependencies.ts'
import type { Change } from './dependencies.ts'
import type { StoredPage } from './stored-page.ts'

/**
 * Pages as they were rendered, with what each was made of; a change drops exactly those that it touches. It holds as many
 * bytes as it may, and lets go of those that nobody has asked for longest.
 */
export class PageStore {
  readonly #pages = new Map<string, StoredPage>()
  readonly #dependencies = new Dependencies()
  readonly #mostBytes: number
  readonly #onDrop: (keys: readonly string[]) => void
  #bytes = 0

  /**
   * @param options.mostBytes how much the pages may take, with their compressed forms
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

  /** To be noted before a page is made: what changes from then on may concern it. */
  get now(): number {
    return this.#dependencies.now
  }

  get(key: string, nowMs = Date.now()): StoredPage | undefined {
    const page = this.#pages.get(key)
    if (!page) return undefined
    if (page.reads.untilMs <= nowMs) {
      this.#drop([key])
      return undefined
    }
    // The last in the map is the one that was asked for last.
    this.#pages.delete(key)
    this.#pages.set(key, page)
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
    if (page.reads.isUntold || this.#dependencies.isStale(page.reads, since)) return false
    this.#remove(page.key)
    this.#pages.set(page.key, page)
    this.#bytes += bytesOf(page)
    this.#dependencies.put(page.key, page.reads)
    this.#shrink()
    return true
  }

  /** To be called when a stored page's compressed forms were made. */
  grown(page: StoredPage, bytes: number): void {
    if (this.#pages.get(page.key) !== page) return
    this.#bytes += bytes
    this.#shrink()
  }

  /** Drops the pages that were made of what has changed; gives their keys. */
  changed(change: Change): string[] {
    const dropped = this.#dependencies.changed(change)
    this.#drop(dropped)
    return dropped
  }

  clear(): void {
    this.#dependencies.forgetChanges()
    this.#drop([...this.#pages.keys()])
  }

  #drop(keys: readonly string[]): void {
    if (keys.length === 0) return
    for (const key of keys) this.#remove(key)
    this.#onDrop(keys)
  }

  #remove(key: string): void {
    const page = this.#pages.get(key)
    if (!page) return
    this.#pages.delete(key)
    this.#bytes -= bytesOf(page)
    this.#dependencies.remove(key)
  }

  #shrink(): void {
    for (const key of this.#pages.keys()) {
      if (this.#bytes <= this.#mostBytes) return
      this.#remove(key)
    }
  }
}

function bytesOf({ body, forms }: StoredPage): number {
  return body.length + (forms.br?.length ?? 0) + (forms.gzip?.length ?? 0)
}
