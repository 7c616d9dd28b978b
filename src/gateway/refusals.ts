const REMEMBERED = 100

/** One document that was not let in, or one offence of a caller. */
export interface Refusal {
  caller: string
  id: string
  /** `forbidden` is for good; `too_busy` may be tried again. */
  code: 'forbidden' | 'too_busy'
  reason: string
  /** ISO 8601. */
  at: string
}

/** Counts refusals by caller and keeps the latest ones, for the administrator. */
export class RefusalLog {
  readonly #counts = new Map<string, { forbidden: number; too_busy: number }>()
  readonly #latest: Refusal[] = []

  add(refusal: Omit<Refusal, 'at'>): void {
    const counts = this.#counts.get(refusal.caller) ?? { forbidden: 0, too_busy: 0 }
    counts[refusal.code] += 1
    this.#counts.set(refusal.caller, counts)
    this.#latest.push({ ...refusal, id: refusal.id.slice(0, 200), at: new Date().toISOString() })
    if (this.#latest.length > REMEMBERED) this.#latest.shift()
  }

  /** How many of a caller's documents were refused. */
  countOf(caller: string): { forbidden: number; too_busy: number } {
    return { forbidden: 0, too_busy: 0, ...this.#counts.get(caller) }
  }

  /** The latest refusals, oldest first. */
  latest(caller?: string): Refusal[] {
    return this.#latest.filter((refusal) => caller === undefined || refusal.caller === caller)
  }
}
