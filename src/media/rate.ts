import { setTimeout as pause } from 'node:timers/promises'

/** Lets bytes through at a rate, whoever asks; what was slow is not made up for. */
export class Rate {
  readonly #bytesPerSecond: number
  #freeMs = 0

  /** @param bytesPerSecond 0 for any number */
  constructor(bytesPerSecond: number) {
    this.#bytesPerSecond = bytesPerSecond
  }

  /** Whether there is any limit. */
  get isLimited(): boolean {
    return this.#bytesPerSecond > 0
  }

  /** How many bytes are best taken at once, so that nobody waits for more than a quarter of a second. */
  get chunkBytes(): number {
    return this.isLimited ? Math.max(Math.ceil(this.#bytesPerSecond / 4), 1) : Infinity
  }

  /**
   * Waits until so many bytes have had their time.
   *
   * @throws the signal's reason
   */
  async took(bytes: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    if (!this.isLimited) return
    const nowMs = performance.now()
    this.#freeMs = Math.max(nowMs, this.#freeMs) + (bytes / this.#bytesPerSecond) * 1000
    try {
      await pause(this.#freeMs - nowMs, undefined, signal ? { signal } : {})
    } catch (error) {
      signal?.throwIfAborted()
      throw error
    }
  }
}
