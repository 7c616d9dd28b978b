import type { ChangedRow } from '../pages/store/changed-rows.ts'
import { Reads, tracking } from '../reads.ts'
import type { EventStream } from './event-streams.ts'

/** Places that are counted; beyond them there are "more than" so many. */
export const MOST_COUNTED = 50
/** What comes within this time is told together. */
const GATHER_MS = 250
/** The wait before the store is asked again that did not answer. */
const AGAIN_MS = 5000

/** The open pages that show the same place as the newest one, and what they were told last. */
interface Group {
  told: string
  streams: Set<EventStream>
}

/**
 * The newest places of one listing, for all open pages that show it. Its rows are read once for all of them, and again
 * only when a change touches what was read.
 */
export class WatchedListing {
  readonly #read: () => Promise<readonly string[]>
  readonly #groups = new Map<string, Group>()
  /** Newest first, as text that sorts by time. */
  #places: readonly string[] = []
  #reads = new Reads()
  #reading: Promise<void> | undefined
  #waiting = 0
  /** Something came while it was being read. */
  #isDue = false
  #timer: NodeJS.Timeout | undefined

  /** @param read gives the newest places of the listing, newest first, at most one more than are counted */
  constructor(read: () => Promise<readonly string[]>) {
    this.#read = read
  }

  /** Whether somebody is told of it, or waits to be. */
  get isWatched(): boolean {
    return this.#groups.size > 0 || this.#waiting > 0
  }

  /** The newest place; undefined in an empty listing. */
  get newest(): string | undefined {
    return this.#places[0]
  }

  /** Somebody is about to be told of it; to be called when they are, or are not to be. */
  expect(): () => void {
    this.#waiting += 1
    return () => {
      this.#waiting -= 1
    }
  }

  /** Resolves when its places are known. */
  async known(): Promise<void> {
    this.#reading ??= this.#look()
    try {
      await this.#reading
    } catch (error) {
      this.#reading = undefined
      throw error
    }
  }

  /** Tells a stream now, and whenever it changes, how many entries there are above a place. */
  join(stream: EventStream, after: string): void {
    const group = this.#groups.get(after) ?? { told: this.#event(after), streams: new Set() }
    this.#groups.set(after, group)
    group.streams.add(stream)
    stream.write(group.told)
  }

  leave(stream: EventStream, after: string): void {
    const group = this.#groups.get(after)
    group?.streams.delete(stream)
    if (group?.streams.size === 0) this.#groups.delete(after)
  }

  /** Looks again when one of these rows was read. */
  changed(rows: readonly ChangedRow[]): void {
    const { ranges } = this.#reads
    const isRead = ({ view, ordered }: ChangedRow) =>
      ranges.some((range) => range.view === view && range.from <= ordered && ordered <= range.to)
    if (rows.some(isRead)) this.lookAgain()
    // What is being read now may have been read before it changed.
    else if (rows.length > 0) this.#isDue = true
  }

  lookAgain(waitMs = GATHER_MS): void {
    this.#isDue = true
    if (this.#timer !== undefined) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      if (!this.isWatched) return
      this.#look()
        .then(() => this.#tell())
        .catch(() => this.lookAgain(AGAIN_MS))
    }, waitMs).unref()
  }

  async #look(): Promise<void> {
    this.#isDue = false
    const { value, reads } = await tracking(this.#read)
    this.#places = value
    this.#reads = reads
    if (this.#isDue) this.lookAgain()
  }

  #tell(): void {
    for (const [after, group] of this.#groups) {
      const event = this.#event(after)
      if (event === group.told) continue
      group.told = event
      for (const stream of group.streams) stream.write(event)
    }
  }

  #event(after: string): string {
    const at = this.#places.findIndex((place) => place <= after)
    const count = at === -1 ? this.#places.length : at
    const told = count > MOST_COUNTED ? { count: MOST_COUNTED, more: true } : { count }
    return `id: ${this.newest ?? ''}\ndata: ${JSON.stringify(told)}\n\n`
  }
}
