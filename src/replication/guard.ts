import { z } from 'zod'
import { HyperactiveError } from '../errors.ts'
import { parseId, revisionOf } from '../ledger/document.ts'

/** A request to a peer's gateway, as far as its answer depends on it. */
export interface Asked {
  method: string
  /** Behind the ledger's path: "", "/_changes", "/_local/…". */
  path: string
  query: URLSearchParams
  /** The JSON that was sent along with a question of which it matters. */
  body: unknown
}

const MOST_ROWS = 10_000
const LONGEST_SEQ = 10_000

const seq = z.union([z.string().max(LONGEST_SEQ), z.number()])
const changes = z.looseObject({
  results: z
    .array(z.looseObject({ seq, id: z.string(), changes: z.array(z.looseObject({ rev: z.string() })) }))
    .max(MOST_ROWS),
  last_seq: seq,
})
const bulkGot = z.looseObject({
  results: z
    .array(
      z.looseObject({
        id: z.string(),
        docs: z.array(
          z.union([z.looseObject({ ok: z.looseObject({}) }), z.looseObject({ error: z.looseObject({}) })]),
        ),
      }),
    )
    .max(MOST_ROWS),
})
const written = z.array(z.looseObject({ id: z.string() })).max(MOST_ROWS)
const missing = z.record(z.string(), z.looseObject({ missing: z.array(z.string()) }))
const checkpoint = z.looseObject({
  last_seq: seq.optional(),
  session_id: z.string().optional(),
  history: z
    .array(z.looseObject({ last_seq: seq.optional(), session_id: z.string().optional() }))
    .max(1000)
    .optional(),
})
const object = z.looseObject({})

/**
 * Checks the answer of a peer's gateway before a replicator sees it, which expects everything to be as it should and
 * else loops, hangs or throws where nobody catches. What a document says is not looked at here: that is the own
 * gateway's work, which counts what it refuses.
 *
 * @param answer parsed JSON, of an answer with a status below 400
 * @returns the same answer
 * @throws HyperactiveError `peer_misbehaves`
 */
export function checkAnswer(asked: Asked, answer: unknown): unknown {
  const { method, path } = asked
  if (path === '/_changes') return checkChanges(asked, shaped(changes, answer, path))
  if (path === '/_bulk_get') return checkDocuments(asked, shaped(bulkGot, answer, path))
  if (path === '/_bulk_docs') return shaped(written, answer, path)
  if (path === '/_revs_diff') {
    const diff = shaped(missing, answer, path)
    const sent = asked.body as object
    const unasked = Object.keys(diff).find((id) => !Object.hasOwn(sent, id))
    if (unasked !== undefined) throw misbehaves(`answers _revs_diff with an id that was not asked for`)
    return diff
  }
  if (path.startsWith('/_local/') && method === 'GET') return shaped(checkpoint, answer, '/_local/')
  return shaped(object, answer, path === '' ? '/' : path)
}

function checkChanges({ query }: Asked, answer: z.output<typeof changes>): unknown {
  for (const { id, changes: revisions, deleted } of answer.results) {
    if (!parseId(id)) throw misbehaves(`offers "${id.slice(0, 60)}", which is no ledger document`)
    if (deleted === true)
      throw misbehaves('offers a deletion; nothing in the ledger is ever deleted by replication')
    if (revisions.length !== 1 || revisions[0]?.rev !== revisionOf(id))
      throw misbehaves('offers another revision than the one that a document has')
  }
  if (answer.results.length > 0 && String(answer.last_seq) === query.get('since'))
    throw misbehaves('offers the same changes again and again')
  return answer
}

function checkDocuments({ body }: Asked, answer: z.output<typeof bulkGot>): unknown {
  const { docs } = body as { docs: { id: string }[] }
  const ids = new Set(docs.map(({ id }) => id))
  for (const { id, docs: given } of answer.results) {
    if (!ids.has(id)) throw misbehaves('gives documents that were not asked for')
    if (given.some((entry) => 'ok' in entry && '_attachments' in (entry.ok as object)))
      throw misbehaves('gives documents with attachments')
  }
  return answer
}

function shaped<Shape extends z.ZodType>(shape: Shape, answer: unknown, what: string): z.output<Shape> {
  const parsed = shape.safeParse(answer)
  if (!parsed.success)
    throw misbehaves(`answers ${what} with something else than the replication protocol says`)
  return parsed.data
}

function misbehaves(text: string): HyperactiveError {
  return new HyperactiveError('peer_misbehaves', `the peer ${text}`, { status: 502 })
}
