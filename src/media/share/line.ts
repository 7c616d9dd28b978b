import { pauseBefore } from '../../replication/pause.ts'

/** What is asked of a peer. */
export type Ask = PieceAsk | ConfirmAsk

/** For a piece of a file, from a position in it on. */
export interface PieceAsk {
  kind: 'piece'
  sha256: string
  index: number
  /** What is here of it already. */
  from: number
  /** The nodes that it is asked for, when it is not for the asking one: each once, so that no question goes round. */
  via: string[]
}

/** Which of these files does a node hold right now; the question goes on to its peers as well. */
export interface ConfirmAsk {
  kind: 'confirm'
  files: string[]
  /** A random name of the question: each node answers it once, and every answer is signed together with it. */
  id: string
  via: string[]
}

export interface AskOptions {
  signal: AbortSignal
  /** More is not taken. */
  mostBytes: number
  /** Told of the bytes as they come; what it throws ends the answer. They hold until it is done. */
  onBytes: (bytes: Uint8Array) => Promise<void> | void
}

/** A way to ask a peer something: by calling it, or, where only it can call, when it calls the next time. */
export interface Line {
  readonly peer: string
  /** The peer's node, as far as is known. */
  readonly key: string | undefined
  /** Whether anything can be asked now. */
  readonly isUp: boolean
  readonly health: Health
  /**
   * Asks, and gives the answer's bytes as they come.
   *
   * @throws HyperactiveError `peer_lacks`, `peer_no_answer`, `peer_wrong_answer`; the signal's reason
   */
  ask(ask: Ask, options: AskOptions): Promise<void>
}

/** Somebody who can be asked for a file. */
export interface Source {
  line: Line
  /** For whom it is asked: empty for a peer that holds it, this node's key for one that is to ask others. */
  via: string[]
}

const LONGEST_PAUSE_MS = 60_000
/** A peer that has sent something false is not asked for so long; for each further time twice as long, up to a day. */
const FALSE_PAUSE_MS = 10 * 60_000
const LONGEST_FALSE_PAUSE_MS = 24 * 60 * 60_000

/** How a peer has behaved, and from when on it is asked again. */
export class Health {
  #failures = 0
  #falsehoods = 0
  #untilMs = 0
  #falseUntilMs = 0
  /** What went wrong last. */
  problem: string | undefined

  /** How long it is not asked, in milliseconds. */
  get pauseMs(): number {
    return Math.max(Math.max(this.#untilMs, this.#falseUntilMs) - performance.now(), 0)
  }

  /** Whether it has sent something false and is not asked for that. */
  get isDistrusted(): boolean {
    return this.#falseUntilMs > performance.now()
  }

  worked(): void {
    this.#failures = 0
    this.#untilMs = 0
    if (!this.isDistrusted) this.problem = undefined
  }

  /** It did not answer. */
  failed(problem: string): void {
    this.#failures += 1
    this.problem = problem
    this.#untilMs = performance.now() + pauseBefore(this.#failures, LONGEST_PAUSE_MS)
  }

  /** It answers again. */
  answered(): void {
    this.#untilMs = 0
  }

  /** It has sent something that is not what it said. */
  lied(problem: string): void {
    this.#falsehoods += 1
    this.problem = problem
    const pauseMs = FALSE_PAUSE_MS * 2 ** Math.min(this.#falsehoods - 1, 10)
    this.#falseUntilMs = performance.now() + Math.min(pauseMs, LONGEST_FALSE_PAUSE_MS)
  }
}
