import { setTimeout as pause } from 'node:timers/promises'

const STEP_MS = 20

/**
 * Looks again and again until `look` gives something, and gives that. The bound is generous: it is there so that a
 * test fails with a message instead of hanging.
 */
export async function until<Value>(
  what: string,
  look: () => Promise<Value | undefined | false> | Value | undefined | false,
  boundMs = 30_000,
  stepMs = STEP_MS,
): Promise<Value> {
  const deadline = Date.now() + boundMs
  let last: unknown
  for (;;) {
    try {
      const found = await look()
      if (found !== undefined && found !== false) return found
    } catch (error) {
      last = error
    }
    if (Date.now() > deadline) throw new Error(`waited ${boundMs} ms in vain until ${what}`, { cause: last })
    await pause(stepMs)
  }
}
