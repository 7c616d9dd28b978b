import type { Database, StoredDocument } from '../couch/database.ts'
import { isCouchError } from '../couch/request.ts'
import { HyperactiveError } from '../errors.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { Problem } from './examine.ts'

/** Holds documents while the revisions around them are purged, for a run that is cut off between the two. */
const RESCUE = '_local/rescue'
/** CouchDB takes 100 documents in one purge. */
const MOST_PURGED = 50
/** Far below the 8 MB that CouchDB takes in one document. */
const RESCUED_BYTES = 4_000_000

/**
 * Takes out of a CouchDB's ledger what was written there past the gateway. A purge removes a whole branch, so a true
 * document that was written over is read before, and written again after it.
 *
 * @param ledger on a CouchDB, with an administrator's credentials
 * @throws HyperactiveError `repair_not_allowed`
 */
export async function repairCouchdb(ledger: Ledger, problems: readonly Problem[]): Promise<void> {
  const { database } = ledger
  await restoreRescued(database)
  for (let start = 0; start < problems.length; start += MOST_PURGED) {
    const some = problems.slice(start, start + MOST_PURGED)
    const covered = some.filter(({ kind }) => kind === 'written-over').map(({ id }) => id)
    const found = [...(await ledger.readMany(covered)).values()]
    const small = firstOf(found, RESCUED_BYTES)
    const later = new Set(found.slice(small.length).map(({ _id }) => _id))
    await replace(
      database,
      some.filter(({ id }) => !later.has(id)),
      small,
    )
    for (const document of found.slice(small.length)) {
      await replace(
        database,
        some.filter(({ id }) => id === document._id),
        [document],
      )
    }
  }
}

/** As many of the documents as fit in one rescue. */
function firstOf(documents: readonly StoredDocument[], mostBytes: number): StoredDocument[] {
  let bytes = 0
  const over = documents.findIndex((document) => {
    bytes += Buffer.byteLength(JSON.stringify(document))
    return bytes > mostBytes
  })
  return documents.slice(0, over === -1 ? documents.length : over)
}

async function replace(
  database: Database,
  problems: readonly Problem[],
  documents: readonly StoredDocument[],
): Promise<void> {
  if (problems.length === 0) return
  if (documents.length > 0)
    await database.put({ _id: RESCUE, ...(await revOf(database)), documents } as { _id: string })
  try {
    await database.purge(Object.fromEntries(problems.map(({ id, revs }) => [id, revs])))
  } catch (error) {
    if (![401, 403].some((status) => isCouchError(error, status))) throw error
    const text =
      'only an administrator of the CouchDB may purge; run the command once with COUCHDB_URL naming one'
    throw new HyperactiveError('repair_not_allowed', text, { status: 403, cause: error })
  }
  if (documents.length > 0) await restoreRescued(database)
}

async function revOf(database: Database): Promise<{ _rev?: string }> {
  const stored = await database.get(RESCUE)
  return stored ? { _rev: stored._rev } : {}
}

async function restoreRescued(database: Database): Promise<void> {
  const stored = await database.get(RESCUE)
  if (!stored) return
  const documents = stored.documents as StoredDocument[]
  const refused = (await database.bulkDocs(documents, { newEdits: false })).find(
    ({ error }) => error !== undefined,
  )
  if (refused) {
    const text = `the store refused ${refused.id}: ${refused.reason ?? refused.error ?? ''}; it is kept in ${RESCUE}`
    throw new HyperactiveError('append_failed', text)
  }
  await database.delete(RESCUE, stored._rev)
}
