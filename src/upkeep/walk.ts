import type { BulkGetResult, Change, Database, StoredDocument } from '../couch/database.ts'
import { HyperactiveError } from '../errors.ts'
import { parseId, proofProblem, revisionOf } from '../ledger/document.ts'
import type { Envelope } from '../ledger/document.ts'
import { documentProblem } from '../ledger/schema.ts'
import { judgeLeaves } from './leaves.ts'
import type { Leaf } from './leaves.ts'

/** How many changes are looked at in one go. */
export const PAGE = 500

/** What stands under one id of the ledger database. `bogus` names living revisions that should not be there. */
export type Finding =
  | { kind: 'document'; id: string; document: Envelope; updated: boolean; bogus: string[] }
  | { kind: 'erased'; id: string; tombstones: Leaf[]; bogus: string[] }
  | { kind: 'unproven'; id: string; reason: string; bogus: string[] }
  | { kind: 'missing'; id: string; reason: string; bogus: string[] }
  | { kind: 'foreign'; id: string; bogus: string[] }
  | { kind: 'design'; id: string; bogus: string[] }

/** What was found in one page of changes. */
export interface Page {
  findings: Finding[]
  /** Where the page ends; opaque. */
  seq: string | number
  /** How many changes the page had. */
  count: number
}

/**
 * Reads the whole ledger database as it is, leaf by leaf, by pages of 500 changes, and proves every document. Deleted
 * documents that are none of the ledger are left out.
 *
 * @param since where to go on: a page's `seq`
 */
export async function* walkLedger(database: Database, since: string | number = 0): AsyncGenerator<Page> {
  let seq = since
  for (;;) {
    const query = { since: seq, limit: PAGE, style: 'all_docs', include_docs: true } as const
    const { results, last_seq } = await database.changes(query)
    if (results.length === 0) return
    seq = last_seq
    yield { findings: await findIn(database, results), seq, count: results.length }
  }
}

async function findIn(database: Database, rows: readonly Change[]): Promise<Finding[]> {
  const odd = rows.filter((row) => parseId(row.id) && !isPlain(row)).map(({ id }) => id)
  const leaves = await leavesOf(database, odd)
  const verdicts = new Map(odd.map((id) => [id, judgeLeaves(id, leaves.get(id) ?? [])]))
  const covered = odd.filter((id) => ['live', 'updated'].includes(verdicts.get(id)?.state ?? ''))
  const bodies = await readImplied(database, covered)
  const found = rows.map(async ({ id, deleted, doc, changes }): Promise<Finding | undefined> => {
    const revs = changes.map(({ rev }) => rev)
    if (!parseId(id)) {
      if (deleted) return undefined
      return { kind: id.startsWith('_design/') ? 'design' : 'foreign', id, bogus: revs }
    }
    const verdict = verdicts.get(id)
    if (!verdict) return proven(id, doc as StoredDocument, { updated: false, bogus: [] })
    const { state, bogus, tombstones } = verdict
    if (state === 'erased') return { kind: 'erased', id, tombstones, bogus }
    if (state === 'absent')
      return { kind: 'missing', id, reason: 'the revision that its id implies is not here', bogus }
    const body = bodies.get(id)
    if (body) return proven(id, body, { updated: state === 'updated', bogus })
    return { kind: 'missing', id, reason: 'it was written over, and its content is compacted away', bogus }
  })
  return (await Promise.all(found)).filter((finding) => finding !== undefined)
}

/** Whether a row is how every row should be: one living leaf, the implied one. */
function isPlain({ id, deleted, doc, changes }: Change): boolean {
  const implied = revisionOf(id)
  return !deleted && changes.length === 1 && changes[0]?.rev === implied && doc?._rev === implied
}

async function proven(
  id: string,
  stored: StoredDocument,
  { updated, bogus }: { updated: boolean; bogus: string[] },
): Promise<Finding> {
  const reason = documentProblem(stored) ?? (await proofProblem(stored as Envelope))
  if (reason === undefined) return { kind: 'document', id, document: stored as Envelope, updated, bogus }
  return { kind: 'unproven', id, reason, bogus: updated ? bogus : [stored._rev, ...bogus] }
}

async function leavesOf(database: Database, ids: readonly string[]): Promise<Map<string, Leaf[]>> {
  if (ids.length === 0) return new Map()
  const { results } = await database.bulkGet(
    ids.map((id) => ({ id })),
    { revs: true },
  )
  return new Map(results.map((result) => [result.id, documentsIn(result).map(leafOf)]))
}

function leafOf({ _rev, _deleted, _revisions }: StoredDocument): Leaf {
  const { start, ids } = (_revisions ?? { start: 0, ids: [] }) as { start: number; ids: string[] }
  const history = ids.map((hash, index) => `${start - index}-${hash}`)
  return { rev: _rev, deleted: _deleted === true, history: history.length > 0 ? history : [_rev] }
}

async function readImplied(database: Database, ids: readonly string[]): Promise<Map<string, StoredDocument>> {
  if (ids.length === 0) return new Map()
  const { results } = await database.bulkGet(ids.map((id) => ({ id, rev: revisionOf(id) })))
  const found = results.map((result) => [result.id, documentsIn(result)[0]] as const)
  return new Map(found.flatMap(([id, body]) => (body && !body._deleted ? [[id, body]] : [])))
}

/** What a store cannot read at the moment must not be taken for what is not there. */
function documentsIn({ id, docs }: BulkGetResult): StoredDocument[] {
  return docs.flatMap((entry) => {
    if ('ok' in entry) return entry.ok
    if (entry.error.error === 'not_found') return []
    throw new HyperactiveError('ledger_unreadable', `the store cannot read ${id}: ${entry.error.reason}`)
  })
}
