import { Dependencies } from './dependencies.ts'
import type { Change } from './dependencies.ts'
import type { PageFiles } from './page-files.ts'
import { knownBytesOf } from './page-store.ts'
import type { StoredPage } from './stored-page.ts'

type Known = Omit<StoredPage, 'body' | 'forms'>

/** Pages whose bytes are on disk alone, because there is no room for them in memory: what is known of each is kept here. */
export class ColdPages {
  readonly #files: PageFiles
  readonly #mostBytes: number
  /** The one that was asked for longest ago first. */
  readonly #known = new Map<string, Known>()
  #bytes = 0
  readonly #taking = new Map<string, Promise<StoredPage | undefined>>()
  readonly #dependencies = new Dependencies()

  /** @param options.mostBytes how much what is known of them may take in memory */
  constructor({ files, mostBytes }: { files: PageFiles; mostBytes: number }) {
    this.#files = files
    this.#mostBytes = mostBytes
  }

  get size(): number {
    return this.#known.size
  }

  /** Takes over a page that leaves the memory; one that is not on disk is forgotten. */
  add(page: StoredPage): void {
    const { key } = page
    if (!this.#files.has(page)) {
      this.#files.remove([key])
      return
    }
    const known = withoutBytes(page)
    this.forget(key)
    this.#known.set(key, known)
    this.#bytes += knownBytesOf(known)
    this.#dependencies.put(key, known.reads)
    for (const oldest of this.#known.keys()) {
      if (this.#bytes <= this.#mostBytes) return
      this.drop(oldest)
    }
  }

  has(key: string): boolean {
    return this.#known.has(key)
  }

  /** Gives a page back, with its bytes; it is cold no more. Undefined if there is none that holds. */
  take(key: string, nowMs = Date.now()): Promise<StoredPage | undefined> {
    const taking = this.#taking.get(key) ?? this.#take(key, nowMs).finally(() => this.#taking.delete(key))
    this.#taking.set(key, taking)
    return taking
  }

  async #take(key: string, nowMs: number): Promise<StoredPage | undefined> {
    const known = this.#known.get(key)
    if (!known) return undefined
    if (known.reads.untilMs <= nowMs) {
      this.drop(key)
      return undefined
    }
    const page = await this.#files.read(known)
    // It was dropped, or taken, meanwhile.
    if (this.#known.get(key) !== known) return undefined
    this.forget(key)
    return page
  }

  /** Drops the pages that were made of what has changed. */
  changed(change: Change): void {
    for (const key of this.#dependencies.changed(change)) this.drop(key)
  }

  /** Drops what has stopped being true by itself. */
  expire(nowMs = Date.now()): void {
    for (const key of this.#dependencies.expired(nowMs)) this.drop(key)
  }

  /** When the next one stops being true by itself, in milliseconds since 1970. */
  get nextMs(): number {
    return this.#dependencies.nextMs
  }

  /** Drops a page, and its files. */
  drop(key: string): void {
    this.forget(key)
    this.#files.remove([key])
  }

  /** To be called when a page is in memory again, or its files are gone. */
  forget(key: string): void {
    const known = this.#known.get(key)
    if (!known) return
    this.#known.delete(key)
    this.#bytes -= knownBytesOf(known)
    this.#dependencies.remove(key)
  }

  clear(): void {
    for (const key of this.#known.keys()) this.forget(key)
  }
}

function withoutBytes(page: StoredPage): Known {
  const { key, type, etag, changedMs, status, headers, reads, asked } = page
  return { key, type, etag, changedMs, status, headers, reads, asked }
}
