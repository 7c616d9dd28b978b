import type { Database } from '../couch/database.ts'
import { isCouchError } from '../couch/request.ts'
import { HyperactiveError } from '../errors.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { Problem } from './examine.ts'
import { putRescue, restoreRescued } from './rescue.ts'

/** CouchDB takes 100 documents in one purge. */
const MOST_PURGED = 50

/**
 * Takes out of a CouchDB's ledger what was written there past the gateway. A purge removes a whole branch, so a true
 * document that was written over is read before, and written again after it, one at a time.
 *
 * @param ledger on a CouchDB, with an administrator's credentials
 * @throws HyperactiveError `repair_not_allowed`
 */
export async function repairCouchdb(ledger: Ledger, problems: readonly Problem[]): Promise<void> {
  const { database } = ledger
  await restoreRescued(database)
  for (const problem of problems.filter(({ kind }) => kind === 'written-over')) {
    const document = await ledger.read(problem.id)
    if (document) await putRescue(database, document)
    await purge(database, [problem])
    await restoreRescued(database)
  }
  const others = problems.filter(({ kind, revs }) => kind !== 'written-over' && revs.length > 0)
  for (let start = 0; start < others.length; start += MOST_PURGED)
    await purge(database, others.slice(start, start + MOST_PURGED))
}

async function purge(database: Database, problems: readonly Problem[]): Promise<void> {
  try {
    await database.purge(Object.fromEntries(problems.map(({ id, revs }) => [id, revs])))
  } catch (error) {
    if (![401, 403].some((status) => isCouchError(error, status))) throw error
    const text =
      'only an administrator of the CouchDB may purge; run the command once with COUCHDB_URL naming one'
    throw new HyperactiveError('repair_not_allowed', text, { status: 403, cause: error })
  }
}
