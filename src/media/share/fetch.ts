import { messageOf } from '../../errors.ts'
import { bytesOfPiece } from '../blobs/blob.ts'
import type { BlobManifest } from '../blobs/blob.ts'
import type { BlobDriver } from '../blobs/driver.ts'
import type { Rate } from '../rate.ts'
import type { Line, Source } from './line.ts'
import { codeOf, forgotten, noAnswer, notHere } from './problems.ts'

/** A peer that says that it has not what it was asked for is asked for it again after so long, then after twice as long. */
const LACKING_MS = 2000
/** A fetch ends when nothing has come for so long, or for longer while somebody is being asked. */
const PATIENCE_MS = 30_000
const ASKING_PATIENCE_MS = 90_000
/** How far before a reader pieces are fetched that it has not asked for yet. */
const AHEAD = 3

export interface FetchOptions {
  manifest: BlobManifest
  /** Pieces that are here and have to come again. */
  damaged: readonly number[]
  driver: BlobDriver
  /** Who can be asked now, the best first. */
  sources: () => Source[]
  rateOf: (peer: string) => Rate
  /** Whether there is room for one more piece, from this peer; to be given back. */
  admit: (peer: string) => Disposable | undefined
  /** Room for a piece of so many bytes. */
  room: (bytes: number) => Uint8Array
  /** The same may be filled by somebody else. */
  free: (room: Uint8Array) => void
  onPiece: (peer: string, bytes: number) => void
  /** A peer has sent something false. */
  onFalse: (line: Line, problem: string) => void
  /** Something may be possible now that was not before. */
  onFree: () => void
}

/** What has come of a piece, when its sender was cut off. */
interface Begun {
  peer: string
  bytes: Uint8Array
  filled: number
}

/**
 * Fetches one file: one piece at a time from each peer that has it, those first that a reader waits for. What comes is kept
 * at once, and what a cut connection had brought of a piece is not asked for again.
 */
export class Fetch {
  readonly manifest: BlobManifest
  /** Resolves when all of it is here. */
  readonly done: Promise<void>
  /** How many readers wait for parts of it. */
  readers = 0
  /** Whether it is to be here also when nobody reads it. */
  isWanted = false
  readonly #options: FetchOptions
  readonly #stop = new AbortController()
  readonly #missing = new Set<number>()
  readonly #demanded = new Map<number, number>()
  readonly #underWay = new Set<number>()
  readonly #busy = new Set<string>()
  readonly #begun = new Map<number, Begun>()
  readonly #lacking = new Map<string, { times: number; untilMs: number }>()
  readonly #waiting = new Map<number, PromiseWithResolvers<void>>()
  readonly #finished = Promise.withResolvers<void>()
  /** What goes on; none of it fails. */
  readonly #work = new Set<Promise<void>>()
  #isLoaded = false
  #cameMs = performance.now()
  #timer: NodeJS.Timeout | undefined
  #last: unknown

  constructor(options: FetchOptions) {
    this.#options = options
    this.manifest = options.manifest
    this.done = this.#finished.promise
    this.done.catch(() => undefined)
    this.#watch(this.#load())
  }

  get isEnded(): boolean {
    return this.#stop.signal.aborted
  }

  /** How many of its pieces are not here. */
  get missing(): number {
    return this.#missing.size
  }

