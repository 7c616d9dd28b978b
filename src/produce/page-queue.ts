import type { SitePage } from './site-pages.ts'

/** Pages that are to be made: those of changed items first, then first pages of listings and what they lead to. */
export class PageQueue {
  readonly #urgent = new Set<SitePage>()
  readonly #first = new Set<SitePage>()
  readonly #later = new Set<SitePage>()

  get size(): number {
    return this.#urgent.size + this.#first.size + this.#later.size
  }

  add(page: SitePage, isUrgent = false): void {
    if (isUrgent) {
      this.#first.delete(page)
      this.#later.delete(page)
      this.#urgent.add(page)
    } else if (!this.#urgent.has(page)) (page.place.depth === 0 ? this.#first : this.#later).add(page)
  }

  /** Takes the next one out. */
  next(): SitePage | undefined {
    return this.#nextOf(this.#urgent, this.#first, this.#later)
  }

  /** Takes the next one out of those that come before all others. */
  nextUrgent(): SitePage | undefined {
    return this.#nextOf(this.#urgent)
  }

  #nextOf(...queues: Set<SitePage>[]): SitePage | undefined {
    for (const pages of queues) {
      const [page] = pages
      if (!page) continue
      pages.delete(page)
      return page
    }
    return undefined
  }
}
