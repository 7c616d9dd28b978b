import { setTimeout as pause } from 'node:timers/promises'
import { CouchAnswer } from './answers.ts'

/**
 * The requests that wait for an answer. An exception that escapes from a callback deep in LevelDB belongs to one of
 * them, unknown which, and that one would wait for ever.
 */
export class Pending {
  readonly #waiting = new Set<(reason: unknown) => void>()

  /** Does the work of one request, unless it is given up. */
  async run(work: () => Promise<void>): Promise<void> {
    const { promise, reject } = Promise.withResolvers<never>()
    this.#waiting.add(reject)
    try {
      await Promise.race([work(), promise])
    } finally {
      this.#waiting.delete(reject)
    }
  }

  /** Answers 500 to those that wait now and still do so in `afterMs`. */
  async giveUp(afterMs: number): Promise<void> {
    const suspects = [...this.#waiting]
    await pause(afterMs)
    for (const reject of suspects) {
      reject(new CouchAnswer(500, 'internal_server_error', 'the request was lost; try again'))
    }
  }
}
