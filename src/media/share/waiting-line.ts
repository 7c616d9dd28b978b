import { Health } from './line.ts'
import type { Ask, AskOptions, Line } from './line.ts'
import { noAnswer, peerLacks, wrongAnswer } from './problems.ts'

/** What a peer that calls is asked, as it gets it. */
export interface NumberedAsk {
  number: number
  ask: Ask
}

interface Waiting extends NumberedAsk {
  options: AskOptions
  answered: () => void
  failed: (error: unknown) => void
  /** Bytes of the answer are coming. */
  isComing: boolean
}

const MOST_WAITING = 64

export interface WaitingLineOptions {
  peer: string
  /** An answer that does not begin for so long, or stops for so long, is not waited for any more. */
  patienceMs: number
  /** Told when there is something to ask. */
  onAsk: () => void
}

/**
 * A peer that this node cannot call: what is to be asked of it waits until it calls, which it does all the time, and it
 * sends the answers by itself.
 */
export class WaitingLine implements Line {
  readonly peer: string
  readonly health = new Health()
  /** The node at the other end: by the peers file, or when it has shown that it holds the key. */
  key: string | undefined
  readonly #options: WaitingLineOptions
  readonly #asked = new Map<number, Waiting>()
  #last = 0
  #heardMs = -Infinity

  constructor(options: WaitingLineOptions) {
    this.peer = options.peer
    this.#options = options
  }

  /** Whether the peer has called lately. */
  get isUp(): boolean {
    return performance.now() - this.#heardMs < this.#options.patienceMs
  }

  /** The peer has called. */
  heard(): void {
    this.#heardMs = performance.now()
  }

  /**
   * What the peer is to be told, as it calls.
   *
   * @param got the number of the last one that it knows of
   */
  asks(got: number): NumberedAsk[] {
    return [...this.#asked.values()]
      .filter(({ number }) => number > got)
      .map(({ number, ask }) => ({ number, ask }))
  }

  async ask(ask: Ask, options: AskOptions): Promise<void> {
    if (!this.isUp) throw noAnswer(this.peer, 'it has not called')
    if (this.#asked.size >= MOST_WAITING) throw noAnswer(this.peer, 'it has not answered much before')
    options.signal.throwIfAborted()
    const number = (this.#last += 1)
    const { promise, resolve: answered, reject: failed } = Promise.withResolvers<void>()
    const waiting: Waiting = { number, ask, options, answered, failed, isComing: false }
    this.#asked.set(number, waiting)
    const abort = () => failed(options.signal.reason)
    options.signal.addEventListener('abort', abort)
    const timer = setTimeout(() => {
      if (!waiting.isComing) failed(noAnswer(this.peer, 'it has not sent what it was asked for'))
    }, this.#options.patienceMs)
    this.#options.onAsk()
    try {
      await promise
    } finally {
      clearTimeout(timer)
      options.signal.removeEventListener('abort', abort)
      this.#asked.delete(number)
    }
  }

  /**
   * The peer sends an answer.
   *
   * @returns false for one that nobody waits for
   */
  async take(number: number, status: number, body: AsyncIterable<Uint8Array>): Promise<boolean> {
    const waiting = this.#asked.get(number)
    if (!waiting || waiting.isComing) return false
    waiting.isComing = true
    if (status !== 200) {
      waiting.failed(
        status === 404 ? peerLacks(this.peer, 'that') : noAnswer(this.peer, `its status is ${status}`),
      )
      return true
    }
    try {
      await this.#read(waiting, body)
      waiting.answered()
    } catch (error) {
      waiting.failed(error)
    }
    return true
  }

  async #read({ options }: Waiting, body: AsyncIterable<Uint8Array>): Promise<void> {
    const { promise, reject } = Promise.withResolvers<never>()
    promise.catch(() => undefined)
    const late = () => reject(noAnswer(this.peer, 'what it sends does not go on'))
    const abort = () => reject(options.signal.reason as Error)
    options.signal.addEventListener('abort', abort)
    let bytes = 0
    const chunks = body[Symbol.asyncIterator]()
    try {
      for (;;) {
        options.signal.throwIfAborted()
        const timer = setTimeout(late, this.#options.patienceMs)
        const next = await Promise.race([
          chunks.next().catch((error: unknown) => {
            throw noAnswer(this.peer, 'what it sends was cut off', error)
          }),
          promise,
        ]).finally(() => clearTimeout(timer))
        if (next.done === true) return
        bytes += next.value.length
        if (bytes > options.mostBytes)
          throw wrongAnswer(this.peer, `it has more than ${options.mostBytes} bytes`)
        await options.onBytes(next.value)
      }
    } finally {
      options.signal.removeEventListener('abort', abort)
      void chunks.return?.().catch(() => undefined)
    }
  }
}
