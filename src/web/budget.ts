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
    const gained = Math.max(0, nowMs - this.#filledMs) / this.#everyMs
    this.#left = Math.min(this.#most, this.#left + gained)
    this.#filledMs = nowMs
    if (this.#left < 1) {
      const retryAfterSeconds = Math.ceil(((1 - this.#left) * this.#everyMs) / 1000)
      throw new HyperactiveError('too_many', message, { status: 429, retryAfterSeconds })
    }
    this.#left -= 1
  }
}
