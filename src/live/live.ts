import type { ServerResponse } from 'node:http'
import { MapFunctions } from '../couch/embedded/map-functions.ts'
import { changedRows } from '../pages/store/changed-rows.ts'
import type { ListingPage, PageQuery, Scope } from '../project/site.ts'
import type { Written } from '../project/site-writer.ts'
import { EventStreams } from './event-streams.ts'
import { MOST_COUNTED, WatchedListing } from './watched-listing.ts'

/** The view that listings are read from. */
const VIEW = 'listing'

export interface LiveOptions {
  /** How many readers are told of what comes. */
  connections: number
  heartbeatMs: number
  /** The map function of the view of listings. */
  map: string
  list: (scope: Scope, query: PageQuery) => Promise<Pick<ListingPage, 'rows'>>
}

/** What becomes of somebody who asks to be told. */
export type Opened = 'open' | 'full' | 'nothing there'

/** Tells open pages how many entries their listing has that they do not show. It never says what they are. */
export class Live implements Disposable {
  readonly #streams: EventStreams
  readonly #functions: MapFunctions
  readonly #list: LiveOptions['list']
  readonly #listings = new Map<string, WatchedListing>()

  constructor({ connections, heartbeatMs, map, list }: LiveOptions) {
    this.#streams = new EventStreams({ most: connections, heartbeatMs })
    // Whoever keeps the view says that its function threw; here everything is looked at again.
    this.#functions = new MapFunctions([{ name: VIEW, map }], () => this.lookAgain())
    this.#list = list
  }

  /** How many readers are told now. */
  get open(): number {
    return this.#streams.size
  }

  /**
   * Answers with a stream that tells how many entries a listing has above a place, now and whenever it changes.
   *
   * @param options.after the newest place that the page shows, '' for none; undefined for what is the newest now
   * @param options.named whether a listing without entries is none
   */
  async tell(
    response: ServerResponse,
    { scope, after, named }: { scope: Scope; after: string | undefined; named: boolean },
  ): Promise<Opened> {
    if (this.#streams.isFull) return 'full'
    const key = JSON.stringify(scope.prefix)
    const listing = this.#listings.get(key) ?? new WatchedListing(() => this.#places(scope))
    this.#listings.set(key, listing)
    const arrived = listing.expect()
    const leave = () => {
      if (!listing.isWatched) this.#listings.delete(key)
    }
    try {
      await listing.known()
      if (named && listing.newest === undefined) return 'nothing there'
      if (response.destroyed) return 'open'
      const stream = this.#streams.open(response)
      if (!stream) return 'full'
      const from = after ?? listing.newest ?? ''
      listing.join(stream, from)
      response.once('close', () => {
        listing.leave(stream, from)
        leave()
      })
      return 'open'
    } finally {
      arrived()
      leave()
    }
  }

  /** Looks which listings this changes: each is compared once, however many pages show it. */
  written({ documents }: Written): void {
    if (this.#listings.size === 0) return
    const views = { functions: this.#functions, names: [VIEW] }
    const rows = documents.flatMap(({ before, after }) => changedRows(before, after, views))
    for (const listing of this.#listings.values()) listing.changed(rows)
  }

  /** Everything may be another. */
  lookAgain(): void {
    for (const listing of this.#listings.values()) listing.lookAgain()
  }

  /** Ends all streams; whoever asks from now on is told that there is no room. */
  [Symbol.dispose](): void {
    this.#streams[Symbol.dispose]()
  }

  async #places(scope: Scope): Promise<string[]> {
    const { rows } = await this.#list(scope, { limit: MOST_COUNTED + 1, part: 'place' })
    return rows.map(({ at, item }) => `${at}_${item}`)
  }
}
