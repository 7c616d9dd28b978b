import { randomUUID } from 'node:crypto'
import { messageOf } from '../../errors.ts'
import { logger } from '../../log.ts'
import type { BlobDriver } from '../blobs/driver.ts'
import { proofOf } from './answers.ts'
import type { Answer, Answers } from './answers.ts'
import type { Line } from './line.ts'
import { mayGo } from './policy.ts'
import type { Keeper, Wanted } from './rank.ts'

const log = logger('media')

/** What others say that they hold counts for so long, from when they were asked. */
const CONFIRMED_MS = 15_000

export interface DroppingOptions {
  /** This node; undefined where it does not count. */
  own: Keeper | undefined
  node: string
  wanted: Wanted
  answers: Answers
  driver: Pick<BlobDriver, 'stat' | 'read'>
  lines: () => readonly Line[]
  /** Whether a node is there, by its statements. */
  isPresent: (node: string) => boolean
  isInUse: (sha256: string) => boolean
  remove: (sha256: string) => Promise<void>
  /** Nothing is dropped for so long after the start. */
  graceMs: number
  signal: AbortSignal
}

/**
 * Lets go of files that enough others hold, as they say when they are asked just then.
 *
 * Why no two nodes that do this at once can lose a file: only those count that come before this node by their rank
 * (`mayDrop`), and that prove it. Of all nodes that ever dropped a file, take the first one by rank. Enough others said to it that they held the
 * file, each of which comes before it, so none of these has ever dropped it, whatever came later than what, and whichever
 * messages were lost. Ranks change only when a node's policy does, which takes a restart, and after a restart nothing is
 * dropped for an hour; what others say counts for 15 s, and a row of nodes of which each waits for the next has at most 200
 * (`MOST_NODES`): fifty minutes. So within such a row no rank changes.
 */
export class Dropping {
  readonly #options: DroppingOptions
  readonly #begunMs = performance.now()

  constructor(options: DroppingOptions) {
    this.#options = options
  }

  /** Drops those of these files that may go; gives them. */
  async drop(digests: readonly string[]): Promise<ReadonlySet<string>> {
    const { isInUse, remove, graceMs, signal } = this.#options
    const dropped = new Set<string>()
    const askedMs = performance.now()
    if (askedMs - this.#begunMs < graceMs || digests.length === 0) return dropped
    const confirmed = await this.#confirmed(digests)
    for (const sha256 of digests) {
      const isConfirmed = !isInUse(sha256) && (await confirmed(sha256))
      if (performance.now() - askedMs > CONFIRMED_MS || signal.aborted) break
      if (!isConfirmed) continue
      try {
        await remove(sha256)
        dropped.add(sha256)
      } catch (error) {
        log.warn('a file that others keep cannot be removed', { reason: messageOf(error) })
      }
    }
    return dropped
  }

  /** Whether a file may go from here, by what the others say right now. */
  async mayDrop(sha256: string): Promise<boolean> {
    return (await this.#confirmed([sha256]))(sha256)
  }

  async #confirmed(digests: readonly string[]): Promise<(sha256: string) => Promise<boolean>> {
    const { own, node, wanted, answers, driver, lines, isPresent, signal } = this.#options
    const files = [...digests]
    const id = randomUUID()
    const all = await answers.ask({ kind: 'confirm', files, id, via: [node] }, lines(), signal)
    const others = all
      .filter((answer) => answer.node !== node && isPresent(answer.node))
      .map((answer) => ({ keeper: keeperOf(answer), proofs: proofsIn(answer, files) }))
    return async (sha256) => {
      const named = others.filter(({ proofs }) => proofs.has(sha256))
      if (named.length === 0) return false
      const proof = await proofOf(driver, sha256, id)
      const keepers = named.filter(({ proofs }) => proofs.get(sha256) === proof).map(({ keeper }) => keeper)
      return mayGo(own, keepers, { sha256, ...wanted })
    }
  }
}

function keeperOf({ node, jurisdiction, keepsAll }: Answer): Keeper {
  return { key: node, jurisdiction, keepsAll }
}

function proofsIn({ holds, proofs }: Answer, files: readonly string[]): Map<string, string> {
  return new Map(holds.flatMap((place, index) => [[files[place] ?? '', proofs[index] ?? ''] as const]))
}
