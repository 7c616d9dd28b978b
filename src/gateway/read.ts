import { randomBytes } from 'node:crypto'
import type { Database, StoredDocument } from '../couch/database.ts'
import { idOf, parseId, revisionOf } from '../ledger/document.ts'
import type { AbsentIds } from './absent.ts'
import { GatewayAnswer } from './answers.ts'

const MOST_DOCUMENTS = 1000

/**
 * Answers `_bulk_get`. Only the revision that a document's id implies is ever given. One that is not here is answered
 * with no document rather than with an error: on an error PouchDB would try the whole batch again, for ever.
 */
export async function bulkGet(
  database: Database,
  body: Record<string, unknown>,
  revs: boolean,
): Promise<object> {
  const { docs } = body
  if (!Array.isArray(docs)) throw new GatewayAnswer(400, 'bad_request', 'Missing JSON list of `docs`.')
  if (docs.length > MOST_DOCUMENTS)
    throw new GatewayAnswer(413, 'too_large', `ask for ${MOST_DOCUMENTS} documents at most`)
  const asked = (docs as { id?: unknown; rev?: unknown }[]).map(({ id, rev }) => {
    if (typeof id !== 'string') throw new GatewayAnswer(400, 'bad_request', 'a document has no id')
    return { id, rev }
  })
  const wanted = asked.filter(({ id, rev }) => parseId(id) && (rev === undefined || rev === revisionOf(id)))
  const found = await readImplied(
    database,
    wanted.map(({ id }) => id),
  )
  const results = asked.map(({ id, rev }) => {
    const document = rev === undefined || rev === revisionOf(id) ? found.get(id) : undefined
    return { id, docs: document ? [{ ok: revs ? withRevisions(document) : document }] : [] }
  })
  return { results }
}

/**
 * Answers `_revs_diff`. What was erased here counts as present, so that nobody sends it again. Ids that are not here
 * at all are remembered for the batch that will bring them.
 */
export async function revsDiff(
  database: Database,
  body: Record<string, unknown>,
  absent: AbsentIds,
): Promise<object> {
  const ids = Object.keys(body)
  const { rows } = ids.length > 0 ? await database.allDocs({ keys: ids }) : { rows: [] }
  const answer: Record<string, { missing: string[] }> = {}
  const unsettled: Record<string, string[]> = {}
  for (const { key, value } of rows) {
    const asked = body[key]
    if (!Array.isArray(asked)) throw new GatewayAnswer(400, 'bad_request', 'revisions must be a list')
    const revs = asked.filter((rev) => typeof rev === 'string')
    if (!value) {
      answer[key] = { missing: revs }
      absent.add(key)
    } else if (!value.deleted && revs.some((rev) => rev !== value.rev)) unsettled[key] = revs
  }
  if (Object.keys(unsettled).length > 0) Object.assign(answer, await database.revsDiff(unsettled))
  return answer
}

/** Answers `GET <id>?open_revs=…` with the implied revision, in JSON or as the `multipart/mixed` that CouchDB asks for. */
export async function openRevs(
  database: Database,
  id: string,
  asked: string,
  { revs, multipart }: { revs: boolean; multipart: boolean },
): Promise<{ type: string; body: string }> {
  const found = parseId(id) ? (await readImplied(database, [id])).get(id) : undefined
  const revisions = asked === 'all' ? [revisionOf(id)] : parseList(asked)
  const answers = revisions.flatMap((rev) => {
    if (found?._rev === rev) return { ok: revs ? withRevisions(found) : found }
    return asked === 'all' ? [] : { missing: rev }
  })
  if (!multipart) return { type: 'application/json', body: JSON.stringify(answers) }
  const boundary = randomBytes(16).toString('hex')
  const parts = answers.map((answer) =>
    'ok' in answer
      ? `\r\nContent-Type: application/json\r\n\r\n${JSON.stringify(answer.ok)}\r\n`
      : `\r\nContent-Type: application/json; error="true"\r\n\r\n${JSON.stringify(answer)}\r\n`,
  )
  const body = `${parts.map((part) => `--${boundary}${part}`).join('')}--${boundary}--`
  return { type: `multipart/mixed; boundary="${boundary}"`, body }
}

/**
 * Documents by their implied revision, whatever else the store may hold under the same id. One whose content is not
 * what its id says was altered behind the gateway, and is not given; the signatures are the receiver's to verify.
 */
export async function readImplied(
  database: Database,
  ids: readonly string[],
): Promise<Map<string, StoredDocument>> {
  const found = new Map<string, StoredDocument>()
  if (ids.length === 0) return found
  const { rows } = await database.allDocs({ keys: [...ids], include_docs: true })
  const overwritten: { id: string; rev: string }[] = []
  for (const { key, value, doc } of rows) {
    if (doc && doc._rev === revisionOf(key)) found.set(key, doc)
    else if (value && !value.deleted) overwritten.push({ id: key, rev: revisionOf(key) })
  }
  if (overwritten.length > 0) {
    const { results } = await database.bulkGet(overwritten)
    for (const { id, docs } of results) {
      for (const entry of docs) if ('ok' in entry && !entry.ok._deleted) found.set(id, entry.ok)
    }
  }
  for (const [id, document] of found) if (!isUnaltered(document)) found.delete(id)
  return found
}

function isUnaltered(document: StoredDocument): boolean {
  try {
    return idOf(document) === document._id
  } catch {
    // What has no canonical form was never in a ledger.
    return false
  }
}

function withRevisions(document: StoredDocument): StoredDocument {
  return { ...document, _revisions: { start: 1, ids: [document._rev.slice(2)] } }
}

function parseList(text: string): string[] {
  try {
    const list: unknown = JSON.parse(text)
    if (Array.isArray(list) && list.length <= MOST_DOCUMENTS && list.every((rev) => typeof rev === 'string'))
      return list
  } catch {
    // answered below
  }
  throw new GatewayAnswer(400, 'bad_request', 'invalid open_revs')
}
