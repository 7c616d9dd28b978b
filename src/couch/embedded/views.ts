import type { PouchDatabase } from 'pouchdb-node'
import { CouchAnswer } from './answers.ts'
import type { Range } from './ranges.ts'

interface Row {
  id: string
  key: unknown
  value: unknown
}

type Options = Record<string, unknown> & { limit?: number; skip?: number }

/** Answers a view as CouchDB does. */
export async function queryView(
  pouch: PouchDatabase,
  design: string,
  view: string,
  range: Range,
): Promise<object> {
  const { views } = (await designDoc(pouch, design)) as { views?: Record<string, { reduce?: string }> }
  const definition = views?.[view]
  if (!definition) throw new CouchAnswer(404, 'not_found', 'missing_named_view')
  const { update, startkey_docid: startId, endkey_docid: endId, conflicts: _, ...rest } = range
  const options = { ...rest, reduce: range.reduce ?? definition.reduce !== undefined } as Options
  if (update === 'false') options.stale = 'ok'
  if (update === 'lazy') options.stale = 'update_after'
  const name = `${design}/${view}`
  if (options.reduce === true || (startId === undefined && endId === undefined))
    return pouch.query(name, options)
  return queryWithinKey(pouch, name, options, range)
}

/**
 * PouchDB does not know `startkey_docid` and `endkey_docid`: rows of equal key before the one and behind the other
 * are read and dropped here.
 */
async function queryWithinKey(
  pouch: PouchDatabase,
  name: string,
  options: Options,
  range: Range,
): Promise<object> {
  const { limit, skip = 0, ...unbounded } = options
  const answer = await pouch.query(name, unbounded)
  const before = (a: string, b: string) => (range.descending ? a > b : a < b)
  const start = JSON.stringify(range.startkey)
  const end = JSON.stringify(range.endkey)
  const rows = (answer.rows as Row[]).filter(({ id, key }) => {
    const text = JSON.stringify(key)
    if (range.startkey_docid !== undefined && text === start && before(id, range.startkey_docid)) return false
    return !(range.endkey_docid !== undefined && text === end && before(range.endkey_docid, id))
  })
  return {
    total_rows: answer.total_rows,
    offset: answer.offset,
    rows: rows.slice(skip, limit === undefined ? undefined : skip + limit),
  }
}

async function designDoc(pouch: PouchDatabase, design: string): Promise<object> {
  try {
    return await pouch.get(`_design/${design}`)
  } catch {
    throw new CouchAnswer(404, 'not_found', 'missing')
  }
}
