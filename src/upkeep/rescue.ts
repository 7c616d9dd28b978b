import type { Database, StoredDocument } from '../couch/database.ts'
import { HyperactiveError } from '../errors.ts'

/** Holds a document while the revisions over it are purged, for a repair that is cut off between the two. */
const RESCUE = '_local/rescue'

/** The document that a repair took away and did not get to put back, if there is one. */
export async function readRescued(database: Database): Promise<StoredDocument | undefined> {
  return (await database.get(RESCUE))?.document as StoredDocument | undefined
}

/** Keeps a document that is about to be purged together with what was written over it. */
export async function putRescue(database: Database, document: StoredDocument): Promise<void> {
  const stored = await database.get(RESCUE)
  await database.put({ _id: RESCUE, ...(stored ? { _rev: stored._rev } : {}), document } as { _id: string })
}

/**
 * Writes back what was kept, and forgets it.
 *
 * @throws HyperactiveError `append_failed`; the document then stays where it is kept
 */
export async function restoreRescued(database: Database): Promise<void> {
  const stored = await database.get(RESCUE)
  if (!stored) return
  const document = stored.document as StoredDocument
  const [refused] = await database.bulkDocs([document], { newEdits: false })
  if (refused?.error !== undefined) {
    const text = `the store refused ${document._id}: ${refused.reason ?? refused.error}; it is kept in ${RESCUE}`
    throw new HyperactiveError('append_failed', text)
  }
  await database.delete(RESCUE, stored._rev)
}
