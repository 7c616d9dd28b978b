import type { Envelope } from '../ledger/document.ts'
import type { Caller } from './callers.ts'
import type { WriteResult } from '../couch/database.ts'
import { checkDocument, isProblem } from './check.ts'
import type { Problem } from './check.ts'
import { GatewayAnswer } from './answers.ts'
import type { GatewayOptions } from './gateway.ts'
import type { Membership } from '../project/membership.ts'
import type { AbsentIds } from './absent.ts'
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

/** A batch is worked on in parts of this size: while the store writes one, the next is being checked. */
const PART = 100
const LONGEST_REASON = 300

interface TakeInOptions extends GatewayOptions {
  strangers: Strangers
  absent: AbsentIds
}

/**
 * Takes in a batch (`_bulk_docs` with `new_edits: false`): each document is checked by itself, the good ones are
 * stored, and only the refused ones are answered.
 *
 * `forbidden` makes a replicator skip the document for good. `too_busy` makes PouchDB keep the rest, back off and try
 * again; CouchDB's replicator likewise crashes the job and starts it again.
 */
export async function takeIn(
  body: Record<string, unknown>,
  caller: Caller,
  options: TakeInOptions,
): Promise<Refused[]> {
  const { docs, new_edits: newEdits } = body
  if (!Array.isArray(docs))
    throw new GatewayAnswer(400, 'bad_request', 'POST body must include `docs` parameter.')
  if (newEdits !== false) {
    throw new GatewayAnswer(403, 'forbidden', 'the ledger takes documents with new_edits: false only')
  }
  const batch = new Batch(caller, options)
  let stored = Promise.resolve()
  for (let at = 0; at < docs.length; at += PART) {
    const good = await batch.check(docs.slice(at, at + PART))
    await stored
    stored = batch.store(good)
    // Awaited in the next round; a failure is not to be unhandled until then.
    stored.catch(() => undefined)
  }
  await stored
  return batch.refused
}

/** One batch on its way in. */
class Batch {
  readonly refused: Refused[] = []
  readonly #caller: Caller
  readonly #options: TakeInOptions
  readonly #membership: Membership

  constructor(caller: Caller, options: TakeInOptions) {
    this.#caller = caller
    this.#options = options
    this.#membership = options.membership()
  }

  /** Checks documents by themselves and against what was erased here; gives those that are to be stored. */
  async check(docs: readonly unknown[]): Promise<Envelope[]> {
    const { ledger, limits, absent } = this.#options
    const context = { limits, clock: ledger.clock, membership: this.#membership }
    const checked = await Promise.all(docs.map((document) => checkDocument(document, context)))
    const good = new Map<string, Envelope>()
    for (const [index, outcome] of checked.entries()) {
      if (isProblem(outcome)) this.#refuse(docs[index], outcome)
      else good.set(outcome._id, outcome)
    }
    const unknown = [...good.keys()].filter((id) => !absent.take(id))
    const { rows } = unknown.length > 0 ? await ledger.database.allDocs({ keys: unknown }) : { rows: [] }
    for (const { key, value } of rows) {
      const document = good.get(key)
      if (!document || !value) continue
      if (value.deleted) this.#refuse(document, { code: 'forbidden', reason: 'was erased here' })
      // An equal revision is here already; under another one something wrote past the gateway, and this one is missing.
      if (value.deleted || value.rev === document._rev) good.delete(key)
    }
    return this.#boundStrangers([...good.values()])
  }

  /** Stores checked documents in one write. */
  async store(documents: readonly Envelope[]): Promise<void> {
    const { ledger, stored, strangers } = this.#options
    if (documents.length === 0) return
    const strange = documents.filter(({ node }) => !this.#membership.isMember(node))
    let failed: WriteResult[]
    try {
      failed = await ledger.database.bulkDocs(documents, { newEdits: false })
    } catch (error) {
      strangers.release(this.#caller.name, strange)
      throw error
    }
    const left = new Map(documents.map((document) => [document._id, document]))
    for (const { id, reason, error } of failed) {
      if (!error || !left.delete(id)) continue
      this.#refuse({ _id: id }, { code: 'too_busy', reason: `the store refused it: ${reason ?? error}` })
    }
    const unstored = strange.filter(({ _id }) => !left.has(_id))
    strangers.release(this.#caller.name, unstored)
    for (const { at } of left.values()) ledger.clock.see(at)
    if (left.size > 0) stored?.(left.size)
  }

  /** Lets documents of keys that are no members through as long as the caller's bound has room. */
  async #boundStrangers(documents: readonly Envelope[]): Promise<Envelope[]> {
    const { name } = this.#caller
    const tooMany = await this.#options.strangers.admit(name, documents, this.#membership)
    const reason = `is signed by a key that is no member, and ${name} has brought as many of those as are kept`
    for (const document of tooMany) this.#refuse(document, { code: 'too_busy', reason })
    return documents.filter((document) => !tooMany.has(document))
  }

  #refuse(given: unknown, problem: Problem): void {
    const { code } = problem
    // It may quote what came in.
    const reason = problem.reason.slice(0, LONGEST_REASON)
    const { _id: id, _rev: rev } = (given ?? {}) as { _id?: unknown; _rev?: unknown }
    const name = typeof id === 'string' ? id : ''
    this.#options.refusals.add({ caller: this.#caller.name, id: name, code, reason })
    const status = code === 'forbidden' ? 403 : 503
    this.refused.push({
      id: name,
      ...(typeof rev === 'string' ? { rev } : {}),
      error: code,
      name: code,
      status,
      reason,
    })
  }
}
