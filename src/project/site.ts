import type { Database, RangeQuery, StoredDocument, ViewRow } from '../couch/database.ts'
import type { GatheredReads } from '../couch/gathered-reads.ts'
import { noteUntold } from '../reads.ts'
import type { DocumentPart, RowPart } from '../shown.ts'
import { fileRow, keyAfter } from './file-rows.ts'
import type { FileRow } from './file-rows.ts'
import { NotedReads } from './noted-reads.ts'
import { commentId } from './site-item.ts'
import type { Awaited, ListingEntry, SiteComment, SiteItem } from './site-item.ts'
import type {
  CalendarRow,
  CommentRow,
  Counted,
  DayRow,
  DecisionRow,
  ListingPage,
  ListingRow,
  PageQuery,
  Place,
  Scope,
} from './site-rows.ts'

/** Rows read at once where documents are counted. */
const COUNTED = 1000
const FIRST = ''
const LAST = '\ufff0'

/** Reads the site database: items, and listings by its design document's views. It never writes. */
export class Site {
  readonly database: Database
  readonly #reads: NotedReads

  /**
   * @param design gives the name of the design document in force, without `_design/`
   * @param reads how the database is read
   */
  constructor(database: Database, design: () => string, reads?: GatheredReads) {
    this.database = database
    this.#reads = new NotedReads(database, design, reads)
  }

  /**
   * An item as readers see it, or undefined.
   *
   * @param part the only part of it that is made use of
   */
  async item(item: string, part?: DocumentPart): Promise<SiteItem | undefined> {
    const document = await this.#reads.get(item, part)
    return isOpen(document) ? (document as unknown as SiteItem) : undefined
  }

  /** An item also when nobody can read it, for moderators and its author. */
  async anyItem(item: string): Promise<SiteItem | undefined> {
    const document = await this.#reads.get(item)
    return document?.type === 'item' ? (document as unknown as SiteItem) : undefined
  }

