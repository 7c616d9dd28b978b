import type { PouchDatabase, PouchRow } from 'pouchdb-node'
import type { Range } from './ranges.ts'

/** A row of `_all_docs`; documents that were never here have an `error` and no `value`. */
export type AllDocsRow = PouchRow & { error?: string }

/** How many rows are held in memory at once. */
const PAGE = 1000

/**
 * Rows of `_all_docs` for these keys. Each document is read by itself: PouchDB's own `keys` opens an iterator for each
 * of them, which takes three times as long.
 */
export async function readKeys(
  pouch: PouchDatabase,
  keys: readonly string[],
  includeDocs: boolean,
): Promise<AllDocsRow[]> {
  return Promise.all(
    keys.map(async (key) => {
      // PouchDB takes an empty key for none at all; local documents are in no listing.
      if (key === '' || key.startsWith('_local/')) return missing(key)
      try {
        const doc = await pouch.get(key)
        return { id: key, key, value: { rev: doc._rev }, ...(includeDocs ? { doc } : {}) }
      } catch (error) {
        const { status, reason } = error as { status?: number; reason?: string }
        if (status !== 404) throw error
        return reason === 'deleted' ? deletedRow(pouch, key, includeDocs) : missing(key)
      }
    }),
  )
}

async function deletedRow(pouch: PouchDatabase, key: string, includeDocs: boolean): Promise<AllDocsRow> {
  const { rows } = await pouch.allDocs({ keys: [key], include_docs: includeDocs })
  const row = rows[0] ?? missing(key)
  // PouchDB gives a deleted document an empty body even where none was asked for.
  if (!includeDocs) delete row.doc
  return row
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
