import type { Database } from '../couch/database.ts'
import { isCouchError } from '../couch/request.ts'
import type { Envelope } from '../ledger/document.ts'
import type { Membership } from '../project/membership.ts'

const ID = '_local/strangers'
const MOST_TRIES = 10

/** By caller, then by key: how many documents of keys that are not members a caller has brought. */
type Counts = Map<string, Map<string, number>>

/**
 * Bounds what strangers may fill the ledger with. The count is kept in a local document of the ledger, so that it
 * outlives the process; documents of keys that have become members do not count any more.
 */
export class Strangers {
  readonly #database: Database
  readonly #bound: number
  #counts: Counts | undefined

  constructor(database: Database, bound: number) {
    this.#database = database
    this.#bound = bound
  }

  /**
   * Counts the documents of strangers that a caller brings, as long as there is room.
   *
   * @returns those that there is no room for
   */
  async admit(
    caller: string,
    documents: readonly Envelope[],
    membership: Membership,
  ): Promise<ReadonlySet<Envelope>> {
    const strange = documents.filter(({ node }) => !membership.isMember(node))
    if (strange.length === 0) return new Set()
    const counts = (this.#counts ??= await this.#load())
    // Nothing is awaited from here to the last count, so that two batches cannot take one place.
    const ofCaller = counts.get(caller) ?? new Map<string, number>()
    counts.set(caller, ofCaller)
    let room = this.#bound
    for (const [key, count] of ofCaller) if (!membership.isMember(key)) room -= count
    const taken = strange.slice(0, Math.max(room, 0))
    for (const { node } of taken) ofCaller.set(node, (ofCaller.get(node) ?? 0) + 1)
    if (taken.length > 0) await this.#save(counts)
    return new Set(strange.slice(taken.length))
  }

  /** Takes documents out of the count again that could not be stored. */
  release(caller: string, documents: readonly Envelope[]): void {
    const ofCaller = this.#counts?.get(caller)
    for (const { node } of documents) {
      const count = ofCaller?.get(node)
      if (count !== undefined) ofCaller?.set(node, Math.max(count - 1, 0))
    }
  }

  async #load(): Promise<Counts> {
    const stored = await this.#database.get(ID)
    const counts = (stored?.counts ?? {}) as Record<string, Record<string, number>>
    // Another batch may have been faster.
    return (
      this.#counts ??
      new Map(Object.entries(counts).map(([name, keys]) => [name, new Map(Object.entries(keys))]))
    )
  }

  async #save(counts: Counts): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      const stored = await this.#database.get(ID)
      const plain = Object.fromEntries([...counts].map(([name, keys]) => [name, Object.fromEntries(keys)]))
      const document = { _id: ID, ...(stored ? { _rev: stored._rev } : {}), counts: plain }
      try {
        await this.#database.put(document)
        return
      } catch (error) {
        // Two batches at once: the later one saves the counts of both, which are shared in memory.
        if (!isCouchError(error, 409) || tries === MOST_TRIES) throw error
      }
    }
  }
}
