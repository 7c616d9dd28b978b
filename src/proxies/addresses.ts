import type { StoredPage } from '../pages/store/stored-page.ts'

/** Keys of addresses that are remembered, in all: some 50 MB. */
const MOST_KEYS = 500_000

/**
 * Addresses of pages that proxies may keep, with the keys of what each was made of, also of pages that this node itself
 * has let go of meanwhile. For proxies that can be told addresses alone.
 */
export class Addresses {
  readonly #known = new Map<string, { header: string; keys: readonly string[] }>()
  readonly #byKey = new Map<string, Set<string>>()
  readonly #mostKeys: number
  #count = 0

  constructor(mostKeys = MOST_KEYS) {
    this.#mostKeys = mostKeys
  }

  /**
   * Remembers a page that was given out.
   *
   * @returns whether it was new, and which older ones are forgotten for it, so that proxies must not keep them either
   */
  given({ key, headers }: Pick<StoredPage, 'key' | 'headers'>): { isNew: boolean; forgotten: string[] } {
    const header = headers['surrogate-key'] ?? ''
    const known = this.#known.get(key)
    if (known?.header === header) return { isNew: false, forgotten: [] }
    if (known) this.#forget(key)
    const keys = header.split(' ')
    this.#known.set(key, { header, keys })
    this.#count += keys.length
    for (const name of keys) {
      const addresses = this.#byKey.get(name) ?? new Set()
      this.#byKey.set(name, addresses.add(key))
    }
    const forgotten: string[] = []
    for (const oldest of this.#known.keys()) {
      if (this.#count <= this.#mostKeys) break
      this.#forget(oldest)
      forgotten.push(oldest)
    }
    return { isNew: known === undefined, forgotten }
  }

  /** Forgets the addresses that have one of these keys, and gives them. */
  take(keys: readonly string[]): string[] {
    const taken = new Set(keys.flatMap((key) => [...(this.#byKey.get(key) ?? [])]))
    for (const address of taken) this.#forget(address)
    return [...taken]
  }

  all(): string[] {
    return [...this.#known.keys()]
  }

  #forget(address: string): void {
    const known = this.#known.get(address)
    if (!known) return
    this.#known.delete(address)
    this.#count -= known.keys.length
    for (const name of known.keys) {
      const addresses = this.#byKey.get(name)
      addresses?.delete(address)
      if (addresses?.size === 0) this.#byKey.delete(name)
    }
  }
}
