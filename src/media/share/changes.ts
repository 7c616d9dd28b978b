/** Tells those who wait that something has changed. */
export class Changes {
  readonly #watches = new Set<AbortController>()

  /** A watch on what changes from now on; to be disposed of. */
  watch(): Watch {
    const controller = new AbortController()
    this.#watches.add(controller)
    return { told: controller.signal, [Symbol.dispose]: () => this.#watches.delete(controller) }
  }

  tell(): void {
    for (const watch of this.#watches) watch.abort()
    this.#watches.clear()
  }
}

export interface Watch extends Disposable {
  /** Aborts at the first change. */
  readonly told: AbortSignal
}

/** Waits until a signal aborts, or for so long. */
export async function untilAborted(signals: readonly AbortSignal[], ms: number): Promise<void> {
  const any = AbortSignal.any([...signals])
  if (any.aborted) return
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, ms)
  const end = () => resolve()
  any.addEventListener('abort', end)
  await promise
  clearTimeout(timer)
  any.removeEventListener('abort', end)
}
