import { randomUUID } from 'node:crypto'
import type { PouchDatabase } from 'pouchdb-node'
import { readKeys } from './all-docs.ts'
import { CouchAnswer } from './answers.ts'
import { checkDocument, checkSize, REVISION } from './check-document.ts'
import { getRevision, missingRevisions, openRevisions } from './revisions.ts'
import type { OpenRevision } from './revisions.ts'

interface Asked {
  id?: unknown
  rev?: unknown
}

/**
 * Answers `_bulk_docs`: a result for each document, or with `new_edits: false` for those that failed.
 *
 * @param measure whether a document can be too large, given the size of the whole body
 */
export async function bulkDocs(
  pouch: PouchDatabase,
  body: Record<string, unknown>,
  measure: boolean,
): Promise<object[]> {
  const { docs, new_edits: newEdits = true } = body
  if (docs === undefined) {
    throw new CouchAnswer(400, 'bad_request', 'POST body must include `docs` parameter.')
  }
  if (!Array.isArray(docs)) throw new CouchAnswer(400, 'bad_request', '`docs` parameter must be an array.')
  const documents = (docs as unknown[]).map((document) => {
    checkDocument(document, newEdits === false)
    if (measure) checkSize(document, document._id ?? '')
    return document._id === undefined ? { ...document, _id: newId() } : document
  })
  if (documents.length === 0) return []
  const results = await pouch.bulkDocs(documents, { new_edits: newEdits !== false })
  return results.map((result) => {
    if (!('error' in result)) return result
    const { id, status, name, reason, message } = result
    if (status === 409) return { id, error: 'conflict', reason: 'Document update conflict.' }
    return { id, error: name ?? 'error', reason: reason ?? message }
  })
}

/** An id as CouchDB makes them. */
export function newId(): string {
  return randomUUID().replaceAll('-', '')
}

/**
 * Answers `_bulk_get`. A revision that is its document's winner costs one read for the whole batch; others are read
 * one by one.
 */
export async function bulkGet(
  pouch: PouchDatabase,
  body: Record<string, unknown>,
  { revs, latest }: { revs: boolean; latest: boolean },
): Promise<object> {
  const { docs } = body
  if (!Array.isArray(docs)) throw new CouchAnswer(400, 'bad_request', 'Missing JSON list of `docs`.')
  const asked = (docs as unknown[]).map((entry) => (entry ?? {}) as Asked)
  const ids = asked.flatMap(({ id }) => (typeof id === 'string' ? [id] : []))
  const rows = new Map((await readKeys(pouch, ids, true)).map((row) => [row.key, row]))
  const results = asked.map(async ({ id, rev }) => {
    if (typeof id !== 'string' || id === '') {
      return refused(null, null, 'bad_request', 'document id missed')
    }
    if (rev === undefined) {
      const leaves = await openRevisions(pouch, id, 'all', { revs, latest: false })
      return leaves.length > 0 ? { id, docs: leaves } : refused(id, 'undefined', 'not_found', 'missing')
    }
    if (typeof rev !== 'string' || !REVISION.test(rev)) {
      return refused(id, rev, 'bad_request', 'Invalid rev format')
    }
    const row = rows.get(id)
    if (row?.doc && row.value?.rev === rev && (!revs || rev.startsWith('1-'))) {
      const { doc } = row
      return { id, docs: [{ ok: revs ? { ...doc, _revisions: { start: 1, ids: [rev.slice(2)] } } : doc }] }
    }
    const found = latest
      ? await openRevisions(pouch, id, [rev], { revs, latest })
      : [await oneRevision(pouch, id, rev, revs)]
    return found.some((one) => 'missing' in one)
      ? refused(id, rev, 'not_found', 'missing')
      : { id, docs: found }
  })
  return { results: await Promise.all(results) }
}

async function oneRevision(
  pouch: PouchDatabase,
  id: string,
  rev: string,
  revs: boolean,
): Promise<OpenRevision> {
  const document = await getRevision(pouch, id, rev, revs)
  return document ? { ok: document } : { missing: rev }
}

function refused(id: string | null, rev: unknown, error: string, reason: string): object {
  return { id, docs: [{ error: { id, rev, error, reason } }] }
}

/** Answers `_revs_diff`. One read settles every document that is unknown or has no revision but the asked ones. */
export async function revsDiff(pouch: PouchDatabase, body: Record<string, unknown>): Promise<object> {
  const asked = Object.entries(body).map(([id, revs]) => {
    if (!Array.isArray(revs) || revs.some((rev) => typeof rev !== 'string' || !REVISION.test(rev))) {
      throw new CouchAnswer(400, 'bad_request', 'revisions must be a list of strings')
    }
    return [id, revs as string[]] as const
  })
  const rows = new Map((await readKeys(pouch, Object.keys(body), false)).map((row) => [row.key, row]))
  const answer: [string, object][] = []
  for (const [id, revs] of asked) {
    const winner = rows.get(id)?.value?.rev
    if (revs.every((rev) => rev === winner)) continue
    const lacks = winner === undefined ? { missing: revs } : await missingRevisions(pouch, id, revs)
    if (lacks) answer.push([id, lacks])
  }
  return Object.fromEntries(answer)
}
