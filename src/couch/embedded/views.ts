import { isDeepStrictEqual } from 'node:util'
import type { PouchDatabase } from 'pouchdb-node'
import { CouchAnswer } from './answers.ts'
import type { OpenDatabase } from './databases.ts'
import { mapViews } from './map-views.ts'
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

/** Removes the files of views that no design document has any more. */
export async function cleanUpViews(pouch: PouchDatabase): Promise<void> {
  await Promise.all([pouch.viewCleanup(), mapViews.viewCleanup.call(pouch)])
}

const MOST_KNOWN = 100
/** How many rows are read beyond the wanted ones when a range begins or ends within one key. */
const SPARE_ROWS = 100

/**
 * Answers a view as CouchDB does. When nothing was written since the view was brought up to date, PouchDB is not asked
 * to do that again: it would read ten times from disk to find that there is nothing to do.
 */
export async function queryView(
  database: OpenDatabase,
  design: string,
  view: string,
  range: Range,
): Promise<object> {
  const { pouch, writes: atWrites, views } = database
  const name = `${design}/${view}`
  const known = views.get(name)
  const upToDate = known?.atWrites === atWrites
  const { reduce } = upToDate ? known : await definitionOf(pouch, design, view)
  if (reduce === undefined) checkMapOnly(range)
  const reduced = reduce !== undefined && range.reduce !== false
  if (!reduced && (range.group || range.group_level !== undefined)) {
    throw new CouchAnswer(400, 'query_parse_error', 'Invalid use of grouping on a map view.')
  }
  if (reduced && range.keys && !range.group) {
    const reason = 'Multi-key fetches for reduce views must use `group=true`'
    throw new CouchAnswer(400, 'query_parse_error', reason)
  }
  const { update, startkey_docid: startId, endkey_docid: endId, update_seq: _, ...rest } = range
  const options: Options = { ...rest, reduce: reduced }
  if (update === 'false' || upToDate) options.stale = 'ok'
  else if (update === 'lazy') options.stale = 'update_after'
  const query = (more: Options) => {
    const given = [name, { ...options, ...more }] as const
    return reduce === undefined ? mapViews.query.call(pouch, ...given) : pouch.query(...given)
  }
  const within = !reduced && !range.keys && (startId !== undefined || endId !== undefined)
  const answer = within ? await queryWithinKey(query, range) : await query({})
  if (options.stale === undefined) {
    if (views.size >= MOST_KNOWN) views.clear()
    views.set(name, { reduce, atWrites })
  }
  return answer
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

async function definitionOf(
  pouch: PouchDatabase,
  design: string,
  view: string,
): Promise<{ reduce: string | undefined }> {
  const { views } = (await pouch.get(`_design/${design}`)) as { views?: Record<string, { reduce?: string }> }
  const definition = views && Object.hasOwn(views, view) ? views[view] : undefined
  if (!definition) throw new CouchAnswer(404, 'not_found', 'missing_named_view')
  return { reduce: definition.reduce }
}

function checkMapOnly({ reduce, group, group_level: level }: Range): void {
  if (reduce === true || group || level !== undefined) {
    throw new CouchAnswer(400, 'query_parse_error', 'Reduce is invalid for map-only views.')
  }
}
