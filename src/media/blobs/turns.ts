/** Lets those who deal with the same thing do so one after the other. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>()

  /** Does something when everybody has ended who came before with the same name. */
  async take<Result>(name: string, act: () => Promise<Result>): Promise<Result> {
    const before = this.#last.get(name) ?? Promise.resolve()
    const turn = before.then(act)
    // Whoever comes next waits for the end alone, whichever it is.
    const ended = turn.then(
      () => undefined,
      () => undefined,
    )
    this.#last.set(name, ended)
    try {
      return await turn
    } finally {
      if (this.#last.get(name) === ended) this.#last.delete(name)
    }
  }
}
