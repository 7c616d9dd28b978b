import type { Holdings, Place } from './holdings.ts'
import { isSigned, readSign, readStatement } from './statement.ts'
import type { Sign, Statement } from './statement.ts'

/** So many nodes are listened to: those that stand nearest to this one in the chain of admissions. */
export const MOST_NODES = 200
/** What cannot be taken now is not asked for again for so long. */
const SKIPPED_MS = { stranger: 2000, full: 10 * 60_000 }
const MOST_SKIPPED = 1000
const NEVER = Number.MAX_SAFE_INTEGER

export interface IntakeOptions {
  holdings: Holdings
  own: string
  /** Whether this node says itself what it holds; a mirror's copies do not count. */
  speaks?: boolean
  /** The members' keys, the nearest first. */
  members: () => readonly string[]
  isAhead: (at: string) => boolean
  /** How many files there are that statements can be about. */
  known: () => number
  /** Told of what came: files of which it is now another matter where they are, and whether a node is new or is back. */
  onTaken: (digests: readonly string[]) => void
  /** Others know a statement of this node that it does not know itself. */
  onForgotten: (epoch: number) => void
}

/** Lets in what nodes say of their files, from whoever passes it on: each statement proves itself. */
export class Intake {
  readonly #options: IntakeOptions
  readonly #skipped = new Map<string, number>()
  #listened: { members: readonly string[]; keys: ReadonlySet<string> } | undefined

  constructor(options: IntakeOptions) {
    this.#options = options
  }

  /** Whether it is listened to what a node says. */
  isListenedTo(node: string): boolean {
    const { own, speaks = true } = this.#options
    const members = this.#options.members()
    if (this.#listened?.members !== members) {
      const keys = new Set(members.slice(0, MOST_NODES))
      if (speaks) keys.add(own)
      else keys.delete(own)
      this.#listened = { members, keys }
    }
    return this.#listened.keys.has(node)
  }

  /** Where the logs stand here, for a peer that passes on what comes behind that. */
  places(): Place[] {
    const nowMs = performance.now()
    const places = this.#options.holdings.places(
      (node) => this.isListenedTo(node) && !this.#skipped.has(node),
    )
    for (const [node, untilMs] of this.#skipped) {
      if (untilMs < nowMs) this.#skipped.delete(node)
      else places.push([node, NEVER, NEVER, '~'])
    }
    return places
  }

  /**
   * Takes what a peer passes on.
   *
   * @returns what was wrong with something that the peer could have seen itself
   */
  async take(statements: readonly unknown[], signs: readonly unknown[]): Promise<string | undefined> {
    let problem: string | undefined
    const changed: string[] = []
    for (const value of statements) {
      const statement = readStatement(value)
      const what = statement ? await this.#takeStatement(statement, changed) : 'a statement that is none'
      problem ??= what
    }
    for (const value of signs) {
      const sign = readSign(value)
      const what = sign ? await this.#takeSign(sign) : 'a sign of life that is none'
      problem ??= what
    }
    if (changed.length > 0) this.#options.onTaken(changed)
    return problem
  }

  async #takeStatement(statement: Statement, changed: string[]): Promise<string | undefined> {
    const { node, epoch, number, at, added, gone } = statement
    const { holdings, own, isAhead, known, onForgotten } = this.#options
    if (!this.#mayCome(statement)) return undefined
    const [, knownEpoch = -1, knownNumber = -1] = holdings.place(node) ?? []
    if (epoch < knownEpoch || (epoch === knownEpoch && number <= knownNumber)) return undefined
    // Tomorrow's statement would stand in the way of today's.
    if (isAhead(at) || isAhead(`${timeOf(epoch)}-0000`)) return 'a statement of the future'
    if (!(await isSigned(statement))) return 'a statement with a false signature'
    if (node === own) {
      onForgotten(epoch)
      return undefined
    }
    const taken = holdings.take(statement, known())
    if (taken === 'full') this.#skip(node, 'full')
    if (taken === 'gap') return 'statements with some left out'
    if (taken === 'taken') for (const sha256 of [...added, ...gone]) changed.push(sha256)
    return undefined
  }

  async #takeSign(sign: Sign): Promise<string | undefined> {
    const { holdings, own, isAhead } = this.#options
    if (!this.#mayCome(sign)) return undefined
    const [, , , signAt = ''] = holdings.place(sign.node) ?? []
    if (sign.at <= signAt || sign.node === own) return undefined
    if (isAhead(sign.at) || !(await isSigned(sign))) return 'a sign of life that is false'
    holdings.takeSign(sign)
    return undefined
  }

  #mayCome({ node }: Pick<Statement, 'node'>): boolean {
    if (this.#skipped.has(node)) return false
    if (this.isListenedTo(node)) return true
    this.#skip(node, 'stranger')
    return false
  }

  #skip(node: string, why: keyof typeof SKIPPED_MS): void {
    if (this.#skipped.size >= MOST_SKIPPED) this.#skipped.clear()
    this.#skipped.set(node, performance.now() + SKIPPED_MS[why])
  }
}

function timeOf(epoch: number): string {
  return epoch < 253_402_300_799_000 ? new Date(epoch).toISOString() : '9999-12-31T23:59:59.999Z'
}
