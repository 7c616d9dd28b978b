const REMEMBERED = 10_000

/**
 * Ids that the ledger was seen to hold nothing under, not even a tombstone. A replicator asks for them first and brings
 * them a moment later; they need not be looked up twice. An id is forgotten when somebody brings it, so what has come
 * in, and may have been erased since, is always looked up.
 */
export class AbsentIds {
  readonly #ids = new Set<string>()

  add(id: string): void {
    if (this.#ids.size >= REMEMBERED) this.#ids.clear()
    this.#ids.add(id)
  }

  /** Whether the id was seen to be absent; it is forgotten by that. */
  take(id: string): boolean {
    return this.#ids.delete(id)
  }
}
