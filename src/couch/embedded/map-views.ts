import type { PouchDatabase } from 'pouchdb-node'
import { UnusableLevel } from './own-level.ts'
import type { Range } from './ranges.ts'
import { readWinners } from './stored-documents.ts'
import { rowKeys } from './view-index.ts'
import type { ViewIndex } from './view-index.ts'
import { viewBounds } from './view-range.ts'

export interface ViewRow {
  id: string
  key: unknown
  value: unknown
  doc?: object | null
}

/** A view's answer: its rows page by page, and what stands beside them. */
export interface ViewAnswer {
  pages: AsyncGenerator<object[]>
  rest: object
}

/** How many rows are held in memory at once. */
const PAGE = 500

/**
 * Answers a map-only view as it is in the index now. The work grows with `skip` and with the rows that are read, and
 * not with the view. `offset`, which CouchDB counts in its tree, is given where no key bounds the range, and null
 * elsewhere, as CouchDB does for partitioned queries.
 *
 * @throws CouchAnswer 400 for a range that ends before it begins
 */
export async function answerMapView(
  pouch: PouchDatabase,
  index: ViewIndex,
  view: number,
  range: Range,
): Promise<ViewAnswer> {
  const { key, keys, startkey, endkey, skip = 0 } = range
  const total = index.totalRows(view)
  const isBounded = keys !== undefined || [key, startkey, endkey].some((bound) => bound !== undefined)
  const rest = {
    total_rows: total,
    offset: isBounded ? null : Math.min(skip, total),
    ...(range.update_seq ? { update_seq: index.seq } : {}),
  }
  const pages = readPages(pouch, index, view, range)
  // What is wrong with the range or the index shows here, before anything is answered.
  const first = await pages.next()
  return { rest, pages: first.done ? pages : continued(first.value, pages) }
}

async function* readPages(
  pouch: PouchDatabase,
  index: ViewIndex,
  view: number,
  range: Range,
): AsyncGenerator<ViewRow[]> {
  const { keys, descending: reverse = false, include_docs: withDocuments = false } = range
  let { skip = 0, limit = Infinity } = range
  const ranges: Range[] = keys ? keys.map((key) => ({ ...range, key })) : [range]
  const allBounds = ranges.map((one) => viewBounds(rowKeys(view), one))
  for (const bounds of allBounds) {
    if (limit === 0) return
    const cursor = index.rows(bounds, { reverse, limit: skip + limit })
    try {
      for (let more = true; more;) {
        const size = Math.min(PAGE, skip + limit)
        const texts = await cursor.next(size)
        const rows = texts.slice(skip).map(parseRow)
        skip = Math.max(skip - texts.length, 0)
        limit -= rows.length
        more = texts.length === size && limit > 0
        if (!more) await cursor.end()
        if (withDocuments) await addDocuments(pouch, rows, range.conflicts ?? false)
        if (rows.length > 0) yield rows
      }
    } finally {
      await cursor.end()
    }
  }
}

async function* continued(first: object[], pages: AsyncGenerator<object[]>): AsyncGenerator<object[]> {
  yield first
  yield* pages
}

function parseRow(text: string): ViewRow {
  try {
    return JSON.parse(text) as ViewRow
  } catch (error) {
    throw new UnusableLevel(error, true)
  }
}

/** Adds to each row its document, or the one that its value names by `_id`. */
async function addDocuments(pouch: PouchDatabase, rows: ViewRow[], conflicts: boolean): Promise<void> {
  const ids = rows.map(({ id, value }) => {
    const linked = (value as { _id?: unknown } | null)?._id
    return typeof linked === 'string' ? linked : id
  })
  const winners = await readWinners(pouch.name, ids, true)
  for (const [index, row] of rows.entries()) {
    const winner = winners[index]
    const id = ids[index] ?? ''
    if (!winner || winner.deleted) row.doc = null
    else row.doc = !conflicts && winner.body ? winner.body : await pouch.get(id, { conflicts })
  }
}
