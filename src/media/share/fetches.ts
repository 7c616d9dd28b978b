import type { BlobManifest } from '../blobs/blob.ts'
import type { BlobDriver } from '../blobs/driver.ts'
import { Rate } from '../rate.ts'
import { Fetch } from './fetch.ts'
import type { Line, Source } from './line.ts'
import { codeOf } from './problems.ts'
import type { Rooms } from './rooms.ts'

/** So many pieces are in memory at once, from all peers; 4 MiB each. */
const MOST_PIECES = 8
/** So many from one peer. */
const MOST_FROM_ONE = 4
/** So many files are fetched at once without anybody waiting for them. */
export const MOST_AT_ONCE = 12
/** When nobody reads a file any more that was fetched for readers alone, its fetch ends after so long. */
const LEFT_MS = 30_000

export interface FetchesOptions {
  driver: BlobDriver
  rooms: Rooms
  sources: (sha256: string) => Source[]
  /** Of each peer, in each direction; 0 for any number. */
  bytesPerSecond: number
  onFalse: (line: Line, problem: string, sha256: string) => void
  /** All of a file is here. */
  onWhole: (sha256: string) => void
  /** A manifest is proven wrong. */
  onRefused: (manifest: BlobManifest) => void
}

/** Bytes that went to and came from a peer since the start. */
export interface Moved {
  in: number
  out: number
}

/** Files that are being fetched. Two who want the same one get it by the same fetch. */
export class Fetches implements Disposable {
  readonly #options: FetchesOptions
  readonly #running = new Map<string, Fetch>()
  readonly #rates = new Map<string, { in: Rate; out: Rate }>()
  readonly #fromPeer = new Map<string, number>()
  readonly moved = new Map<string, Moved>()
  readonly #ending = new Set<Fetch>()
  #pieces = 0
  #isOver = false

  constructor(options: FetchesOptions) {
    this.#options = options
  }

  get(sha256: string): Fetch | undefined {
    return this.#running.get(sha256)
  }

  get running(): readonly Fetch[] {
    return [...this.#running.values()]
  }

  /** Whether one more may begin that nobody waits for. */
  get hasRoom(): boolean {
    return this.#running.size < MOST_AT_ONCE
  }

  /** Begins a fetch, or gives the one that goes on already. */
  begin(manifest: BlobManifest, damaged: readonly number[] = []): Fetch {
    const { sha256 } = manifest
    const before = this.#running.get(sha256)
    if (before) return before
    const fetch = new Fetch({
      manifest,
      damaged,
      driver: this.#options.driver,
      sources: () => this.#options.sources(sha256),
      rateOf: (peer) => this.rates(peer).in,
      admit: (peer) => this.#admit(peer),
      room: (bytes) => this.#options.rooms.take(bytes),
      free: (room) => this.#options.rooms.free(room),
      onPiece: (peer, bytes) => this.count(peer, 'in', bytes),
      onFalse: (line, problem) => this.#options.onFalse(line, problem, sha256),
      onFree: () => this.step(),
    })
    if (this.#isOver) fetch.stop()
    this.#running.set(sha256, fetch)
    const end = (error?: unknown) => {
      void this.#settle(fetch)
      if (codeOf(error) === 'blob_bad_manifest') this.#options.onRefused(manifest)
      if (this.#running.get(sha256) === fetch) this.#running.delete(sha256)
      this.step()
    }
    fetch.done.then(() => {
      this.#options.onWhole(sha256)
      end()
    }, end)
    return fetch
  }

  /** Ends a fetch; resolves when nothing of the file is written any more. */
  async stop(sha256: string): Promise<void> {
    this.#running.get(sha256)?.stop()
    // Also one that was ended before, and has not come to its end.
    const all = [...this.running, ...this.#ending].filter(({ manifest }) => manifest.sha256 === sha256)
    await Promise.all(all.map((fetch) => fetch.settled()))
  }

  /** A reader takes part in a fetch, until it is disposed of. */
  join(fetch: Fetch): Disposable {
    fetch.readers += 1
    let hasLeft = false
    return {
      [Symbol.dispose]: () => {
        if (hasLeft) return
        hasLeft = true
        fetch.readers -= 1
        if (fetch.readers > 0 || fetch.isWanted) return
        setTimeout(() => {
          if (fetch.readers === 0 && !fetch.isWanted) fetch.stop()
        }, LEFT_MS).unref()
      },
    }
  }

  /** Has everybody ask for what can be asked for now: those first that a reader waits for. */
  step(): void {
    const fetches = this.running
    for (const fetch of fetches) if (fetch.readers > 0) fetch.step()
    for (const fetch of fetches) if (fetch.readers === 0) fetch.step()
  }

  rates(peer: string): { in: Rate; out: Rate } {
    let rates = this.#rates.get(peer)
    if (!rates) {
      const { bytesPerSecond } = this.#options
      rates = { in: new Rate(bytesPerSecond), out: new Rate(bytesPerSecond) }
      this.#rates.set(peer, rates)
    }
    return rates
  }

  count(peer: string, direction: keyof Moved, bytes: number): void {
    const moved = this.moved.get(peer) ?? { in: 0, out: 0 }
    moved[direction] += bytes
    this.moved.set(peer, moved)
  }

  [Symbol.dispose](): void {
    this.#isOver = true
    for (const fetch of this.running) {
      void this.#settle(fetch)
      fetch.stop()
    }
  }

  /** Resolves when what was under way at the end has ended. */
  async ended(): Promise<void> {
    await Promise.all([...this.#ending].map((fetch) => fetch.settled()))
  }

  /** What is under way of a fetch at its end is waited for. */
  async #settle(fetch: Fetch): Promise<void> {
    this.#ending.add(fetch)
    await fetch.settled()
    this.#ending.delete(fetch)
  }

  #admit(peer: string): Disposable | undefined {
    const from = this.#fromPeer.get(peer) ?? 0
    if (this.#pieces >= MOST_PIECES || from >= MOST_FROM_ONE) return undefined
    this.#pieces += 1
    this.#fromPeer.set(peer, from + 1)
    return {
      [Symbol.dispose]: () => {
        this.#pieces -= 1
        this.#fromPeer.set(peer, (this.#fromPeer.get(peer) ?? 1) - 1)
      },
    }
  }
}
