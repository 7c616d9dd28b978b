import type { Peer } from '../../replication/peers-file.ts'
import { CallingLine } from './calling-line.ts'
import { Exchange } from './exchange.ts'
import type { ExchangeOptions } from './exchange.ts'
import type { Line } from './line.ts'
import { WaitingLine } from './waiting-line.ts'

/** A peer that has called within this time calls by itself. */
const CALLS_MS = 60_000

export interface LinesOptions extends Pick<
  ExchangeOptions,
  'key' | 'now' | 'holdings' | 'intake' | 'changes' | 'longestPauseMs'
> {
  idleTimeoutMs: number
  onAsk: (line: CallingLine, ...rest: Parameters<ExchangeOptions['onAsk']>) => void
  onChange: () => void
}

interface Called {
  peer: Peer
  line: CallingLine
  stop: AbortController
  done: Promise<void>
}

/** The ways to all peers, by the peers file. */
export class Lines implements AsyncDisposable {
  readonly #options: LinesOptions
  readonly #called = new Map<string, Called>()
  readonly #waiting = new Map<string, WaitingLine>()
  /** When each peer has called last. */
  readonly #heardMs = new Map<string, number>()
  /** The keys that callers have shown to hold. */
  readonly #shown = new Map<string, string>()
  #peers: readonly Peer[] = []
  #isStarted = false

  constructor(options: LinesOptions) {
    this.#options = options
  }

  /** All of them, in the order of the peers file. */
  get all(): Line[] {
    return this.#peers.flatMap(({ name }) => this.#called.get(name)?.line ?? this.#waiting.get(name) ?? [])
  }

  /** Takes up the peers file; nobody is called before {@link start}. */
  async follow(peers: readonly Peer[]): Promise<void> {
    this.#peers = peers.filter(({ enabled }) => enabled)
    const names = new Set(this.#peers.map(({ name }) => name))
    const ended: Promise<void>[] = []
    for (const [name, called] of this.#called) {
      const peer = this.#peers.find((one) => one.name === name)
      if (peer && JSON.stringify(peer) === JSON.stringify(called.peer)) continue
      this.#called.delete(name)
      ended.push(end(called))
    }
    await Promise.all(ended)
    for (const name of this.#waiting.keys()) if (!names.has(name)) this.#waiting.delete(name)
    for (const name of this.#shown.keys()) if (!names.has(name)) this.#shown.delete(name)
    if (this.#isStarted) this.#begin()
    this.#options.onChange()
  }

  start(): void {
    this.#isStarted = true
    this.#begin()
  }

  /** A peer has called; gives where what it is to be asked waits, where it cannot be called itself. */
  heard(name: string): WaitingLine | undefined {
    const wasCalling = this.isCalling(name)
    this.#heardMs.set(name, performance.now())
    const line = this.#waiting.get(name)
    const wasUp = line?.isUp
    line?.heard()
    if (line) line.key = this.keyOf(name)
    if (!wasCalling || wasUp === false) this.#options.onChange()
    return line
  }

  waiting(name: string): WaitingLine | undefined {
    return this.#waiting.get(name)
  }

  /** A caller has shown that it holds a key; gives whether that can be. */
  show(name: string, key: string): boolean {
    const expected = this.#peers.find((peer) => peer.name === name)?.key
    if (expected !== undefined && expected !== key) return false
    this.#shown.set(name, key)
    return true
  }

  /** The node that a caller is: as the peers file says, or as it has shown. */
  keyOf(name: string): string | undefined {
    return this.#peers.find((peer) => peer.name === name)?.key ?? this.#shown.get(name)
  }

  isCalling(name: string): boolean {
    return performance.now() - (this.#heardMs.get(name) ?? -Infinity) < CALLS_MS
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#called.values()].map(end))
    this.#called.clear()
  }

  #begin(): void {
    const { idleTimeoutMs, onChange } = this.#options
    for (const peer of this.#peers) {
      const { name, url, credentials: login, key } = peer
      if (url === undefined) {
        const patienceMs = 2 * idleTimeoutMs
        // Whoever waits for an answer to a call is told at once.
        const line = () =>
          new WaitingLine({ peer: name, patienceMs, onAsk: () => this.#options.changes.tell() })
        if (!this.#waiting.has(name)) this.#waiting.set(name, line())
        continue
      }
      this.#waiting.delete(name)
      if (this.#called.has(name)) continue
      const line = new CallingLine({ peer: name, url, login, key, idleTimeoutMs })
      const stop = new AbortController()
      const exchange = new Exchange({
        ...this.#options,
        line,
        // A connection that was cut without a word is noticed within the time that silence may last.
        waitMs: Math.ceil((idleTimeoutMs * 2) / 3),
        isCalling: () => this.isCalling(name),
        onAsk: (number, ask) => this.#options.onAsk(line, number, ask),
        onChange,
      })
      this.#called.set(name, { peer, line, stop, done: exchange.run(stop.signal) })
    }
  }
}

async function end({ line, stop, done }: Called): Promise<void> {
  stop.abort()
  await done
  await line[Symbol.asyncDispose]()
}
