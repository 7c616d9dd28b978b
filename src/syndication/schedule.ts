import { createHash } from 'node:crypto'
import type { FeedDocument, FeedFailure } from './feed-documents.ts'

const DAY_MS = 24 * 60 * 60 * 1000
/** Waits are longer than asked for by up to this part, so that feeds do not stay in step. */
const JITTER = 0.2

/** When a feed is to be pulled: milliseconds since 1970; 0 for at once. */
export function dueAtMs(
  { _id, fetchedAt, failure }: Pick<FeedDocument, '_id' | 'fetchedAt' | 'failure'>,
  { everyMs, nowMs }: { everyMs: number; nowMs: number },
): number {
  if (failure) {
    const nextMs = Date.parse(failure.next)
    // A clock that was ahead must not keep the feed waiting.
    return nextMs <= nowMs + DAY_MS * (1 + JITTER) ? nextMs : 0
  }
  const fetchedMs = fetchedAt === undefined ? 0 : Date.parse(fetchedAt)
  if (!(fetchedMs > 0 && fetchedMs <= nowMs)) return 0
  return fetchedMs + withJitter(everyMs, `${_id} ${fetchedMs}`)
}

/**
 * What is noted of a feed that failed: the wait is the usual one at first and doubles with each failure up to a day.
 * A server may ask for more with `Retry-After`, up to a day too.
 */
export function failureAfter(
  before: FeedFailure | undefined,
  code: string,
  { id, everyMs, nowMs, retryAfterMs = 0 }: FailureFacts,
): FeedFailure {
  const tries = (before?.tries ?? 0) + 1
  const doubled = everyMs * 2 ** Math.min(tries - 1, 20)
  const waitMs = Math.min(Math.max(doubled, retryAfterMs), DAY_MS)
  return {
    code,
    since: before?.since ?? new Date(nowMs).toISOString(),
    next: new Date(nowMs + withJitter(waitMs, `${id} ${nowMs}`)).toISOString(),
    tries,
  }
}

export interface FailureFacts {
  id: string
  everyMs: number
  nowMs: number
  retryAfterMs?: number | undefined
}

/** A little more than `waitMs`. How much follows from the seed: it is the same after a restart. */
function withJitter(waitMs: number, seed: string): number {
  const part = createHash('sha256').update(seed).digest().readUInt32BE() / 2 ** 32
  return Math.ceil(waitMs * (1 + JITTER * part))
}
