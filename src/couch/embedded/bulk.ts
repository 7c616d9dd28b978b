import type { PouchDatabase, PouchRow } from 'pouchdb-node'
import { CouchAnswer } from './answers.ts'
import { getRevision, openRevisions } from './revisions.ts'

/** Answers `_bulk_docs`: a result for each document, or with `new_edits: false` for those that failed. */
export async function bulkDocs(pouch: PouchDatabase, body: Record<string, unknown>): Promise<object[]> {
  const { docs, new_edits: newEdits = true } = body
  if (!Array.isArray(docs))
    throw new CouchAnswer(400, 'bad_request', 'POST body must include `docs` parameter.')
  const results = await pouch.bulkDocs(docs as object[], { new_edits: newEdits !== false })
  return results.map((result) => {
    if (!('error' in result)) return result
    const { id, name, reason, message } = result
    const conflict = result.status === 409
    return {
      id,
      error: conflict ? 'conflict' : (name ?? 'error'),
      reason: conflict ? 'Document update conflict.' : (reason ?? message),
    }
  })
}

/**
 * Answers `_bulk_get`. A revision that is its document's winner costs one read for the whole batch; others are read
 * one by one.
 */
export async function bulkGet(
  pouch: PouchDatabase,
  body: Record<string, unknown>,
  revs: boolean,
): Promise<object> {
  const { docs } = body
  if (!Array.isArray(docs)) throw new CouchAnswer(400, 'bad_request', 'Missing JSON list of `docs`.')
  const asked = docs as { id?: unknown; rev?: string }[]
  const ids = asked.flatMap(({ id }) => (typeof id === 'string' ? [id] : []))
  const rows = new Map((await readKeys(pouch, ids, true)).map((row) => [row.key, row]))
  const results = asked.map(async ({ id, rev }) => {
    if (typeof id !== 'string') throw new CouchAnswer(400, 'bad_request', 'document id must be a string')
    const row = rows.get(id)
    if (rev === undefined) return { id, docs: await openRevisions(pouch, id, 'all', { revs, latest: false }) }
    if (row?.doc && row.value?.rev === rev && (!revs || rev.startsWith('1-'))) {
      const { doc } = row
      return { id, docs: [{ ok: revs ? { ...doc, _revisions: { start: 1, ids: [rev.slice(2)] } } : doc }] }
    }
    const found = typeof rev === 'string' ? await getRevision(pouch, id, rev, revs) : undefined
    if (found) return { id, docs: [{ ok: found }] }
    return { id, docs: [{ error: { id, rev, error: 'not_found', reason: 'missing' } }] }
  })
  return { results: await Promise.all(results) }
}

/** Answers `_revs_diff`. */
export async function revsDiff(pouch: PouchDatabase, body: Record<string, unknown>): Promise<object> {
  for (const revs of Object.values(body)) {
    if (!Array.isArray(revs) || revs.some((rev) => typeof rev !== 'string')) {
      throw new CouchAnswer(400, 'bad_request', 'revisions must be a list of strings')
    }
  }
  return pouch.revsDiff(body as Record<string, string[]>)
}

/**
 * Rows of `_all_docs` for these keys; documents that were never here have no `value`. Documents are got one by one:
 * PouchDB's own `allDocs({ keys })` opens an iterator for every key and takes three to four times as long.
 */
export async function readKeys(
  pouch: PouchDatabase,
  keys: string[],
  includeDocs: boolean,
): Promise<PouchRow[]> {
  const deleted: string[] = []
  const rows = await Promise.all(
    keys.map(async (key): Promise<PouchRow> => {
      try {
        const doc = await pouch.get(key)
        return { id: key, key, value: { rev: doc._rev }, ...(includeDocs ? { doc } : {}) }
      } catch (error) {
        const { status, reason } = error as { status?: number; reason?: string }
        if (status !== 404) throw error
        if (reason === 'deleted') deleted.push(key)
        return { key, error: 'not_found' }
      }
    }),
  )
  if (deleted.length === 0) return rows
  const found = new Map((await pouch.allDocs({ keys: deleted })).rows.map((row) => [row.key, row]))
  return rows.map((row) => found.get(row.key) ?? row)
}
