import { createHmac, randomBytes } from 'node:crypto'
import { HyperactiveError } from '../errors.ts'

/** This many wrong passwords or codes are free. */
const FREE = 5
const FIRST_WAIT_MS = 1000
const LONGEST_WAIT_MS = 60_000
/** Forgotten after this long without another failure. */
const FORGOTTEN_MS = 60 * 60_000
const MOST_KEPT = 10_000

interface Failures {
  count: number
  untilMs: number
  lastMs: number
}

/**
 * Slows guessing down by what is guessed at, an account, because who guesses is not known: no address is read. The wait
 * doubles from one second to a minute. It holds for handles that do not exist as well, and is forgotten at a restart.
 */
export class Attempts {
  readonly #salt = randomBytes(16)
  readonly #failures = new Map<string, Failures>()

  /**
   * Counts an attempt as failed until {@link succeeded} says otherwise, so that many at once are no way around the wait.
   *
   * @throws HyperactiveError `too_many_attempts` (429), with the wait
   */
  begin(subject: string, nowMs = Date.now()): void {
    this.check(subject, nowMs)
    this.#failed(subject, nowMs)
  }

  /** @throws HyperactiveError `too_many_attempts` (429), with the wait */
  check(subject: string, nowMs = Date.now()): void {
    const failures = this.#failures.get(this.#key(subject))
    const waitMs = (failures?.untilMs ?? 0) - nowMs
    if (waitMs <= 0) return
    throw new HyperactiveError(
      'too_many_attempts',
      'Too many wrong attempts. Wait a moment, then try again.',
      {
        status: 429,
        retryAfterSeconds: Math.ceil(waitMs / 1000),
      },
    )
  }

  #failed(subject: string, nowMs: number): void {
    const key = this.#key(subject)
    const known = this.#failures.get(key)
    const count = (known && nowMs - known.lastMs < FORGOTTEN_MS ? known.count : 0) + 1
    const waitMs = count < FREE ? 0 : Math.min(FIRST_WAIT_MS * 2 ** (count - FREE), LONGEST_WAIT_MS)
    this.#failures.delete(key)
    this.#failures.set(key, { count, untilMs: nowMs + waitMs, lastMs: nowMs })
    const [oldest] = this.#failures.keys()
    if (this.#failures.size > MOST_KEPT && oldest !== undefined) this.#failures.delete(oldest)
  }

  succeeded(subject: string): void {
    this.#failures.delete(this.#key(subject))
  }

  #key(subject: string): string {
    return createHmac('sha256', new Uint8Array(this.#salt)).update(subject).digest('base64url')
  }
}
