import type { Address } from './addresses.ts'
import type { Place } from './page-links.ts'

/** What is known of one page of a produced site. */
export interface SitePage {
  readonly address: Address
  /** Where it stands in its listing. */
  place: Place
  /** What it leads to. */
  targets: SitePage[]
  /** The next page of its listing. */
  older: SitePage | undefined
  /** Whether it has a file. */
  isWritten: boolean
  /** Whether it is to be made anew. */
  isDue: boolean
}

/** All pages of a produced site and how they lead to each other. */
export class SitePages {
  readonly #pages = new Map<string, SitePage>()

  get(key: string): SitePage | undefined {
    return this.#pages.get(key)
  }

  add(address: Address): SitePage {
    const place = { newer: undefined, depth: 0 }
    const page = { address, place, targets: [], older: undefined, isWritten: false, isDue: false }
    this.#pages.set(address.key, page)
    return page
  }

  remove({ address }: SitePage): void {
    this.#pages.delete(address.key)
  }

  all(): SitePage[] {
    return [...this.#pages.values()]
  }

  /** Notes which page comes next in a listing; one that stood nowhere yet stands behind it. */
  setOlder(page: SitePage, older: SitePage | undefined): void {
    page.older = older
    if (older && older.place.newer === undefined) older.place = behind(page)
  }

  /** Whether a page of a listing comes after none any more, so that nothing would lead to it. */
  isPassedOver({ address, place }: SitePage): boolean {
    if (place.newer === undefined) return false
    return this.get(place.newer)?.older?.address.key !== address.key
  }

  /**
   * Goes through each listing from its first page on, and notes where each page stands; gives those that stand elsewhere
   * now and are to be written anew.
   */
  order(): SitePage[] {
    const moved: SitePage[] = []
    for (const first of this.#pages.values()) {
      if (first.address.before !== undefined) continue
      const seen = new Set<SitePage>([first])
      for (let page = first; page.older && !seen.has(page.older); page = page.older) {
        const { older } = page
        seen.add(older)
        const place = behind(page)
        const isInPlace = older.place.newer === place.newer && older.place.depth === place.depth
        if (isInPlace && !older.isDue) continue
        older.place = place
        moved.push(older)
      }
    }
    return moved
  }

  /** Everything that links lead to from some addresses, these included. */
  reachedFrom(keys: readonly string[]): Set<SitePage> {
    const reached = new Set<SitePage>()
    const open = keys.flatMap((key) => this.get(key) ?? [])
    for (let page = open.pop(); page; page = open.pop()) {
      if (reached.has(page)) continue
      reached.add(page)
      for (const target of page.targets) if (!reached.has(target)) open.push(target)
    }
    return reached
  }
}

function behind({ address, place }: SitePage): Place {
  return { newer: address.key, depth: place.depth + 1 }
}
