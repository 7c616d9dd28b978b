import type { PouchDatabase, PouchDocument } from 'pouchdb-node'
import { CouchAnswer } from './answers.ts'

const REVISION = /^\d+-[0-9A-Za-z]+$/

/** One revision of a document, also a deleted one, or undefined when it is not here. */
export async function getRevision(
  pouch: PouchDatabase,
  id: string,
  rev: string,
  revs: boolean,
): Promise<PouchDocument | undefined> {
  if (!REVISION.test(rev)) return undefined
  try {
    return await pouch.get(id, { rev, revs })
  } catch (error) {
    if ((error as { status?: number }).status === 404) return undefined
    throw error
  }
}

/**
 * Answers `open_revs`. PouchDB would throw inside LevelDB's callback on a revision that it does not know, so it is
 * asked for its own leaves only and everything else is resolved here.
 */
export async function openRevisions(
  pouch: PouchDatabase,
  id: string,
  asked: 'all' | string[],
  { revs, latest }: { revs: boolean; latest: boolean },
): Promise<({ ok: PouchDocument } | { missing: string })[]> {
  const leaves = asked === 'all' || latest ? await leavesOf(pouch, id) : []
  const plain = (leaf: PouchDocument) => {
    if (revs) return leaf
    const { _revisions, ...rest } = leaf
    return rest
  }
  if (asked === 'all') return leaves.map((leaf) => ({ ok: plain(leaf) }))
  const answers: ({ ok: PouchDocument } | { missing: string })[] = []
  for (const rev of asked) {
    const later = leaves.filter((leaf) => descendsFrom(leaf, rev))
    const found = later.length > 0 ? later.map(plain) : [await getRevision(pouch, id, rev, revs)]
    for (const document of found) answers.push(document ? { ok: document } : { missing: rev })
  }
  return answers
}

async function leavesOf(pouch: PouchDatabase, id: string): Promise<PouchDocument[]> {
  try {
    const answers = (await pouch.get(id, { open_revs: 'all', revs: true })) as unknown as {
      ok?: PouchDocument
    }[]
    return answers.flatMap(({ ok }) => ok ?? [])
  } catch (error) {
    if ((error as { status?: number }).status === 404) throw new CouchAnswer(404, 'not_found', 'missing')
    throw error
  }
}

function descendsFrom({ _revisions }: PouchDocument, rev: string): boolean {
  if (!_revisions) return false
  const [generation, hash] = rev.split('-')
  return _revisions.ids[_revisions.start - Number(generation)] === hash
}
