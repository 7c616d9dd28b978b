import type { Site } from '../../project/site.ts'
import type { SiteComment, SiteItem } from '../../project/site-item.ts'
import { act } from './act.ts'
import type { Hands } from './act.ts'
import type { Filter, Pattern } from './filter.ts'
import type { Filters } from './filters.ts'
import { tryOut } from './trial.ts'
import type { Trial } from './trial.ts'

/** What pages do with filters: keep them, try them, and apply them to what is here already. */
export class FilterDesk {
  readonly filters: Filters
  readonly #site: Site
  readonly #hands: Hands

  constructor({ filters, site, hands }: { filters: Filters; site: Site; hands: Hands }) {
    this.filters = filters
    this.#site = site
    this.#hands = hands
  }

  /**
   * Which of the newest items and comments a pattern matches; of them the first `most` are given.
   *
   * @throws HyperactiveError `filter_bad_pattern`, `filter_too_large`, `filter_too_slow`
   */
  async tryOut(pattern: Pattern, most: number): Promise<Trial & { shown: (SiteItem | SiteComment)[] }> {
    const shown: (SiteItem | SiteComment)[] = []
    const trial = await tryOut(this.#site, pattern, (matching) => {
      shown.push(...matching.slice(0, most - shown.length))
    })
    return { ...trial, shown }
  }

  /** Lets a filter act on all of those. */
  apply(filter: Filter): Promise<Trial> {
    return tryOut(this.#site, filter, (matching) =>
      act(
        this.#hands,
        matching.map((document) => ({ filter, document })),
        { again: true },
      ),
    )
  }
}