  /**
   * Resolves when a piece is here.
   *
   * @throws whatever the fetch ends with before
   */
  async piece(index: number): Promise<void> {
    if (this.#isLoaded && !this.#missing.has(index)) return
    const last = Math.min(index + AHEAD, this.manifest.pieces.length - 1)
    for (let ahead = index; ahead <= last; ahead += 1)
      this.#demanded.set(ahead, (this.#demanded.get(ahead) ?? 0) + 1)
    const waiting = this.#waiting.get(index) ?? Promise.withResolvers<void>()
    waiting.promise.catch(() => undefined)
    this.#waiting.set(index, waiting)
    if (this.isEnded) waiting.reject(this.#stop.signal.reason)
    this.#options.onFree()
    try {
      await waiting.promise
    } finally {
      for (let ahead = index; ahead <= last; ahead += 1) {
        const left = (this.#demanded.get(ahead) ?? 1) - 1
        if (left > 0) this.#demanded.set(ahead, left)
        else this.#demanded.delete(ahead)
      }
    }
  }

  /** Ends it; what has come stays. */
  stop(reason: unknown = forgotten(this.manifest.sha256)): void {
    this.#end(reason)
  }

  /** Resolves when what was under way at the end has ended: nothing more is written then. */
  async settled(): Promise<void> {
    await Promise.all(this.#work)
  }

  /** Asks for as much as can be asked for now. */
  step(): void {
    if (!this.#isLoaded || this.isEnded) return
    clearTimeout(this.#timer)
    const nowMs = performance.now()
    let soonestMs = Infinity
    for (const source of this.#options.sources()) {
      const { peer, health } = source.line
      if (this.#busy.has(peer)) continue
      const waitMs = Math.max(health.pauseMs, (this.#lacking.get(peer)?.untilMs ?? 0) - nowMs, 0)
      if (waitMs > 0) {
        soonestMs = Math.min(soonestMs, waitMs)
        continue
      }
      const index = this.#next(peer)
      if (index === undefined) break
      const admitted = this.#options.admit(peer)
      // Whoever gives room back has everybody try again.
      if (admitted) this.#watch(this.#ask(source, index, admitted))
    }
    // Bringing a large file to a slow disk takes long as well.
    const patienceMs = this.#underWay.size > 0 ? ASKING_PATIENCE_MS : PATIENCE_MS
    if (nowMs - this.#cameMs > patienceMs) {
      this.#end(notHere(this.manifest.sha256, this.#last))
      return
    }
    this.#timer = setTimeout(() => this.step(), Math.min(soonestMs + 1, 2000)).unref()
  }

  /** What a peer is asked for next: what somebody waits for, or the first one that is missing. */
  #next(peer: string): number | undefined {
    for (const [index, { peer: sender }] of this.#begun)
      if (sender === peer && this.#isOpen(index)) return index
    for (const index of this.#demanded.keys()) if (this.#isOpen(index)) return index
    for (const index of this.#missing) if (this.#isOpen(index)) return index
    return undefined
  }

  #isOpen(index: number): boolean {
    return this.#missing.has(index) && !this.#underWay.has(index)
  }

  async #load(): Promise<void> {
    const { driver, damaged } = this.#options
    try {
      const held = await driver.pieces(this.manifest)
      const wrong = new Set(damaged)
      this.#missing.clear()
      for (const index of this.manifest.pieces.keys())
        if (!held.has(index) || wrong.has(index)) this.#missing.add(index)
      this.#isLoaded = true
      for (const [index, waiting] of this.#waiting) if (!this.#missing.has(index)) waiting.resolve()
      if (this.#missing.size === 0) this.#complete()
      else this.#options.onFree()
    } catch (error) {
      this.#end(error)
    }
  }

  async #ask({ line, via }: Source, index: number, admitted: Disposable): Promise<void> {
    this.#underWay.add(index)
    this.#busy.add(line.peer)
    try {
      const bytes = await this.#receive(line, via, index).finally(() => this.#busy.delete(line.peer))
      // The next one is on its way while this one is compared and written.
      this.#options.onFree()
      await this.#keep(line, index, bytes)
      // Only now is it sure that nobody reads it any more.
      this.#options.free(bytes)
    } catch (error) {
      if (!this.isEnded) this.#failed(line, index, error)
    } finally {
      this.#underWay.delete(index)
      admitted[Symbol.dispose]()
      this.#options.onFree()
    }
  }

  async #receive(line: Line, via: string[], index: number): Promise<Uint8Array> {
    const { manifest } = this
    const size = bytesOfPiece(manifest, index)
    const before = this.#begun.get(index)
    const begun =
      before?.peer === line.peer ? before : { peer: line.peer, bytes: this.#options.room(size), filled: 0 }
    const rate = this.#options.rateOf(line.peer)
    const { signal } = this.#stop
    const came = () => (this.#cameMs = performance.now())
    try {
      await line.ask(
        { kind: 'piece', sha256: manifest.sha256, index, from: begun.filled, via },
        {
          signal,
          mostBytes: size - begun.filled,
          async onBytes(bytes) {
            begun.bytes.set(bytes, begun.filled)
            begun.filled += bytes.length
            came()
            await rate.took(bytes.length, signal)
          },
        },
      )
      if (begun.filled < size) throw noAnswer(line.peer, 'the answer was cut off')
    } catch (error) {
      if (begun.filled > 0 && codeOf(error) === 'peer_no_answer') this.#begun.set(index, begun)
      else this.#begun.delete(index)
      throw error
    }
    this.#begun.delete(index)
    return begun.bytes
  }

  async #keep(line: Line, index: number, bytes: Uint8Array): Promise<void> {
    const { driver, onPiece } = this.#options
    // What has been removed meanwhile is not to come again.
    this.#stop.signal.throwIfAborted()
    const isWhole = await driver.writePiece(this.manifest, index, bytes)
    line.health.worked()
    onPiece(line.peer, bytes.length)
    this.#missing.delete(index)
    this.#waiting.get(index)?.resolve()
    this.#waiting.delete(index)
    if (isWhole && this.#missing.size === 0) this.#complete()
  }

  #failed(line: Line, index: number, error: unknown): void {
    this.#last = error
    const problem = messageOf(error)
    switch (codeOf(error)) {
      case 'peer_lacks':
        this.#lacks(line.peer)
        return
      case 'peer_no_answer':
        line.health.failed(problem)
        return
      case 'peer_wrong_answer':
      case 'blob_mismatch':
        this.#begun.delete(index)
        line.health.lied(problem)
        this.#options.onFalse(line, problem)
        return
      case 'blob_damaged':
        // Pieces that were here are gone.
        this.#watch(this.#load())
        return
      default:
        this.#end(error)
    }
  }

  #watch(work: Promise<void>): void {
    this.#work.add(work)
    void work.finally(() => this.#work.delete(work))
  }

  #lacks(peer: string): void {
    const times = (this.#lacking.get(peer)?.times ?? 0) + 1
    this.#lacking.set(peer, { times, untilMs: performance.now() + LACKING_MS * 2 ** Math.min(times - 1, 10) })
  }

  #complete(): void {
    if (this.isEnded) return
    clearTimeout(this.#timer)
    this.#stop.abort()
    for (const waiting of this.#waiting.values()) waiting.resolve()
    this.#finished.resolve()
  }

  #end(reason: unknown): void {
    if (this.isEnded) return
    clearTimeout(this.#timer)
    this.#stop.abort(reason)
    for (const waiting of this.#waiting.values()) waiting.reject(reason)
    this.#finished.reject(reason)
  }
}
