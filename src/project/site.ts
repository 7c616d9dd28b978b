import type { Database, RangeQuery } from '../couch/database.ts'
import type { HeldDocument, ListingEntry, SiteItem } from './site-item.ts'

/** A place in a listing: the hybrid time and the item of its first or last row. */
export interface Place {
  at: string
  item: string
}

export interface ListingRow extends ListingEntry {
  item: string
}

/** One page of a listing, newest first, with the places to go on from. */
export interface ListingPage {
  rows: ListingRow[]
  /** Set when there are newer entries: they are the ones before this place. */
  newer?: Place
  /** Set when there are older entries: they are the ones after this place. */
  older?: Place
}

/** Which page of a listing: the newest one, or the one that ends before or begins after a place. */
export interface PageQuery {
  limit: number
  olderThan?: Place
  newerThan?: Place
}

/** Rows read at once where documents are counted. */
const COUNTED = 1000
const FIRST = ''
const LAST = '\ufff0'

/** Reads the site database: items, and listings by its design document's views. It never writes. */
export class Site {
  readonly database: Database
  readonly #design: () => string

  /** @param design gives the name of the design document in force, without `_design/` */
  constructor(database: Database, design: () => string) {
    this.database = database
    this.#design = design
  }

  /** An item as readers see it, or undefined. */
  async item(item: string): Promise<SiteItem | undefined> {
    const document = await this.database.get(item)
    return document?.type === 'item' ? (document as unknown as SiteItem) : undefined
  }

  /** Several items, in the order asked for; what is not there is left out. */
  async items(items: readonly string[]): Promise<SiteItem[]> {
    if (items.length === 0) return []
    const { rows } = await this.database.allDocs({ keys: [...items], include_docs: true })
    return rows.flatMap(({ doc }) => (doc?.type === 'item' ? [doc as unknown as SiteItem] : []))
  }

  /** All kinds of news, newest first. */
  newswire(query: PageQuery): Promise<ListingPage> {
    return this.#listing('newswire', [], query)
  }

  /** What carries a tag, newest first. */
  tagged(tag: string, query: PageQuery): Promise<ListingPage> {
    return this.#listing('tag', [tag], query)
  }

  /** Items with clashes that wait for a person, newest first. */
  clashes(query: PageQuery): Promise<ListingPage> {
    return this.#listing('clashes', [], query)
  }

  /** Documents that the projector keeps off the pages, by reason. */
  async held(limit: number): Promise<HeldDocument[]> {
    const { rows } = await this.database.allDocs({
      startkey: 'held:',
      endkey: `held:${LAST}`,
      limit,
      include_docs: true,
    })
    return rows.map(({ doc }) => doc as unknown as HeldDocument)
  }

  /** How many documents the projector keeps off the pages, by reason. */
  async heldByReason(): Promise<Record<string, number>> {
    const counts: Record<string, number> = {}
    let startkey = 'held:'
    for (;;) {
      const { rows } = await this.database.allDocs({ startkey, endkey: `held:${LAST}`, limit: COUNTED })
      for (const { key } of rows) {
        const reason = key.split(':')[1] ?? ''
        counts[reason] = (counts[reason] ?? 0) + 1
      }
      const last = rows.at(-1)
      if (!last || rows.length < COUNTED) return counts
      startkey = `${last.key}\u0000`
    }
  }

  /** Pages by key, both ways: one row more than shown is read to know whether there is another page. */
  async #listing(
    view: string,
    prefix: string[],
    { limit, olderThan, newerThan }: PageQuery,
  ): Promise<ListingPage> {
    const range: RangeQuery = newerThan
      ? { startkey: [...prefix, newerThan.at, newerThan.item], endkey: [...prefix, LAST, LAST] }
      : {
          startkey: [...prefix, ...(olderThan ? [olderThan.at, olderThan.item] : [LAST, LAST])],
          endkey: [...prefix, FIRST],
          descending: true,
        }
    // The place itself is the first row of the range, so two more than shown are read.
    const from = newerThan ?? olderThan
    const answer = await this.database.view<ListingEntry>(this.#design(), view, {
      ...range,
      limit: limit + (from ? 2 : 1),
    })
    const rows = answer.rows
      .map(({ id, value }) => ({ ...value, item: id }))
      .filter(({ item }) => item !== from?.item)
    const more = rows.length > limit
    const shown = rows.slice(0, limit)
    if (newerThan) shown.reverse()
    const first = shown.at(0)
    const last = shown.at(-1)
    const newer = (newerThan ? more : from !== undefined) && first
    const older = (newerThan ? true : more) && last
    return {
      rows: shown,
      ...(newer ? { newer: { at: newer.at, item: newer.item } } : {}),
      ...(older ? { older: { at: older.at, item: older.item } } : {}),
    }
  }
}
