import { randomBytes } from 'node:crypto'

const VALID_MS = 5 * 60_000
const MOST_KEPT = 10_000

/**
 * What a device is asked to sign, so that no signature counts twice. Whoever asks has one open challenge at a time: a
 * later one takes the place of the former. They are lost at a restart.
 */
export class Challenges {
  readonly #open = new Map<string, { challenge: string; untilMs: number }>()

  /** A new challenge for a subject: 256 random bits, base64url. */
  issue(subject: string, nowMs = Date.now()): string {
    const challenge = randomBytes(32).toString('base64url')
    this.#open.delete(subject)
    this.#open.set(subject, { challenge, untilMs: nowMs + VALID_MS })
    // The oldest stand first.
    for (const [known, { untilMs }] of this.#open) {
      if (untilMs > nowMs && this.#open.size <= MOST_KEPT) break
      this.#open.delete(known)
    }
    return challenge
  }

  /** The open challenge of a subject, which is then used up whatever comes of it. */
  take(subject: string, nowMs = Date.now()): string | undefined {
    const open = this.#open.get(subject)
    this.#open.delete(subject)
    return open && open.untilMs > nowMs ? open.challenge : undefined
  }
}
