const REMEMBERED = 5000

/**
 * Does the work of a form once: a second press of the button, or a reload, waits for the first and gets its outcome.
 * A failure is forgotten, so that it can be tried again.
 */
export class Submissions {
  readonly #outcomes = new Map<string, Promise<string>>()

  once(token: string, work: () => Promise<string>): Promise<string> {
    const known = this.#outcomes.get(token)
    if (known) return known
    const outcome = work()
    this.#outcomes.set(token, outcome)
    outcome.catch(() => this.#outcomes.delete(token))
    const [oldest] = this.#outcomes.keys()
    if (this.#outcomes.size > REMEMBERED && oldest !== undefined) this.#outcomes.delete(oldest)
    return outcome
  }
}
