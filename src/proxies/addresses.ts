import { Dependencies } from '../pages/store/dependencies.ts'
import type { Change } from '../pages/store/dependencies.ts'
import type { StoredPage } from '../pages/store/stored-page.ts'
import type { Reads } from '../reads.ts'

/** What the remembered pages were made of, in all: some 50 MB. */
const MOST_READS = 500_000

/**
 * Addresses of pages that proxies may keep, with what each was made of, also of pages that this node itself has let go of
 * meanwhile. For proxies that can be told addresses alone.
 */
export class Addresses {
  readonly #known = new Map<string, Reads>()
  readonly #dependencies = new Dependencies()
  readonly #mostReads: number
  #count = 0

  constructor(mostReads = MOST_READS) {
    this.#mostReads = mostReads
  }

  /**
   * Remembers a page that was given out.
   *
   * @returns whether it was new, and which older ones are forgotten for it, so that proxies must not keep them either
   */
  given({ key, reads }: Pick<StoredPage, 'key' | 'reads'>): { isNew: boolean; forgotten: string[] } {
    const known = this.#known.get(key)
    if (known === reads) return { isNew: false, forgotten: [] }
    this.#forget(key)
    this.#known.set(key, reads)
    this.#dependencies.put(key, reads)
    this.#count += countOf(reads)
    const forgotten: string[] = []
    for (const oldest of this.#known.keys()) {
      if (this.#count <= this.#mostReads) break
      this.#forget(oldest)
      forgotten.push(oldest)
    }
    return { isNew: known === undefined, forgotten }
  }

  /** Forgets the addresses of pages that do not hold any more, and gives them. */
  changed(change: Change): string[] {
    const addresses = this.#dependencies.changed(change)
    for (const address of addresses) this.#forget(address)
    return addresses
  }

  all(): string[] {
    return [...this.#known.keys()]
  }

  #forget(address: string): void {
    const reads = this.#known.get(address)
    if (!reads) return
    this.#known.delete(address)
    this.#dependencies.remove(address)
    this.#count -= countOf(reads)
  }
}

function countOf({ documents, names, ranges }: Reads): number {
  return 1 + documents.size + names.size + ranges.length
}
