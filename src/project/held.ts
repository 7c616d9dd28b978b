import type { Database } from '../couch/database.ts'
import type { HeldDocument } from './site-item.ts'

/** Rows read at once where documents are counted. */
const AT_ONCE = 1000
const FIRST = 'held:'
const LAST = 'held:\ufff0'

/** Documents that the projector keeps off the pages, by reason: at most `limit` of the site database's. */
export async function heldDocuments(database: Database, limit: number): Promise<HeldDocument[]> {
  const { rows } = await database.allDocs({ startkey: FIRST, endkey: LAST, limit, include_docs: true })
  return rows.map(({ doc }) => doc as unknown as HeldDocument)
}

/** How many documents the projector keeps off the pages, by reason. */
export async function heldByReason(database: Database): Promise<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (let startkey = FIRST; ;) {
    const { rows } = await database.allDocs({ startkey, endkey: LAST, limit: AT_ONCE })
    for (const { key } of rows) {
      const reason = key.split(':')[1] ?? ''
      counts[reason] = (counts[reason] ?? 0) + 1
    }
    const last = rows.at(-1)
    if (!last || rows.length < AT_ONCE) return counts
    startkey = `${last.key}\u0000`
  }
}
