import { setTimeout as pause } from 'node:timers/promises'
import { probePeer } from './probe.ts'
import type { ProbeOptions, ProbeResult } from './probe.ts'

/** A look that has no answer after this long is not given up, but another one is begun beside it. */
const HEDGE_MS = 2000

/**
 * Looks at a peer's gateway. A connection may be dead without anybody knowing, and a request on it then waits for its
 * time-out; a network may also be just slow. So while a look has no answer, further ones are begun on connections of
 * their own, and the first answer counts.
 */
export async function lookAtPeer(options: ProbeOptions, hedgeMs = HEDGE_MS): Promise<ProbeResult> {
  const given = Promise.withResolvers<ProbeResult>()
  const settled = new AbortController()
  const signal = options.signal ? AbortSignal.any([options.signal, settled.signal]) : settled.signal
  let under = 0
  const begin = async () => {
    under += 1
    const result = await probePeer({ ...options, signal })
    under -= 1
    // No answer is the answer when nothing else is under way.
    if (result.verdict !== 'down' || under === 0) given.resolve(result)
  }
  try {
    void begin()
    for (;;) {
      const result = await Promise.race([given.promise, pause(hedgeMs, undefined, { ref: false })])
      if (result) return result
      void begin()
    }
  } finally {
    settled.abort()
  }
}
