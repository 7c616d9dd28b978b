import type { Database } from '../couch/database.ts'
import { HyperactiveError } from '../errors.ts'
import { readIdentity } from '../ledger/ledger.ts'
import { digestLedger, firstDifferences } from './digest.ts'
import type { Digest } from './digest.ts'
import { PAGE, walkLedger } from './walk.ts'
import type { Finding } from './walk.ts'

/** Where a copy stands, kept in the target until it is done. */
const PLACE = '_local/move'
/** Far below what any store takes in one request. */
const BATCH_BYTES = 8_000_000

interface Place {
  /** The identity of the ledger that is copied: another one has other sequence numbers. */
  source: string
  seq: string | number
  /** Changes that were copied up to there. */
  count: number
}

/** How far a copy is: `done` of `total` changes are copied, or looked at on both sides together. */
export interface Progress {
  step: 'copy' | 'verify'
  done: number
  total: number
}

export interface CopyOptions {
  onProgress?: (progress: Progress) => void
}

/**
 * Copies a ledger into another database, verifies it by count and hash read from both sides, and copies the node's
 * local documents that do not speak of sequence numbers. It may be killed at any moment: the next run goes on where
 * this one was.
 *
 * @returns what both sides hold, and what was not copied because it does not prove itself
 * @throws HyperactiveError `move_not_equal`, `move_refused`
 */
export async function copyLedger(
  source: Database,
  target: Database,
  { onProgress = () => undefined }: CopyOptions = {},
): Promise<Digest> {
  const identity = (await readIdentity(source))?.uuid ?? ''
  const { doc_count, doc_del_count } = await source.info()
  const total = doc_count + doc_del_count
  await copyChanges(source, target, identity, (done) => onProgress({ step: 'copy', done, total }))
  const verify = async () => {
    let done = 0
    const step = (count: number) => {
      done += count
      onProgress({ step: 'verify', done, total: total * 2 })
    }
    const [there, here] = await Promise.all([digestLedger(source, step), digestLedger(target, step)])
    return { there, differences: firstDifferences(there, here) }
  }
  let { there, differences } = await verify()
  if (differences.length > 0) {
    await forgetPlace(target)
    await copyChanges(source, target, identity, (done) => onProgress({ step: 'copy', done, total }))
    ;({ there, differences } = await verify())
  }
  if (differences.length > 0) {
    const text = `the copy is not equal to the ledger, first in ${differences.join(', ')}; the node's store is unchanged; take an empty target (another --prefix, or move the half-made folder away)`
    throw new HyperactiveError('move_not_equal', text)
  }
  await copyLocalDocuments(source, target)
  await forgetPlace(target)
  return there
}

async function copyChanges(
  source: Database,
  target: Database,
  identity: string,
  onProgress: (done: number) => void,
): Promise<void> {
  const stored = (await target.get(PLACE)) as (Place & { _rev: string }) | undefined
  const resumed = stored?.source === identity ? stored : undefined
  let count = resumed?.count ?? 0
  let rev = stored?._rev
  for await (const page of walkLedger(source, resumed?.seq)) {
    for (const batch of batches(page.findings.flatMap(toWrite))) {
      const refused = (await target.bulkDocs(batch, { newEdits: false })).find(
        ({ error }) => error !== undefined,
      )
      if (refused) throw refusal(refused.id, refused.reason ?? refused.error ?? '')
    }
    count += page.count
    const place: Place = { source: identity, seq: page.seq, count }
    ;({ rev } = await target.put({ _id: PLACE, ...(rev === undefined ? {} : { _rev: rev }), ...place }))
    onProgress(count)
  }
}

/** The documents by which another store comes to say the same. A tombstone brings its history, so that the erased revision is known there and cannot come back. */
function toWrite(finding: Finding): object[] {
  if (finding.kind === 'document') return [finding.document]
  if (finding.kind !== 'erased') return []
  return finding.tombstones.map(({ rev, history }) => ({
    _id: finding.id,
    _rev: rev,
    _deleted: true,
    _revisions: {
      start: Number.parseInt(rev, 10),
      ids: history.map((one) => one.slice(one.indexOf('-') + 1)),
    },
  }))
}

function* batches(documents: readonly object[]): Generator<object[]> {
  let batch: object[] = []
  let bytes = 0
  for (const document of documents) {
    const size = Buffer.byteLength(JSON.stringify(document))
    if (batch.length === PAGE || (batch.length > 0 && bytes + size > BATCH_BYTES)) {
      yield batch
      batch = []
      bytes = 0
    }
    batch.push(document)
    bytes += size
  }
  if (batch.length > 0) yield batch
}

/**
 * How many documents of strangers each peer has brought, and the links' counters. Replicators' checkpoints, and what
 * peers have confirmed, name sequence numbers of the other store and stay there: replicators then start at zero.
 */
async function copyLocalDocuments(source: Database, target: Database): Promise<void> {
  for (const id of ['_local/strangers', '_local/links']) {
    const stored = await source.get(id)
    if (!stored) continue
    const { _rev, confirmed: _, ...content } = stored
    const there = await target.get(id)
    await target.put({ ...content, _id: id, ...(there ? { _rev: there._rev } : {}) })
  }
}

async function forgetPlace(target: Database): Promise<void> {
  const stored = await target.get(PLACE)
  if (stored) await target.delete(PLACE, stored._rev)
}

function refusal(id: string, reason: string): HyperactiveError {
  const text = `the target refused ${id}: ${reason}; give an administrator's name and password, then run the command again`
  return new HyperactiveError('move_refused', text)
}
