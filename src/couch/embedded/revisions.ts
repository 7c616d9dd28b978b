import type { PouchDatabase, PouchDocument } from 'pouchdb-node'
import { REVISION } from './check-document.ts'

export type OpenRevision = { ok: PouchDocument } | { missing: string }

/** One revision of a document, also a deleted one, or undefined when it is not here. */
export async function getRevision(
  pouch: PouchDatabase,
  id: string,
  rev: string,
  revs: boolean,
): Promise<PouchDocument | undefined> {
  if (!REVISION.test(rev)) return undefined
  return unlessMissing(pouch.get(id, { rev, revs }))
}

/**
 * Answers `open_revs`. PouchDB would throw inside LevelDB's callback on a revision that it does not know, so it is
 * asked for its own leaves only and everything else is resolved here.
 */
export async function openRevisions(
  pouch: PouchDatabase,
  id: string,
  asked: 'all' | readonly string[],
  { revs, latest }: { revs: boolean; latest: boolean },
): Promise<OpenRevision[]> {
  const leaves = asked === 'all' || latest ? await leavesOf(pouch, id) : []
  if (asked === 'all') return leaves.map((leaf) => ({ ok: plain(leaf, revs) }))
  const answers = new Map<string, OpenRevision>()
  for (const rev of asked) {
    const later = leaves.filter((leaf) => pathOf(leaf).includes(rev))
    for (const leaf of later) answers.set(leaf._rev, { ok: plain(leaf, revs) })
    if (later.length > 0 || answers.has(rev)) continue
    const document = await getRevision(pouch, id, rev, revs)
    answers.set(rev, document ? { ok: document } : { missing: rev })
  }
  return [...answers.values()]
}

/**
 * Which of these revisions a document lacks, as `_revs_diff` answers. A revision whose body was compacted away is
 * known, as in CouchDB; PouchDB itself would ask for it again.
 */
export async function missingRevisions(
  pouch: PouchDatabase,
  id: string,
  asked: readonly string[],
): Promise<{ missing: string[]; possible_ancestors?: string[] } | undefined> {
  const leaves = await leavesOf(pouch, id)
  const known = new Set(leaves.flatMap(pathOf))
  const missing = asked.filter((rev) => !known.has(rev))
  if (missing.length === 0) return undefined
  const newest = Math.max(...missing.map(generation))
  const ancestors = leaves.map(({ _rev }) => _rev).filter((rev) => generation(rev) < newest)
  return ancestors.length === 0 ? { missing } : { missing, possible_ancestors: ancestors }
}

/** All leaves, deleted ones too, with their histories; none for a document that was never here. */
async function leavesOf(pouch: PouchDatabase, id: string): Promise<PouchDocument[]> {
  const found = pouch.get(id, { open_revs: 'all', revs: true }) as unknown as Promise<
    { ok?: PouchDocument }[]
  >
  return ((await unlessMissing(found)) ?? []).flatMap(({ ok }) => ok ?? [])
}

async function unlessMissing<Found>(found: Promise<Found>): Promise<Found | undefined> {
  try {
    return await found
  } catch (error) {
    if ((error as { status?: number }).status === 404) return undefined
    throw error
  }
}

function pathOf({ _rev, _revisions }: PouchDocument): string[] {
  if (!_revisions) return [_rev]
  const { start, ids } = _revisions
  return ids.map((hash, index) => `${start - index}-${hash}`)
}

function generation(rev: string): number {
  return Number.parseInt(rev, 10)
}

function plain(leaf: PouchDocument, revs: boolean): PouchDocument {
  if (revs) return leaf
  const { _revisions, ...rest } = leaf
  return rest
}
