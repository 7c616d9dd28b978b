/** As long as a form's token is valid. */
const DAY_MS = 24 * 60 * 60 * 1000

/**
 * The tokens of forms that were taken, so that one proof serves once. Each is remembered for a day, when it is no
 * longer valid anyway; the budgets keep their number small, and `most` bounds it in any case.
 */
export class Spent {
  readonly #most: number
  readonly #tokens = new Map<string, number>()

  constructor(most = 100_000) {
    this.#most = most
  }

  has(token: string): boolean {
    return this.#tokens.has(token)
  }

  add(token: string, nowMs = Date.now()): void {
    this.#tokens.set(token, nowMs)
    for (const [oldest, atMs] of this.#tokens) {
      if (this.#tokens.size <= this.#most && nowMs - atMs <= DAY_MS) break
      this.#tokens.delete(oldest)
    }
  }

  remove(token: string): void {
    this.#tokens.delete(token)
  }
}
