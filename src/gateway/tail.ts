import type { Changes, Database } from '../couch/database.ts'

const LONG_POLL_MS = 60_000
/** How long the store is still followed when nobody waits: a client that was answered asks again at once. */
const LINGER_MS = 1000

/**
 * Follows the ledger with one waiting request to the store, however many clients wait for changes: each of them would
 * otherwise hold one of the few connections to the store.
 */
export class Tail {
  readonly #database: Database
  readonly #stop: AbortSignal
  readonly #watches = new Set<Watch>()
  #following: { begun: Promise<void>; end: AbortController } | undefined
  /** The last rows that came, and behind which place. */
  #last: { since: string; changes: Changes } | undefined
  /** Up to where the store was read; undefined while nothing is followed. */
  #since: string | undefined
  #linger: NodeJS.Timeout | undefined

  constructor(database: Database, stop: AbortSignal) {
    this.#database = database
    this.#stop = stop
  }

  /**
   * What came behind this place in the feed, if that is known without asking the store. None means that nothing has
   * come yet: a watch that was reset before is told when it does.
   */
  after(since: string | number): Changes | undefined {
    if (this.#since === undefined) return undefined
    if (this.#since === String(since)) return { results: [], last_seq: since }
    return this.#last?.since === String(since) ? this.#last.changes : undefined
  }

  /** A watch that is told of every write from now on; to be disposed of. */
  async watch(): Promise<Watch> {
    clearTimeout(this.#linger)
    const watch = new Watch((left) => this.#leave(left))
    this.#watches.add(watch)
    try {
      await (this.#following ??= this.#follow()).begun
    } catch (error) {
      watch[Symbol.dispose]()
      throw error
    }
    return watch
  }

  #leave(watch: Watch): void {
    this.#watches.delete(watch)
    if (this.#watches.size > 0) return
    clearTimeout(this.#linger)
    this.#linger = setTimeout(() => {
      this.#following?.end.abort()
      this.#forget()
    }, LINGER_MS).unref()
  }

  #follow(): { begun: Promise<void>; end: AbortController } {
    const end = new AbortController()
    const signal = AbortSignal.any([end.signal, this.#stop])
    const following = { begun: this.#begin(signal, () => this.#failed(following)), end }
    return following
  }

  #forget(): void {
    this.#following = undefined
    this.#since = undefined
    this.#last = undefined
  }

  /** Resolves when the place in the feed is known from which on nothing is missed. */
  async #begin(signal: AbortSignal, failed: () => void): Promise<void> {
    try {
      const { last_seq: since } = await this.#database.changes({ since: 'now', limit: 1 }, signal)
      this.#run(since, signal).catch(failed)
    } catch (error) {
      failed()
      throw error
    }
  }

  async #run(begin: string | number, signal: AbortSignal): Promise<void> {
    for (let since = begin; ;) {
      this.#since = String(since)
      const query = {
        since,
        limit: 1000,
        style: 'all_docs',
        feed: 'longpoll',
        timeout: LONG_POLL_MS,
      } as const
      const changes = await this.#database.changes(query, signal)
      signal.throwIfAborted()
      if (changes.results.length > 0) {
        this.#last = { since: String(since), changes }
        this.#since = String(changes.last_seq)
        for (const watch of this.#watches) watch.tell()
      }
      since = changes.last_seq
    }
  }

  /** The store does not answer: those who wait look for themselves and meet the same problem. */
  #failed(following: object): void {
    if (this.#following !== following) return
    this.#forget()
    for (const watch of this.#watches) watch.end()
  }
}

/** One client's place among those who wait. */
export class Watch implements Disposable {
  readonly #leave: (watch: Watch) => void
  #told = false
  #ended = false
  #wake: (() => void) | undefined

  constructor(leave: (watch: Watch) => void) {
    this.#leave = leave
  }

  /** To be called before the ledger is read: {@link next} resolves for whatever is written from then on. */
  reset(): void {
    this.#told = false
  }

  /** Resolves at a write, at the deadline (milliseconds since 1970), or with the signal; false when it can tell no more. */
  async next(deadline: number, signal: AbortSignal): Promise<boolean> {
    if (!this.#told && !this.#ended && !signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>()
      const timer =
        deadline === Infinity ? undefined : setTimeout(resolve, Math.max(deadline - Date.now(), 0))
      const wake = () => resolve()
      this.#wake = wake
      signal.addEventListener('abort', wake)
      await promise
      signal.removeEventListener('abort', wake)
      clearTimeout(timer)
      this.#wake = undefined
    }
    return !this.#ended
  }

  tell(): void {
    this.#told = true
    this.#wake?.()
  }

  end(): void {
    this.#ended = true
    this.#wake?.()
  }

  [Symbol.dispose](): void {
    this.#leave(this)
  }
}
