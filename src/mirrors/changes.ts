/**
 * Files that a mirror may not have as they are, each once, however often it was changed. What was told last comes
 * first: a page that was just hidden does not wait behind thousands that were sent to a new mirror anyway.
 */
export class Changes {
  /** By path: how late it was told, and its place in what was told with it. */
  readonly #told = new Map<string, { call: number; place: number }>()
  #calls = 0

  get size(): number {
    return this.#told.size
  }

  /** What tells whether anything was told since. */
  get calls(): number {
    return this.#calls
  }

  add(paths: Iterable<string>): void {
    this.#calls += 1
    let place = 0
    for (const path of paths) {
      this.#told.set(path, { call: this.#calls, place })
      place += 1
    }
  }

  /** All of them, in the order in which they are to be looked at. */
  ordered(): string[] {
    return [...this.#told].sort(([, a], [, b]) => b.call - a.call || a.place - b.place).map(([path]) => path)
  }

  /** These are as they should be, unless they were told again after so many calls. */
  settle(paths: Iterable<string>, calls: number): void {
    for (const path of paths) if (!this.wasToldAfter(path, calls)) this.#told.delete(path)
  }

  wasToldAfter(path: string, calls: number): boolean {
    return (this.#told.get(path)?.call ?? 0) > calls
  }
}
