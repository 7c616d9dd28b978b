import type { Database } from '../couch/database.ts'

/** The pauses to choose from, in minutes; 0 is none. */
export const PAUSES = [0, 1, 5, 15, 60] as const

const LAST = '\ufff0'
const PREFIX = 'slow:'

interface SlowDocument {
  _id: string
  _rev?: string
  type: 'slow'
  minutes: number
}

/** What is slowed down: "item:<id>" for comments on an item, "tag:<name>" for new items with a tag. */
export interface Slowed {
  key: string
  minutes: number
}

/**
 * Slow mode: at most one comment on an item, or one new item with a tag, in so many minutes. Moderators set it for
 * their node alone. When something last came is not written down, so a restart forgets that.
 */
export class Slow {
  readonly #database: Database
  readonly #minutes = new Map<string, number>()
  /** When something last came, for what is slowed down. */
  readonly #lastMs = new Map<string, number>()

  private constructor(database: Database) {
    this.#database = database
  }

  /** Reads what is slowed down on this node. */
  static async open(database: Database): Promise<Slow> {
    const slow = new Slow(database)
    const range = { startkey: PREFIX, endkey: PREFIX + LAST, include_docs: true }
    const { rows } = await database.allDocs(range)
    for (const { key, doc } of rows) {
      const { type, minutes } = (doc ?? {}) as Partial<SlowDocument>
      if (type === 'slow' && isPause(minutes) && minutes > 0)
        slow.#minutes.set(key.slice(PREFIX.length), minutes)
    }
    return slow
  }

  /** Everything that is slowed down, by key. */
  all(): Slowed[] {
    return [...this.#minutes]
      .map(([key, minutes]) => ({ key, minutes }))
      .sort((a, b) => (a.key < b.key ? -1 : 1))
  }

  /** The pause, in minutes; 0 for none. */
  minutes(key: string): number {
    return this.#minutes.get(key) ?? 0
  }

  /** Sets a pause of {@link PAUSES}; 0 takes it away. */
  async set(key: string, minutes: number): Promise<void> {
    const id = PREFIX + key
    const stored = await this.#database.get(id)
    if (minutes > 0) {
      const document: SlowDocument = { _id: id, type: 'slow', minutes }
      await this.#database.put(stored ? { ...document, _rev: stored._rev } : document)
      this.#minutes.set(key, minutes)
      return
    }
    if (stored) await this.#database.delete(id, stored._rev)
    this.#minutes.delete(key)
    this.#lastMs.delete(key)
  }

  /** How long until all of these may come again, with the pause of the one that takes longest. */
  wait(keys: readonly string[], nowMs = Date.now()): { waitMs: number; minutes: number } {
    let longest = { waitMs: 0, minutes: 0 }
    for (const key of keys) {
      const minutes = this.minutes(key)
      const waitMs = (this.#lastMs.get(key) ?? -Infinity) + minutes * 60_000 - nowMs
      if (minutes > 0 && waitMs > longest.waitMs) longest = { waitMs, minutes }
    }
    return longest
  }

  /**
   * Takes note that these came now.
   *
   * @returns takes that back
   */
  take(keys: readonly string[], nowMs = Date.now()): () => void {
    const slowed = keys.filter((key) => this.minutes(key) > 0)
    const before = slowed.map((key) => [key, this.#lastMs.get(key)] as const)
    for (const key of slowed) this.#lastMs.set(key, nowMs)
    return () => {
      for (const [key, lastMs] of before) {
        if (lastMs === undefined) this.#lastMs.delete(key)
        else this.#lastMs.set(key, lastMs)
      }
    }
  }
}

/** Whether it is one of the pauses to choose from. */
export function isPause(minutes: unknown): minutes is number {
  return (PAUSES as readonly unknown[]).includes(minutes)
}
