import { logger } from '../../log.ts'
import { ColdPages } from './cold-pages.ts'
import type { Change } from './dependencies.ts'
import { PageFiles } from './page-files.ts'
import type { FilesState } from './page-files.ts'
import { PageStore } from './page-store.ts'
import { compressForms } from './stored-page.ts'
import type { StoredPage } from './stored-page.ts'

const log = logger('pages')

/** Shorter pages are sent as they are. */
const SMALLEST_COMPRESSED = 1000
const LONGEST_TIMER_MS = 24 * 3_600_000

/** What there is of kept pages, and what is wrong with them. */
export interface ShelvesState extends FilesState {
  kept: number
  bytesInMemory: number
}

/**
 * Kept pages in memory and on disk: each is compressed once and put on disk; those that nobody has asked for longest
 * are on disk alone. What changes drops pages at once wherever they are, and so does the time until which they are true.
 */
export class Shelves {
  readonly memory: PageStore
  readonly #files: PageFiles | undefined
  readonly #cold: ColdPages | undefined
  readonly #finishing = new Set<Promise<void>>()
  readonly #compressing = new WeakMap<StoredPage, Promise<void>>()
  /** Runs when the next page stops being true by itself. */
  #expiry: NodeJS.Timeout | undefined
  #expiryMs = Infinity

  /**
   * @param options.mostBytes how much pages may take in memory; those on disk alone take up to as much again
   * @param options.files where pages lie on disk as well, and how much they may take there
   * @param options.onDrop told which pages in memory do not hold any more
   */
  constructor({
    mostBytes,
    files,
    onDrop,
  }: {
    mostBytes: number
    files: { folder: string; mostBytes: number } | undefined
    onDrop: (pages: readonly StoredPage[]) => void
  }) {
    this.memory = new PageStore({
      mostBytes,
      onDrop: (pages) => {
        this.#files?.remove(pages.map(({ key }) => key))
        onDrop(pages)
      },
      onEvict: (page) => this.#cold?.add(page),
    })
    if (!files) return
    this.#files = new PageFiles({ ...files, onRemoved: (key) => this.#cold?.forget(key) })
    this.#cold = new ColdPages({ files: this.#files, mostBytes })
  }

  /** To be called before the first page is kept. */
  async open(): Promise<void> {
    await this.#files?.open()
  }

  /** Ends; the files stay, so that a web server answers with them while the node is away. */
  async close(): Promise<void> {
    clearTimeout(this.#expiry)
    this.#expiryMs = -Infinity
    await Promise.all(this.#finishing)
    await this.#files?.close()
  }

  get hasFiles(): boolean {
    return this.#files !== undefined
  }

  get state(): ShelvesState {
    const { size, bytes } = this.memory
    const kept = size + (this.#cold?.size ?? 0)
    return { files: 0, bytes: 0, ...this.#files?.state, kept, bytesInMemory: bytes }
  }

  /** Whether there is such a page, in memory or on disk. */
  has(key: string): boolean {
    return this.memory.has(key) || this.isCold(key)
  }

  /** Whether such a page is on disk alone. */
  isCold(key: string): boolean {
    return this.#cold?.has(key) ?? false
  }

  /** Takes a page from disk into memory; undefined if it does not hold any more or its files are damaged. */
  async thaw(key: string): Promise<StoredPage | undefined> {
    const since = this.memory.now
    const page = await this.#cold?.take(key)
    if (!page) return undefined
    if (this.memory.put(page, since)) return page
    this.#files?.remove([key])
    return undefined
  }

  /** Keeps a page as {@link PageStore.put} does. */
  put(page: StoredPage, since: number): boolean {
    if (!this.memory.put(page, since)) return false
    this.#cold?.forget(page.key)
    this.#expireAt(page.reads.untilMs)
    const finishing = this.#finish(page).finally(() => this.#finishing.delete(finishing))
    this.#finishing.add(finishing)
    return true
  }

  changed(change: Change): void {
    this.memory.changed(change)
    this.#cold?.changed(change)
  }

  clear(): void {
    this.memory.clear()
    this.#cold?.clear()
    void this.#files?.clear()
  }

  /** Resolves when a page has its compressed forms. */
  async whole(page: StoredPage): Promise<void> {
    await this.#compressing.get(page)
  }

  /** Resolves when all pages that are kept are compressed and on disk. */
  async settled(): Promise<void> {
    await Promise.all(this.#finishing)
    await this.#files?.written()
  }

  /** Compresses a page once, for all who ask for it, and puts it on disk. */
  async #finish(page: StoredPage): Promise<void> {
    const compressing = this.#compress(page)
    this.#compressing.set(page, compressing)
    await compressing
    if (this.memory.holds(page)) this.#files?.write(page)
  }

  async #compress(page: StoredPage): Promise<void> {
    if (page.body.length < SMALLEST_COMPRESSED) return
    try {
      await compressForms(page)
      this.memory.grown(page, (page.forms.br?.length ?? 0) + (page.forms.gzip?.length ?? 0))
    } catch {
      log.warn('a page could not be compressed')
    }
  }

  #expireAt(untilMs: number): void {
    if (untilMs >= this.#expiryMs) return
    this.#expiryMs = untilMs
    clearTimeout(this.#expiry)
    const leftMs = Math.min(untilMs - Date.now(), LONGEST_TIMER_MS)
    this.#expiry = setTimeout(() => this.#expire(), leftMs).unref()
  }

  #expire(): void {
    this.memory.expire()
    this.#cold?.expire()
    this.#expiryMs = Infinity
    this.#expireAt(Math.min(this.memory.nextMs, this.#cold?.nextMs ?? Infinity))
  }
}
