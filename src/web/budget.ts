import { HyperactiveError } from '../errors.ts'

/**
 * How often something may be done on this node, by everybody together: whoever does it is not known. It fills up
 * evenly, and holds at most `most`.
 */
export class Budget {
  readonly #most: number
  readonly #everyMs: number
  #left: number
  #filledMs = 0

  /**
   * @param most how often at once
   * @param everyMs how long it takes until it may be done once more
   */
  constructor(most: number, everyMs: number) {
    this.#most = most
    this.#everyMs = everyMs
    this.#left = most
  }

  /** @throws HyperactiveError `too_many` (429), with the wait */
  take(message: string, nowMs = Date.now()): void {
    const waitMs = this.waitMs(nowMs)
    if (waitMs > 0) {
      const retryAfterSeconds = Math.ceil(waitMs / 1000)
      throw new HyperactiveError('too_many', message, { status: 429, retryAfterSeconds })
    }
    this.#left -= 1
  }

  /** For something that was not done after all. */
  giveBack(): void {
    this.#left = Math.min(this.#most, this.#left + 1)
  }

  /** How long until it may be done again; 0 when it may be now. */
  waitMs(nowMs = Date.now()): number {
    this.#fill(nowMs)
    return this.#left < 1 ? (1 - this.#left) * this.#everyMs : 0
  }

  /** The part that is left, from 0 to 1. */
  share(nowMs = Date.now()): number {
    this.#fill(nowMs)
    return this.#left / this.#most
  }

  #fill(nowMs: number): void {
    const gained = Math.max(0, nowMs - this.#filledMs) / this.#everyMs
    this.#left = Math.min(this.#most, this.#left + gained)
    this.#filledMs = nowMs
  }
}

/** A budget for each of many things, such as the items of a site. What was not done for longest it forgets. */
export class Budgets {
  readonly #make: () => Budget
  readonly #remembered: number
  readonly #budgets = new Map<string, Budget>()

  /** @param remembered how many are kept */
  constructor(make: () => Budget, remembered: number) {
    this.#make = make
    this.#remembered = remembered
  }

  /** The budget of something that was done lately; looking changes nothing. */
  known(name: string): Budget | undefined {
    return this.#budgets.get(name)
  }

  /** The budget to take from. */
  of(name: string): Budget {
    const budget = this.#budgets.get(name) ?? this.#make()
    this.#budgets.delete(name)
    this.#budgets.set(name, budget)
    const [oldest] = this.#budgets.keys()
    if (this.#budgets.size > this.#remembered && oldest !== undefined) this.#budgets.delete(oldest)
    return budget
  }
}
