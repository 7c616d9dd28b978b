/**
 * Does something with one item after the other, with some of them at the same time, until there is none left; the work itself
 * may make more. The first failure ends it, when what is being done is done.
 */
export async function workThrough<Item>(
  next: () => Item | undefined,
  work: (item: Item) => Promise<void>,
  { atOnce, signal }: { atOnce: number; signal: AbortSignal },
): Promise<void> {
  const running = new Set<Promise<void>>()
  try {
    for (;;) {
      while (running.size < atOnce) {
        const item = next()
        if (item === undefined) break
        const one = work(item).finally(() => running.delete(one))
        running.add(one)
      }
      if (running.size === 0) return
      await Promise.race(running)
      signal.throwIfAborted()
    }
  } finally {
    await Promise.allSettled(running)
  }
}
