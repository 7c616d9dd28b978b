import type { PouchDatabase, PouchRow } from 'pouchdb-node'
import type { Range } from './ranges.ts'
import { readWinners } from './stored-documents.ts'

/** A row of `_all_docs`; documents that were never here have an `error` and no `value`. */
export type AllDocsRow = PouchRow & { error?: string }

/** How many rows are held in memory at once. */
const PAGE = 1000

/** Rows of `_all_docs` for these keys. */
export async function readKeys(
  pouch: PouchDatabase,
  keys: readonly string[],
  includeDocs: boolean,
): Promise<AllDocsRow[]> {
  const winners = await readWinners(pouch.name, keys, includeDocs)
  return Promise.all(
    keys.map(async (key, index) => {
      const winner = winners[index]
      if (!winner) return missing(key)
      const { rev, deleted, body } = winner
      const value = deleted ? { rev, deleted } : { rev }
      if (!includeDocs) return { id: key, key, value }
      return { id: key, key, value, doc: deleted ? null : (body ?? (await pouch.get(key))) }
    }),
  )
}

/** What `_all_docs` answers beside its rows. */
export async function allDocsHead(pouch: PouchDatabase, { update_seq }: Range): Promise<object> {
  const info = await pouch.info()
  const seq = update_seq ? { update_seq: Number(info.update_seq) } : {}
  // Where in the whole the range begins is not known, which CouchDB too answers with null.
  return { total_rows: info.doc_count, offset: null, ...seq }
}

/** The rows of `_all_docs`, page by page: a whole database does not fit into memory. */
export async function* allDocsPages(pouch: PouchDatabase, range: Range): AsyncGenerator<object[]> {
  const { keys, key, include_docs = false, conflicts = false, descending = false } = range
  let { skip = 0, limit = Infinity } = range
  const listed = keys ?? (key === undefined ? undefined : [key])
  if (listed) {
    const wanted = (descending ? listed.toReversed() : listed).slice(skip, skip + limit)
    for (let at = 0; at < wanted.length; at += PAGE) {
      const rows = await rowsOfKeys(pouch, wanted.slice(at, at + PAGE), include_docs)
      yield keys ? rows : rows.filter((row) => row.value && !row.value.deleted)
    }
    return
  }
  const bounds = idBounds(range)
  if (!bounds) return
  let { startkey } = bounds
  const { endkey } = bounds
  let last: string | undefined
  while (limit > 0) {
    const size = Math.min(limit, PAGE)
    const options = {
      include_docs,
      conflicts,
      descending,
      inclusive_end: range.inclusive_end ?? true,
      skip,
      // One more, because a further page begins with the last row of the one before.
      limit: size + (last === undefined ? 0 : 1),
      ...(startkey === undefined ? {} : { startkey }),
      ...(endkey === undefined ? {} : { endkey }),
    }
    const { rows } = await pouch.allDocs(options)
    const fresh = (rows[0]?.id === last ? rows.slice(1) : rows).slice(0, size)
    yield fresh
    if (rows.length < options.limit) return
    skip = 0
    limit -= fresh.length
    last = fresh.at(-1)?.id
    startkey = last
  }
}

async function rowsOfKeys(
  pouch: PouchDatabase,
  keys: readonly unknown[],
  includeDocs: boolean,
): Promise<AllDocsRow[]> {
  const texts = keys.filter((key) => typeof key === 'string')
  if (texts.length === keys.length) return readKeys(pouch, texts, includeDocs)
  const found = (await readKeys(pouch, texts, includeDocs))[Symbol.iterator]()
  return keys.map((key) =>
    typeof key === 'string' ? (found.next().value ?? missing(key)) : missing(key as string),
  )
}

function missing(key: string): AllDocsRow {
  return { key, error: 'not_found' }
}

/**
 * The range's bounds as ids. Ids are strings; in CouchDB's order null, booleans and numbers stand before every
 * string, arrays and objects behind.
 *
 * @returns undefined when nothing can lie between the bounds
 */
function idBounds({ startkey, endkey, descending = false }: Range) {
  const bounds: { startkey?: string; endkey?: string } = {}
  if (typeof startkey === 'string') bounds.startkey = startkey
  else if (startkey !== undefined && isBehind(startkey) !== descending) return undefined
  if (typeof endkey === 'string') bounds.endkey = endkey
  else if (endkey !== undefined && isBehind(endkey) === descending) return undefined
  return bounds
}

function isBehind(key: unknown): boolean {
  return typeof key === 'object' && key !== null
}
