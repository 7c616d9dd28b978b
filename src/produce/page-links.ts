import type { Address, Addresses } from './addresses.ts'
import { NOTICE } from './live-nodes.ts'
import { periodName } from './periods.ts'
import { PRODUCED } from './rewrite.ts'
import type { LinkOf } from './rewrite.ts'

/** Pages of a listing of which everything stands in the archive as well. */
const MOST_PAGES = 25
/** Links to the site in what readers wrote that are followed on one page. */
const MOST_BY_READERS = 100
/** A scheme, or an address without one that names a host. */
const ELSEWHERE = /^(?:[a-z][a-z0-9+.-]*:|\/\/|\\)/i

/** What a page's place among the others says of its links. */
export interface Place {
  /** The address of the page whose link to what is older leads here. */
  newer: string | undefined
  /** How many pages of its listing stand before it. */
  depth: number
}

export interface LinkSettings {
  addresses: Addresses
  live: readonly string[]
  /** The periods of the calendar that have a page. */
  periods: ReadonlySet<string>
}

/** The links of one page, while it is written: where each leads, and what there is to be produced because of it. */
export class PageLinks {
  readonly #from: Address
  readonly #place: Place
  readonly #settings: LinkSettings
  readonly #targets = new Map<string, Address>()
  #older: Address | undefined
  #byReaders = 0
  /** What the page depends on by its links alone. */
  readonly names = new Set<string>()

  constructor(from: Address, place: Place, settings: LinkSettings) {
    this.#from = from
    this.#place = place
    this.#settings = settings
  }

  /** What it leads to, each once. */
  get targets(): Address[] {
    return [...this.#targets.values()]
  }

  /** The next page of its listing. */
  get older(): Address | undefined {
    return this.#older
  }

  linkOf: LinkOf = (href, { byReader }) => {
    const own = href.startsWith(PRODUCED) ? href.slice(PRODUCED.length) || '/' : href
    if (own.startsWith('#') || ELSEWHERE.test(own)) return href
    const [address = '', fragment] = this.#absolute(own).split('#', 2)
    const hash = fragment === undefined ? '' : `#${fragment}`
    if (address === this.#from.key && hash !== '') return hash
    const target = this.#settings.addresses.read(address)
    if (!target || (byReader && !this.#isFollowed(target))) return this.#onNode(address)
    if (target.period !== undefined) {
      this.names.add(periodName(target.period))
      if (!this.#settings.periods.has(target.period)) return undefined
    }
    if (target.isNewer) return this.#place.newer === undefined ? undefined : this.to(this.#place.newer)
    if (target.before !== undefined) {
      if (this.#isLast(target))
        return this.to(this.#from.language === target.language ? this.#archive() : '/archive')
      this.#older = target
    }
    return this.#to(target) + hash
  }

  /** The relative address of what stands at an address of the site. */
  to(address: string): string {
    const target = this.#settings.addresses.read(address)
    return target ? this.#to(target) : (this.#onNode(address) ?? '')
  }

  #to(target: Address): string {
    this.#targets.set(target.key, target)
    return '../'.repeat(this.#from.file.split('/').length - 1) + target.file
  }

  /** An address that only a node answers: on the first one, or the sentence that says that there is none. */
  #onNode(address: string): string | undefined {
    const [first] = this.#settings.live
    return first === undefined ? `#${NOTICE}` : first + address
  }

  #isFollowed({ item, key }: Address): boolean {
    if (item === undefined || key.includes('?')) return false
    this.#byReaders += 1
    return this.#byReaders <= MOST_BY_READERS
  }

  #isLast({ isBounded }: Address): boolean {
    return isBounded === true && this.#place.depth + 1 >= MOST_PAGES
  }

  #archive(): string {
    const [, prefix = ''] = /^(\/[a-z]{2})(?:\/|$)/.exec(this.#from.key) ?? []
    return `${prefix}/archive`
  }

  /** An address that stands relative to the page's own. */
  #absolute(href: string): string {
    if (href.startsWith('/')) return href
    const url = new URL(href, PRODUCED + this.#from.key)
    return url.pathname + url.search + url.hash
  }
}
