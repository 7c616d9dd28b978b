import type { Envelope } from '../ledger/document.ts'
import type { Caller } from './callers.ts'
import { checkDocument, isProblem } from './check.ts'
import type { Problem } from './check.ts'
import { GatewayAnswer } from './answers.ts'
import type { GatewayOptions } from './gateway.ts'
import type { Strangers } from './strangers.ts'

/** A document that was refused, as both replicators understand it: CouchDB reads `error`, PouchDB `name`. */
interface Refused {
  id: string
  rev?: string
  error: Problem['code']
  name: Problem['code']
  status: number
  reason: string
}

/**
 * Takes in a batch (`_bulk_docs` with `new_edits: false`): each document is checked by itself, the good ones are
 * stored in one write, and only the refused ones are answered.
 *
 * `forbidden` makes a replicator skip the document for good. `too_busy` makes PouchDB keep the rest, back off and try
 * again; CouchDB's replicator likewise crashes the job and starts it again.
 */
export async function takeIn(
  body: Record<string, unknown>,
  caller: Caller,
  strangers: Strangers,
  options: GatewayOptions,
): Promise<Refused[]> {
  const { docs, new_edits: newEdits } = body
  if (!Array.isArray(docs))
    throw new GatewayAnswer(400, 'bad_request', 'POST body must include `docs` parameter.')
  if (newEdits !== false)
    throw new GatewayAnswer(403, 'forbidden', 'the ledger takes documents with new_edits: false only')
  const { ledger, limits, refusals } = options
  const context = { limits, clock: ledger.clock, membership: options.membership() }
  const checked = await Promise.all(docs.map((document) => checkDocument(document, context)))

  const refused: Refused[] = []
  const refuse = (given: unknown, { code, reason }: Problem) => {
    const { _id: id, _rev: rev } = (given ?? {}) as { _id?: unknown; _rev?: unknown }
    const name = typeof id === 'string' ? id : ''
    refusals.add({ caller: caller.name, id: name, code, reason })
    const status = code === 'forbidden' ? 403 : 503
    refused.push({
      id: name,
      ...(typeof rev === 'string' ? { rev } : {}),
      error: code,
      name: code,
      status,
      reason,
    })
  }
  const good = new Map<string, Envelope>()
  for (const [index, outcome] of checked.entries()) {
    if (isProblem(outcome)) refuse(docs[index], outcome)
    else good.set(outcome._id, outcome)
  }

  const present = await ledger.database.allDocs({ keys: [...good.keys()] })
  for (const { key, value } of present.rows) {
    const document = good.get(key)
    if (!document || !value) continue
    if (value.deleted) refuse(document, { code: 'forbidden', reason: 'was erased here' })
    // An equal revision is here already; under another one something wrote past the gateway, and this one is missing.
    if (value.deleted || value.rev === document._rev) good.delete(key)
  }

  let room = await strangers.room(caller.name, context.membership)
  const strangersKeys: string[] = []
  for (const [id, document] of good) {
    if (context.membership.isMember(document.node)) continue
    if (room > 0) {
      room -= 1
      strangersKeys.push(document.node)
    } else {
      good.delete(id)
      const reason = `is signed by a key that is no member, and ${caller.name} has brought as many of those as are kept`
      refuse(document, { code: 'too_busy', reason })
    }
  }

  if (good.size > 0) {
    await strangers.add(caller.name, strangersKeys)
    const failed = await ledger.database.bulkDocs([...good.values()], { newEdits: false })
    for (const { id, reason, error } of failed) {
      if (error) refuse({ _id: id }, { code: 'too_busy', reason: `the store refused it: ${reason ?? error}` })
    }
    for (const { at } of good.values()) ledger.clock.see(at)
    options.stored?.(good.size)
  }
  return refused
}
