import { randomUUID } from 'node:crypto'
import type { Database, StoredDocument } from '../couch/database.ts'
import { HyperactiveError } from '../errors.ts'
import type { HybridClock } from './clock.ts'
import { makeDocument, parseId, proofProblem, revisionOf } from './document.ts'
import type { Draft, Envelope } from './document.ts'
import type { SigningKey } from './keys.ts'
import { documentProblem } from './schema.ts'

/** A draft with what signs and dates it. */
export interface Entry {
  /** May be made of the documents before it in the same append, such as an edit that names media documents. */
  draft: Draft | ((before: readonly Envelope[]) => Draft)
  /** Signs an edit in its author's name. */
  author?: SigningKey
  /** The hybrid time of an import's original; now unless given. */
  at?: string
}

export interface LedgerIdentity {
  uuid: string
  /** The key of the node whose ledger it is; absent in ledgers of the first version. */
  node?: string
}

const IDENTITY = '_local/identity'

/** The identity that a ledger database was given, or undefined when it is new. */
export async function readIdentity(database: Database): Promise<LedgerIdentity | undefined> {
  const { uuid, node } = ((await database.get(IDENTITY)) ?? {}) as Partial<LedgerIdentity>
  if (uuid === undefined) return undefined
  return node === undefined ? { uuid } : { uuid, node }
}

/** The last code point: `startkey: "x:"`, `endkey: "x:" + LAST` is the range of all ids that begin with "x:". */
const LAST = '\ufff0'

/**
 * The replicated database of immutable, signed documents. This class signs and appends this node's own documents and
 * reads any; what comes from peers enters through the gateway.
 */
export class Ledger {
  readonly database: Database
  readonly clock: HybridClock
  readonly #key: SigningKey
  readonly #isMirror: boolean

  /** @param options.isMirror whether this node signs nothing but that it has carried out an order to erase */
  constructor(
    database: Database,
    key: SigningKey,
    clock: HybridClock,
    { isMirror = false }: { isMirror?: boolean } = {},
  ) {
    this.#isMirror = isMirror
    this.database = database
    this.#key = key
    this.clock = clock
  }

  /** This node's public key. */
  get node(): string {
    return this.#key.publicKey
  }

  /**
   * Signs and stores documents; resolves when the store has them. Appending what is there already changes nothing.
   *
   * @throws HyperactiveError `invalid_document` before anything is written; `append_failed` when the store refuses;
   * `is_mirror` where this node signs nothing
   */
  async append(entries: readonly Entry[]): Promise<Envelope[]> {
    if (
      this.#isMirror &&
      !entries.every(
        ({ draft }) => typeof draft === 'object' && draft.type === 'erasure' && draft.order !== undefined,
      )
    ) {
      const text =
        'this node is a mirror: it signs nothing. Publish and moderate on the nodes that it mirrors'
      throw new HyperactiveError('is_mirror', text, { status: 403 })
    }
    const documents: Envelope[] = []
    for (const { draft, author, at } of entries) {
      const made = typeof draft === 'function' ? draft(documents) : draft
      documents.push(makeDocument(made, at ?? this.clock.now(), this.#key, author))
    }
    for (const document of documents) {
      const problem = documentProblem(document)
      if (problem) throw new HyperactiveError('invalid_document', problem, { status: 400 })
    }
    const refused = await this.database.bulkDocs(documents, { newEdits: false })
    const first = refused.find(({ error }) => error !== undefined)
    if (first) {
      throw new HyperactiveError(
        'append_failed',
        `the store refused ${first.id}: ${first.reason ?? first.error ?? ''}`,
      )
    }
    return documents
  }

  /**
   * Which ledger database this is: a random name, made at the first start together with the key of the node that it
   * belongs to, and kept in a document that is never replicated. Another database has other sequence numbers.
   */
  async identity(): Promise<LedgerIdentity> {
    const stored = await readIdentity(this.database)
    if (stored) return stored
    const identity = { uuid: randomUUID(), node: this.node }
    await this.database.put({ _id: IDENTITY, ...identity })
    return identity
  }

  /** How many documents there are, without the database's design documents. */
  async count(): Promise<{ documents: number; updateSeq: string | number }> {
    const designDocs = { startkey: '_design/', endkey: '_design0' }
    const [{ doc_count, update_seq }, { rows }] = await Promise.all([
      this.database.info(),
      this.database.allDocs(designDocs),
    ])
    return { documents: doc_count - rows.length, updateSeq: update_seq }
  }

  /** One document, proven, or undefined. */
  async read(id: string): Promise<Envelope | undefined> {
    return (await this.readMany([id])).get(id)
  }

  /**
   * Documents by id, each read by the revision that its id implies and proven. What is missing or does not prove
   * itself is absent from the answer.
   */
  async readMany(ids: readonly string[]): Promise<Map<string, Envelope>> {
    const found = new Map<string, Envelope>()
    if (ids.length === 0) return found
    const { rows } = await this.database.allDocs({ keys: [...ids], include_docs: true })
    await Promise.all(
      rows.map(async ({ key, doc }) => {
        const document = await this.proven(key, doc ?? undefined)
        if (document) found.set(key, document)
      }),
    )
    return found
  }

  /**
   * A document as the ledger means it: if the store's winner for this id is another revision than the id implies
   * (something wrote past the gateway), the implied one is fetched; then it must prove itself.
   */
  async proven(id: string, winner: StoredDocument | undefined): Promise<Envelope | undefined> {
    if (!parseId(id)) return undefined
    const stored = winner?._rev === revisionOf(id) ? winner : await this.#readImplied(id)
    if (!stored || documentProblem(stored)) return undefined
    const document = stored as Envelope
    return (await proofProblem(document)) ? undefined : document
  }

  /** All documents of one type that belong to an item, proven. */
  async ofItem(item: string, type: string): Promise<Envelope[]> {
    const prefix = `${item}:${type}:`
    const { rows } = await this.database.allDocs({
      startkey: prefix,
      endkey: prefix + LAST,
      include_docs: true,
    })
    const documents = await Promise.all(rows.map(({ key, doc }) => this.proven(key, doc ?? undefined)))
    return documents.filter((document) => document !== undefined)
  }

  /** Which of these items have any edit here. */
  async known(items: readonly string[]): Promise<Set<string>> {
    if (items.length === 0) return new Set()
    const queries = items.map((item) => ({
      startkey: `${item}:edit:`,
      endkey: `${item}:edit:${LAST}`,
      limit: 1,
    }))
    const answers = await this.database.allDocsQueries(queries)
    return new Set(items.filter((_, index) => (answers[index]?.length ?? 0) > 0))
  }

  async #readImplied(id: string): Promise<StoredDocument | undefined> {
    const { results } = await this.database.bulkGet([{ id, rev: revisionOf(id) }])
    for (const entry of results[0]?.docs ?? []) if ('ok' in entry && !entry.ok._deleted) return entry.ok
    return undefined
  }
}
