import { isDeepStrictEqual } from 'node:util'
import type { PouchDatabase } from 'pouchdb-node'
import { CouchAnswer } from './answers.ts'
import type { Range } from './ranges.ts'

interface Row {
  id: string
  key: unknown
  value: unknown
}

interface Answer {
  total_rows: number
  offset: number
  rows: Row[]
}

type Options = Record<string, unknown>

/** How many rows are read beyond the wanted ones when a range begins or ends within one key. */
const SPARE_ROWS = 100

/**
 * Answers a view that has a reduce function, by PouchDB's own map-reduce.
 *
 * @param name `design/view`
 * @throws CouchAnswer 400 for what does not go together
 */
export function queryReduceView(pouch: PouchDatabase, name: string, range: Range): Promise<object> {
  const reduced = range.reduce !== false
  if (reduced && range.keys && !range.group) {
    const reason = 'Multi-key fetches for reduce views must use `group=true`'
    throw new CouchAnswer(400, 'query_parse_error', reason)
  }
  if (!reduced && (range.group || range.group_level !== undefined)) {
    throw new CouchAnswer(400, 'query_parse_error', 'Invalid use of grouping on a map view.')
  }
  const { update, startkey_docid: startId, endkey_docid: endId, update_seq: _, ...rest } = range
  const options: Options = { ...rest, reduce: reduced }
  if (update === 'false') options.stale = 'ok'
  else if (update === 'lazy') options.stale = 'update_after'
  const query = (more: Options) => pouch.query(name, { ...options, ...more })
  const within = !reduced && !range.keys && (startId !== undefined || endId !== undefined)
  return within ? queryWithinKey(query, range) : query({})
}

/**
 * PouchDB does not know `startkey_docid` and `endkey_docid`. Rows of the first key before the one, and of the last
 * key behind the other, are read and dropped here; more are read until there are enough or no more.
 */
async function queryWithinKey(query: (more: Options) => Promise<Answer>, range: Range): Promise<object> {
  const { startkey = range.key, endkey = range.key, startkey_docid: startId, endkey_docid: endId } = range
  const { skip = 0, limit = Infinity, descending = false, inclusive_end: inclusive = true } = range
  const isBefore = (a: string, b: string) => (descending ? a > b : a < b)
  const isWithin = ({ id, key }: Row) => {
    if (startId !== undefined && isDeepStrictEqual(key, startkey) && isBefore(id, startId)) return false
    if (!isDeepStrictEqual(key, endkey)) return true
    if (endId === undefined) return inclusive
    return isBefore(id, endId) || (inclusive && id === endId)
  }
  const wanted = skip + limit
  for (let size = wanted + SPARE_ROWS; ; size *= 2) {
    const bounded = size === Infinity ? {} : { limit: size }
    const { rows, ...head } = await query({ ...bounded, skip: 0, inclusive_end: true })
    const within = rows.filter(isWithin)
    if (within.length >= wanted || rows.length < size) {
      return { ...head, rows: within.slice(skip, wanted) }
    }
  }
}
