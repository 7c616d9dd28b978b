import type { HybridClock } from '../../ledger/clock.ts'
import type { SigningKey } from '../../ledger/keys.ts'
import { inPieces } from '../../pieces.ts'
import type { Holdings } from './holdings.ts'
import { makeSign, makeStatement, MOST_PARTS, STATEMENT_DIGESTS } from './statement.ts'
import type { Statement } from './statement.ts'

/** What is written in one go. */
const GATHER_MS = 300

export interface OwnLogOptions {
  holdings: Holdings
  key: SigningKey
  clock: HybridClock
  jurisdiction: string | undefined
  keepsAll: boolean
  /** Told after something was said. */
  onSaid: (digests: readonly string[]) => void
}

/** What this node says of the files that it holds. */
export class OwnLog implements Disposable {
  readonly #options: OwnLogOptions
  readonly #waiting = new Map<string, boolean>()
  #timer: NodeJS.Timeout | undefined
  #isEnded = false

  constructor(options: OwnLogOptions) {
    this.#options = options
  }

  get node(): string {
    return this.#options.key.publicKey
  }

  /** Whether this node holds a file, as it says or is about to say. */
  holds(sha256: string): boolean {
    return this.#waiting.get(sha256) ?? this.#options.holdings.holds(this.node, sha256)
  }

  /** What it has said that it holds, in the order of the digests, after one. */
  held(after: string, limit: number): string[] {
    return this.#options.holdings.heldBy(this.node, after, limit)
  }

  /** A file has come, or has gone. It is said a moment later, together with others. */
  note(sha256: string, isHeld: boolean): void {
    if (this.holds(sha256) === isHeld) return
    this.#waiting.set(sha256, isHeld)
    this.#timer ??= setTimeout(() => this.flush(), GATHER_MS)
  }

  /** Says at once what waits to be said. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#isEnded) return
    const changes = [...this.#waiting]
    this.#waiting.clear()
    const said = changes.filter(
      ([sha256, isHeld]) => this.#options.holdings.holds(this.node, sha256) !== isHeld,
    )
    if (this.#place === undefined) this.#begin()
    for (const some of inPieces(said, STATEMENT_DIGESTS)) {
      if (this.#options.holdings.isLong(this.node)) this.#begin()
      const added = some.filter(([, isHeld]) => isHeld).map(([sha256]) => sha256)
      const gone = some.filter(([, isHeld]) => !isHeld).map(([sha256]) => sha256)
      const [, epoch = 0, number = 0] = this.#place ?? []
      this.#take(this.#statement({ epoch, number: number + 1, added, gone }))
    }
    if (said.length > 0) this.#options.onSaid(said.map(([sha256]) => sha256))
  }

  /** Says that this node is alive. */
  sign(): void {
    const { holdings, key, clock } = this.#options
    const [, epoch = 0, number = 0] = this.#place ?? []
    holdings.takeSign(makeSign({ ...this.#about, epoch, number, at: clock.now() }, key))
    this.#options.onSaid([])
  }

  /** Begins a new epoch with a list of all that is held: of the one before, others know more than this node. */
  restart(afterEpoch: number): void {
    this.#begin(afterEpoch)
    this.#options.onSaid([])
  }

  [Symbol.dispose](): void {
    this.flush()
    this.#isEnded = true
  }

  get #place() {
    const place = this.#options.holdings.place(this.node)
    // A sign of life alone is no log.
    return place && place[1] >= 0 ? place : undefined
  }

  get #about() {
    const { jurisdiction, keepsAll } = this.#options
    return { keepsAll, ...(jurisdiction === undefined ? {} : { jurisdiction }) }
  }

  #begin(afterEpoch = -1): void {
    const { holdings } = this.#options
    const [, before = -1] = this.#place ?? []
    const epoch = Math.max(Date.now(), before + 1, afterEpoch + 1)
    const most = MOST_PARTS * STATEMENT_DIGESTS
    const held = [...inPieces(holdings.heldBy(this.node, '', most), STATEMENT_DIGESTS)]
    const parts = Math.max(held.length, 1)
    for (let number = 0; number < parts; number += 1) {
      const added = [...(held[number] ?? [])]
      this.#take(this.#statement({ epoch, number, added, gone: [], ...(number === 0 ? { parts } : {}) }))
    }
  }

  #statement(said: Pick<Statement, 'epoch' | 'number' | 'added' | 'gone' | 'parts'>): Statement {
    const { key, clock } = this.#options
    return makeStatement({ ...this.#about, ...said, at: clock.now() }, key)
  }

  #take(statement: Statement): void {
    this.#options.holdings.take(statement, Infinity)
  }
}
