import { PassThrough } from 'node:stream'
import type { ParameterizedContext } from 'koa'
import { CouchAnswer, flag, wholeNumber } from './answers.ts'
import type { OpenDatabase } from './databases.ts'

const DEFAULT_HEARTBEAT_MS = 60_000
const DEFAULT_TIMEOUT_MS = 60_000
const CONTINUOUS_BATCH = 200

interface Feed {
  feed: 'normal' | 'longpoll' | 'continuous'
  since: number
  limit: number | undefined
  includeDocs: boolean
  descending: boolean
  allLeaves: boolean
  heartbeatMs: number | undefined
  timeoutMs: number
}

interface Batch {
  results: object[]
  last_seq: number
  pending: number
}

/**
 * Answers `_changes`. Waiting is done on this process's own writes, since no other process can write: no PouchDB
 * listener stays behind when a client goes.
 */
export async function answerChanges(ctx: ParameterizedContext, database: OpenDatabase): Promise<void> {
  const feed = await readFeed(ctx.query, database)
  ctx.type = 'application/json'
  if (feed.feed === 'normal') {
    ctx.body = await readBatch(database, feed)
    return
  }
  const output = new PassThrough()
  const gone = new AbortController()
  ctx.req.once('close', () => {
    if (!ctx.res.writableFinished) gone.abort()
  })
  output.once('close', () => gone.abort())
  ctx.body = output
  const beat =
    feed.heartbeatMs === undefined ? undefined : setInterval(() => output.write('\n'), feed.heartbeatMs)
  const follow = feed.feed === 'longpoll' ? longPoll : continuous
  void follow(database, feed, output, gone.signal)
    .catch(() => output.destroy())
    .finally(() => {
      clearInterval(beat)
      output.end()
    })
}

async function longPoll(
  database: OpenDatabase,
  feed: Feed,
  output: PassThrough,
  gone: AbortSignal,
): Promise<void> {
  const deadline = Date.now() + feed.timeoutMs
  for (;;) {
    const written = nextWrite(database, deadline, gone)
    const batch = await readBatch(database, feed)
    if (batch.results.length > 0 || Date.now() >= deadline || gone.aborted) {
      written.forget()
      output.write(`${JSON.stringify(batch)}\n`)
      return
    }
    await written.promise
  }
}

async function continuous(
  database: OpenDatabase,
  feed: Feed,
  output: PassThrough,
  gone: AbortSignal,
): Promise<void> {
  let { since } = feed
  let left = feed.limit ?? Infinity
  let deadline = Date.now() + feed.timeoutMs
  while (!gone.aborted && left > 0) {
    const written = nextWrite(database, feed.heartbeatMs === undefined ? deadline : undefined, gone)
    const batch = await readBatch(database, { ...feed, since, limit: Math.min(left, CONTINUOUS_BATCH) })
    since = batch.last_seq
    left -= batch.results.length
    if (batch.results.length > 0) {
      written.forget()
      deadline = Date.now() + feed.timeoutMs
      const lines = batch.results.map((row) => `${JSON.stringify(row)}\n`).join('')
      if (!output.write(lines)) await drained(output, gone)
    } else if (feed.heartbeatMs === undefined && Date.now() >= deadline) {
      written.forget()
      break
    } else {
      await written.promise
    }
  }
  output.write(`${JSON.stringify({ last_seq: since, pending: 0 })}\n`)
}

async function readBatch({ pouch }: OpenDatabase, feed: Feed): Promise<Batch> {
  const { update_seq } = await pouch.info()
  const end = Number(update_seq)
  const { results, last_seq } = await pouch.changes({
    since: feed.descending ? 0 : feed.since,
    include_docs: feed.includeDocs,
    descending: feed.descending,
    ...(feed.limit === undefined ? {} : { limit: Math.max(feed.limit, 1) }),
    ...(feed.allLeaves ? { style: 'all_docs' as const } : {}),
  })
  const reachedEnd = feed.limit === undefined || results.length < Math.max(feed.limit, 1)
  const last = feed.descending || !reachedEnd ? Number(last_seq) : Math.max(end, Number(last_seq), feed.since)
  return { results, last_seq: last, pending: reachedEnd ? 0 : Math.max(end - last, 0) }
}

/** Resolves at the next write, at the deadline, or when the client goes. It listens from the moment it is called. */
function nextWrite({ events }: OpenDatabase, deadline: number | undefined, gone: AbortSignal) {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = deadline === undefined ? undefined : setTimeout(resolve, Math.max(deadline - Date.now(), 0))
  const forget = () => {
    clearTimeout(timer)
    events.off('written', resolve)
    gone.removeEventListener('abort', onGone)
  }
  const onGone = () => resolve()
  events.once('written', resolve)
  gone.addEventListener('abort', onGone)
  return { promise: promise.finally(forget), forget }
}

function drained(output: PassThrough, gone: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      output.off('drain', done)
      gone.removeEventListener('abort', done)
      resolve()
    }
    output.once('drain', done)
    gone.addEventListener('abort', done)
  })
}

async function readFeed(query: Record<string, unknown>, { pouch }: OpenDatabase): Promise<Feed> {
  const feed = query.feed ?? 'normal'
  if (feed !== 'normal' && feed !== 'longpoll' && feed !== 'continuous') {
    throw new CouchAnswer(400, 'bad_request', 'Supported `feed` types: normal, continuous, longpoll')
  }
  if (query.filter !== undefined || query.doc_ids !== undefined || query.view !== undefined) {
    throw new CouchAnswer(400, 'bad_request', 'the embedded store filters no changes')
  }
  const heartbeat =
    query.heartbeat === 'true'
      ? DEFAULT_HEARTBEAT_MS
      : query.heartbeat === 'false'
        ? undefined
        : query.heartbeat
  return {
    feed,
    since:
      query.since === 'now'
        ? Number((await pouch.info()).update_seq)
        : (wholeNumber('since', query.since) ?? 0),
    limit: wholeNumber('limit', query.limit),
    includeDocs: flag('include_docs', query.include_docs) ?? false,
    descending: flag('descending', query.descending) ?? false,
    allLeaves: query.style === 'all_docs',
    heartbeatMs: wholeNumber('heartbeat', heartbeat),
    timeoutMs: Math.min(wholeNumber('timeout', query.timeout) ?? DEFAULT_TIMEOUT_MS, DEFAULT_TIMEOUT_MS),
  }
}
