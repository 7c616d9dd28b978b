import type { Database, StoredDocument } from '../couch/database.ts'
import { isCouchError } from '../couch/request.ts'
import type { Membership } from '../project/membership.ts'

const ID = '_local/strangers'

/** By caller, then by key: how many documents of keys that are not members a caller has brought. */
type Counts = Record<string, Record<string, number>>

/**
 * Bounds what strangers may fill the ledger with. The count is kept in a local document of the ledger, so that it
 * outlives the process; documents of keys that have become members do not count any more.
 */
export class Strangers {
  readonly #database: Database
  readonly #bound: number
  #counts: Promise<Counts> | undefined

  constructor(database: Database, bound: number) {
    this.#database = database
    this.#bound = bound
  }

  /** How many more documents of strangers a caller may bring. */
  async room(caller: string, membership: Membership): Promise<number> {
    const counts = (await this.#load())[caller] ?? {}
    let used = 0
    for (const [key, count] of Object.entries(counts)) if (!membership.isMember(key)) used += count
    return Math.max(this.#bound - used, 0)
  }

  /** Remembers documents that were let in. */
  async add(caller: string, keys: readonly string[]): Promise<void> {
    if (keys.length === 0) return
    const counts = await this.#load()
    const ofCaller = (counts[caller] ??= {})
    for (const key of keys) ofCaller[key] = (ofCaller[key] ?? 0) + 1
    await this.#save(counts)
  }

  #load(): Promise<Counts> {
    this.#counts ??= this.#database.get(ID).then((stored) => (stored?.counts ?? {}) as Counts)
    return this.#counts
  }

  async #save(counts: Counts): Promise<void> {
    for (let tries = 0; ; tries += 1) {
      const stored: StoredDocument | undefined = await this.#database.get(ID)
      const document = { _id: ID, ...(stored ? { _rev: stored._rev } : {}), counts }
      try {
        await this.#database.put(document)
        return
      } catch (error) {
        // Two batches at once: the later one saves the counts of both, which are shared in memory.
        if (!isCouchError(error, 409) || tries === 10) throw error
      }
    }
  }
}
