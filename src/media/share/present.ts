import { hybridTime } from '../../ledger/clock.ts'
import type { Holdings } from './holdings.ts'
import type { Keeper } from './rank.ts'

const KNOWN_MS = 2000

export interface PresentOptions {
  holdings: Holdings
  own: string
  isListenedTo: (node: string) => boolean
  /** A node that has given no sign of life for so long counts as gone. */
  lostMs: number
  /** Told when a node has come, is gone, or stands under another law or keeps otherwise than before. */
  onChange: () => void
}

/** The other nodes that are there, as far as their signs of life tell. */
export class Present {
  readonly #options: PresentOptions
  #keepers = new Map<string, Keeper>()
  #told = ''
  #knownMs = -Infinity

  constructor(options: PresentOptions) {
    this.#options = options
  }

  get others(): readonly Keeper[] {
    return [...this.#now().values()]
  }

  keeper(node: string): Keeper | undefined {
    return this.#now().get(node)
  }

  /** Those of them among these keys. */
  among(nodes: readonly string[]): Keeper[] {
    const present = this.#now()
    return nodes.flatMap((node) => present.get(node) ?? [])
  }

  /** Looks anew: a statement has come, or time has passed. */
  look(): void {
    this.#knownMs = -Infinity
    this.#now()
  }

  #now(): ReadonlyMap<string, Keeper> {
    const nowMs = performance.now()
    if (nowMs - this.#knownMs < KNOWN_MS) return this.#keepers
    this.#knownMs = nowMs
    const { holdings, own, isListenedTo, lostMs, onChange } = this.#options
    const since = hybridTime(Math.max(Date.now() - lostMs, 0))
    const keepers = holdings.keepers(since).filter(({ key }) => key !== own && isListenedTo(key))
    this.#keepers = new Map(keepers.map((keeper) => [keeper.key, keeper]))
    const told = JSON.stringify(keepers)
    if (told !== this.#told) {
      this.#told = told
      onChange()
    }
    return this.#keepers
  }
}
