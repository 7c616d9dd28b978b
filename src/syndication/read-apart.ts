import { Worker } from 'node:worker_threads'
import { HyperactiveError } from '../errors.ts'
import type { Feed, FeedSource } from './read-feed.ts'

const LONGEST_MS = 10_000
const MEMORY_MB = 128

/** What the thread answers. */
export type ReadOutcome = { feed: Feed } | { code: string; message: string }

export interface ReadLimits {
  /** Longest time for reading, the thread's start included. */
  timeoutMs?: number
  /** Most memory of the thread. */
  memoryMb?: number
}

/**
 * Reads a feed as {@link ./read-feed.ts} does, in a thread of its own: whatever stands in it can neither hold up the
 * node nor take its memory.
 *
 * @throws HyperactiveError `feed_malformed`; `feed_too_complex` beyond the limits; or what `stop` was aborted with
 */
export async function readFeedApart(
  source: FeedSource,
  { timeoutMs = LONGEST_MS, memoryMb = MEMORY_MB }: ReadLimits = {},
  stop?: AbortSignal,
): Promise<Feed> {
  stop?.throwIfAborted()
  const worker = new Worker(new URL('read-worker.ts', import.meta.url), {
    workerData: source,
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: memoryMb, maxYoungGenerationSizeMb: 16 },
  })
  const { promise, resolve, reject } = Promise.withResolvers<ReadOutcome>()
  const tooComplex = () =>
    reject(new HyperactiveError('feed_too_complex', 'reading it takes too much', { status: 502 }))
  const timer = setTimeout(tooComplex, timeoutMs)
  const onStop = () => reject(stop?.reason as Error)
  stop?.addEventListener('abort', onStop, { once: true })
  worker.on('message', resolve)
  // Out of memory, or it ended without a word.
  worker.on('error', tooComplex)
  worker.on('exit', tooComplex)
  try {
    const outcome = await promise
    if ('feed' in outcome) return outcome.feed
    throw new HyperactiveError(outcome.code, outcome.message, { status: 502 })
  } finally {
    clearTimeout(timer)
    stop?.removeEventListener('abort', onStop)
    await worker.terminate()
  }
}
