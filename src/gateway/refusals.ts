const REMEMBERED = 20

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

/** What was refused since the node started, for the administrator. */
export interface Refusals {
  /** How many documents, by who brought them. */
  counts: Record<string, { forbidden: number; too_busy: number }>
  /** Oldest first. */
  latest: Refusal[]
}

/** Counts refusals by caller and keeps the latest ones. */
export class RefusalLog {
  readonly #onAdd: () => void
  readonly #counts = new Map<string, { forbidden: number; too_busy: number }>()
  readonly #latest: Refusal[] = []

  constructor(onAdd: () => void = () => undefined) {
    this.#onAdd = onAdd
  }

  add(refusal: Omit<Refusal, 'at'>): void {
    const counts = this.#counts.get(refusal.caller) ?? { forbidden: 0, too_busy: 0 }
    counts[refusal.code] += 1
    this.#counts.set(refusal.caller, counts)
    this.#latest.push({ ...refusal, id: refusal.id.slice(0, 200), at: new Date().toISOString() })
    if (this.#latest.length > REMEMBERED) this.#latest.shift()
    this.#onAdd()
  }

  summary(): Refusals {
    return { counts: Object.fromEntries(this.#counts), latest: [...this.#latest] }
  }
}
