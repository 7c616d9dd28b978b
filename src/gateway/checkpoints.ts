import type { Database, StoredDocument } from '../couch/database.ts'

const MOST_KEPT = 1000

/**
 * Replicators' checkpoints in the ledger's local documents. The last ones are kept in memory as well: a replicator reads
 * its checkpoint before each write of it, and nobody but this gateway writes them.
 */
export class Checkpoints {
  readonly #database: Database
  readonly #kept = new Map<string, StoredDocument>()

  constructor(database: Database) {
    this.#database = database
  }

  async get(id: string): Promise<StoredDocument | undefined> {
    const kept = this.#kept.get(id)
    if (kept) return kept
    const stored = await this.#database.get(id)
    if (stored) this.#keep(stored)
    return stored
  }

  /** @returns the new revision */
  async put(document: { _id: string }): Promise<string> {
    this.#kept.delete(document._id)
    const { rev } = await this.#database.put(document)
    this.#keep({ ...document, _rev: rev })
    return rev
  }

  #keep(document: StoredDocument): void {
    this.#kept.delete(document._id)
    this.#kept.set(document._id, document)
    const [oldest] = this.#kept.keys()
    if (this.#kept.size > MOST_KEPT && oldest !== undefined) this.#kept.delete(oldest)
  }
}