  /** What has been decided here, newest first. */
  async decisions(limit: number, olderThan?: Place): Promise<DecisionRow[]> {
    const rows = await this.#reads.rows<Omit<DecisionRow, 'at' | 'hash'>>('decisions', {
      startkey: olderThan ? [olderThan.at, olderThan.item] : [LAST],
      endkey: [],
      descending: true,
      limit: limit + 1,
    })
    if (olderThan && !isAt(rows[0], olderThan)) noteUntold()
    const all = rows.map(({ key, value }) => {
      const [at, hash] = key as [string, string]
      return { at, hash, ...value }
    })
    return all.filter(({ hash }) => hash !== olderThan?.item).slice(0, limit)
  }

  /** What is to be erased here and is not yet, or not wholly, by id, after one of them. */
  async erasuresDue(limit: number, after = ''): Promise<(SiteItem | SiteComment | Awaited)[]> {
    // A digit behind an id comes before every other id.
    const query = {
      startkey: ['due', after && `${after}0`],
      endkey: ['due', LAST],
      limit,
      include_docs: true,
    }
    const rows = await this.#reads.rows<null>('erasures', query)
    return rows.flatMap(({ doc }) => (doc ? (doc as unknown as SiteItem | SiteComment | Awaited) : []))
  }

  /** The newest orders to erase something, with what is known of their target. */
  async erasureOrders(
    limit: number,
  ): Promise<{ hash: string; at: string; target: SiteItem | SiteComment | Awaited }[]> {
    const query = {
      startkey: ['order', LAST],
      endkey: ['order'],
      descending: true,
      limit,
      include_docs: true,
    }
    const rows = await this.#reads.rows<null>('erasures', query)
    return rows.flatMap(({ key, doc }) => {
      const [, at, hash] = key as [string, string, string]
      return doc ? [{ hash, at, target: doc as unknown as SiteItem | SiteComment | Awaited }] : []
    })
  }

  /** An item or comment that somebody has ordered to be erased, by its id here. */
  async ordered(id: string): Promise<SiteItem | SiteComment | Awaited | undefined> {
    const document = await this.#reads.get(id)
    return document?.erasures === undefined
      ? undefined
      : (document as unknown as SiteItem | SiteComment | Awaited)
  }

  /** Whether an item's content was erased here. */
  async isErased(item: string): Promise<boolean> {
    const document = await this.#reads.get(item)
    return document?.type === 'awaited' && document.erasure !== undefined
  }

  /** Items and comments that wait for approval, the oldest first. */
  async awaiting(limit: number): Promise<(SiteItem | SiteComment)[]> {
    const query = { limit, include_docs: true }
    const rows = await this.#reads.rows<null>('awaiting', query)
    return rows.flatMap(({ doc }) => (doc ? (doc as unknown as SiteItem | SiteComment) : []))
  }

  /** What waits for approval, the oldest first, without reading it: when it was published, and its id. */
  async awaitingIds(limit: number): Promise<{ at: string; id: string }[]> {
    const rows = await this.#reads.rows<null>('awaiting', { limit })
    return rows.map(({ id, key }) => ({ at: (key as [string, string])[0], id }))
  }

  /** Items and comments by their latest change, newest first, with the place to go on from when there may be more. */
  async changed(
    limit: number,
    olderThan?: Place,
  ): Promise<{ documents: (SiteItem | SiteComment)[]; next?: Place }> {
    const rows = await this.#reads.rows<ListingEntry>('changes', {
      startkey: olderThan ? [olderThan.at, olderThan.item] : [LAST],
      endkey: [],
      descending: true,
      limit: limit + 1,
      include_docs: true,
    })
    // The place itself is the first row of the range.
    const shown = rows.filter(({ id }) => id !== olderThan?.item).slice(0, limit)
    const documents = shown.flatMap(({ doc }) => (doc ? [doc as unknown as SiteItem | SiteComment] : []))
    const last = shown.at(-1)
    if (!last || shown.length < limit) return { documents }
    return { documents, next: { at: (last.key as [string, string])[0], item: last.id } }
  }

  /** Several items, in the order asked for; what is not there is left out. */
  async items(items: readonly string[]): Promise<SiteItem[]> {
    if (items.length === 0) return []
    const documents = await this.#reads.several(items)
    return documents.flatMap((doc) => (isOpen(doc) ? [doc as unknown as SiteItem] : []))
  }

  /** Items and comments by their ids; what is not there is left out. */
  async documents(ids: readonly string[], part?: DocumentPart): Promise<Map<string, SiteItem | SiteComment>> {
    const found = new Map<string, SiteItem | SiteComment>()
    if (ids.length === 0) return found
    for (const doc of await this.#reads.several(ids, part)) {
      if (isOpen(doc)) found.set(doc._id, doc as unknown as SiteItem)
      if (doc?.type === 'comment') found.set(doc._id, doc as unknown as SiteComment)
    }
    return found
  }

  /** Pages by key, both ways: one row more than shown is read to know whether there is another page. */
  async list(of: Scope, { limit, olderThan, newerThan, part }: PageQuery): Promise<ListingPage> {
    const { prefix, from = FIRST, to = LAST } = of
    const range: RangeQuery = newerThan
      ? { startkey: [...prefix, newerThan.at, newerThan.item], endkey: [...prefix, to] }
      : {
          startkey: [...prefix, ...(olderThan ? [olderThan.at, olderThan.item] : [to])],
          endkey: [...prefix, from],
          descending: true,
        }
    // The place itself is the first row of the range, so two more than shown are read.
    const place = newerThan ?? olderThan
    const query = { ...range, limit: limit + (place ? 2 : 1) }
    const answer = await this.#reads.rows<ListingEntry>(of.view, query, part)
    if (place && !isAt(answer[0], place)) noteUntold()
    const rows = answer.map(listingRow).filter(({ item }) => item !== place?.item)
    const more = rows.length > limit
    const shown = rows.slice(0, limit)
    if (newerThan) shown.reverse()
    const first = shown.at(0)
    const last = shown.at(-1)
    const newer = (newerThan ? more : place !== undefined) && first
    const older = (newerThan ? true : more) && last
    const time = of.view === 'changes' ? 'updatedAt' : 'at'
    return {
      rows: of.view === 'changes' ? await this.#withoutHidden(shown) : shown,
      ...(newer ? { newer: { at: newer[time], item: newer.item } } : {}),
      ...(older ? { older: { at: older[time], item: older.item } } : {}),
    }
  }

  /** How many entries a listing has, counted up to a bound. */
  async count({ view, prefix, from = FIRST, to = LAST }: Scope, most = COUNTED): Promise<Counted> {
    const rows = await this.#reads.rows<ListingEntry>(view, {
      startkey: [...prefix, from],
      endkey: [...prefix, to],
      limit: most + 1,
    })
    return { count: Math.min(rows.length, most), more: rows.length > most }
  }

  /** Comments stand by themselves in the view, also those on an item that has been hidden. */
  async #withoutHidden(rows: ListingRow[]): Promise<ListingRow[]> {
    const items = new Set(rows.flatMap(({ of }) => of ?? []))
    const documents = await this.documents([...items], 'visible')
    return rows.filter(({ of }) => of === undefined || documents.get(of)?.standing.hidden === false)
  }

  /** The newest entries of several listings, together. */
  async newest<Name extends string>(
    wanted: Readonly<Record<Name, { scope: Scope; limit: number; part?: RowPart }>>,
  ): Promise<Record<Name, ListingRow[]>> {
    const names = Object.keys(wanted) as Name[]
    const queries = names.map((name) => {
      const { prefix } = wanted[name].scope
      return { startkey: [...prefix, LAST], endkey: [...prefix], descending: true, limit: wanted[name].limit }
    })
    const parts = names.map((name) => wanted[name].part)
    const answers = await this.#reads.queries<ListingEntry>('listing', queries, parts)
    const found = {} as Record<Name, ListingRow[]>
    for (const [index, name] of names.entries()) found[name] = (answers[index] ?? []).map(listingRow)
    return found
  }

  /**
   * The entries of listings that stand next to a place in them, at most `limit` before it and as many after it, newest first.
   * What is published later concerns only those who read near the end.
   */
  async around(
    scopes: readonly Scope[],
    { at, item }: Place,
    { limit, part }: { limit: number; part?: RowPart },
  ): Promise<ListingRow[][]> {
    // The place itself is the first row of each range.
    const sides = scopes.flatMap(({ prefix }): RangeQuery[] => [
      { startkey: [...prefix, at, item], endkey: [...prefix, LAST], limit: limit + 1 },
      { startkey: [...prefix, at, item], endkey: [...prefix], descending: true, limit: limit + 1 },
    ])
    const answers = await this.#reads.queries<ListingEntry>('listing', sides, Array(sides.length).fill(part))
    const besides = answers.map((rows) =>
      rows
        .map(listingRow)
        .filter((row) => row.item !== item)
        .slice(0, limit),
    )
    return scopes.map((_, index) => [
      ...(besides[2 * index] ?? []).toReversed(),
      ...(besides[2 * index + 1] ?? []),
    ])
  }

  /**
   * Occurrences of events by the local days that they touch, one row for each day, in order.
   *
   * @param of '' for all, or the scope of a group, tag or place
   * @param after the key of the row to go on from
   */
  async calendar(
    of: string,
    { from, to, limit, after }: { from: string; to: string; limit: number; after?: readonly unknown[] },
  ): Promise<{ rows: DayRow[]; next?: readonly unknown[] }> {
    const rows = await this.#reads.rows<Omit<CalendarRow, 'item'>>('calendar', {
      startkey: after ? [...after] : [of, from],
      endkey: [of, to, LAST],
      limit: limit + 1,
    })
    const next = rows[limit]?.key as readonly unknown[] | undefined
    return { rows: rows.slice(0, limit).map(dayRow), ...(next ? { next } : {}) }
  }

  /** At most `limit` occurrences on each of these local days. */
  async calendarDays(of: string, days: readonly string[], limit: number): Promise<Map<string, DayRow[]>> {
    const queries = days.map((day) => ({ startkey: [of, day], endkey: [of, day, LAST], limit }))
    const answers = await this.#reads.queries<Omit<CalendarRow, 'item'>>('calendar', queries)
    return new Map(days.map((day, index) => [day, (answers[index] ?? []).map(dayRow)]))
  }

  /** The comments of an item as they came, at most `limit`, after a hash of full length or from the beginning. */
  async comments(item: string, limit: number, after?: { at: string; hash: string }): Promise<CommentRow[]> {
    const rows = await this.#reads.rows<CommentRow>('comments', {
      startkey: after ? [item, after.at, after.hash] : [item],
      endkey: [item, LAST],
      limit: after ? limit + 1 : limit,
    })
    const [first] = rows
    const isThere = first?.value.at === after?.at && (after?.hash === '' || first?.value.hash === after?.hash)
    if (after && !isThere) noteUntold()
    const all = rows.map(({ value }) => value)
    return all.filter(({ hash }) => hash !== after?.hash).slice(0, limit)
  }

  /** The newest comments of an item, newest first. */
  async newestComments(item: string, limit: number): Promise<SiteComment[]> {
    const rows = await this.#reads.rows<CommentRow>('comments', {
      startkey: [item, LAST],
      endkey: [item],
      descending: true,
      limit,
    })
    const ids = rows.map(({ value }) => commentId(item, value.hash))
    const found = await this.documents(ids, 'entry')
    return ids.flatMap((id) => (found.get(id) as SiteComment | undefined) ?? [])
  }

  async comment(item: string, hash: string): Promise<SiteComment | undefined> {
    const document = await this.#reads.get(commentId(item, hash))
    return document?.type === 'comment' ? (document as unknown as SiteComment) : undefined
  }

  /** What is known of a file by its digest: where readers get it from, or else any document that names it. */
  async file(sha256: string): Promise<FileRow | undefined> {
    return (await this.filesNamed(sha256, 1))[0]
  }

  /** What documents say of a file, those first by which readers get it. */
  async filesNamed(sha256: string, limit: number): Promise<FileRow[]> {
    const rows = await this.#reads.rows<unknown>('files', {
      startkey: [sha256],
      endkey: [sha256, LAST],
      limit,
    })
    return rows.map(fileRow)
  }

  /** Files in the order of their digests, a row for each document that names one, after a row or after a digest. */
  async files(limit: number, after?: FileRow | string): Promise<FileRow[]> {
    // After a hash, all of which are of one length.
    const startkey = typeof after === 'string' ? [`${after}0`] : after ? keyAfter(after) : []
    const rows = await this.#reads.rows<unknown>('files', { startkey, limit })
    return rows.map(fileRow)
  }

  /** The item that a path of an older site leads to, the earliest one if several claim it. */
  async itemAtAlias(path: string): Promise<{ item: string; kind: string } | undefined> {
    const key = encodeURIComponent(path)
    const rows = await this.#reads.rows<{ kind: string }>('alias', {
      startkey: [key],
      endkey: [key, LAST],
      limit: 1,
    })
    const [row] = rows
    return row && { item: row.id, kind: row.value.kind }
  }
}

/**
 * Whether a range begins with the very place that it was asked from. Pages from there on are kept; places that nobody was
 * led to could be invented without end.
 */
function isAt(row: ViewRow<unknown> | undefined, { at, item }: Place): boolean {
  const key = row?.key as unknown[] | undefined
  return key?.at(-2) === at && key.at(-1) === item
}

/** Whether it is an item that somebody may read. */
function isOpen(document: StoredDocument | null | undefined): document is StoredDocument {
  return document?.type === 'item' && (document as unknown as SiteItem).standing.closed === undefined
}

function listingRow({ id, value }: ViewRow<ListingEntry>): ListingRow {
  return { item: id, ...value }
}

function dayRow({ id, key, value }: ViewRow<Omit<CalendarRow, 'item'>>): DayRow {
  return { ...value, item: id, onDay: String((key as unknown[])[1]) }
}
