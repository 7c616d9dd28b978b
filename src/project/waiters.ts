const REMEMBERED = 10_000

/** Lets callers wait until a document was handled, also when that happened just before they asked. */
export class Waiters {
  readonly #waiting = new Map<string, Set<() => void>>()
  readonly #handled = new Set<string>()

  /** Resolves when `id` is done, was done lately, or after `boundMs`. */
  wait(id: string, boundMs: number): Promise<void> {
    if (this.#handled.has(id)) return Promise.resolve()
    return new Promise((resolve) => {
      const finish = () => {
        clearTimeout(timer)
        this.#waiting.get(id)?.delete(finish)
        if (this.#waiting.get(id)?.size === 0) this.#waiting.delete(id)
        resolve()
      }
      const timer = setTimeout(finish, boundMs)
      const others = this.#waiting.get(id) ?? new Set()
      this.#waiting.set(id, others.add(finish))
    })
  }

  /** Tells everybody who waits for `id`. */
  done(id: string): void {
    for (const finish of this.#waiting.get(id) ?? []) finish()
    if (this.#handled.size >= REMEMBERED) this.#handled.clear()
    this.#handled.add(id)
  }
}
