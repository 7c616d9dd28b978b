import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import type { ParameterizedContext } from 'koa'
import { answerRows, jsonText } from './answer-rows.ts'
import type { OpenDatabase } from './databases.ts'
import { readFeed } from './feed.ts'
import type { Feed } from './feed.ts'

/** How many changes are held in memory at once for one client. */
const PAGE = 500

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
  if (feed.feed === 'normal') {
    const reading = new Reading(database, feed)
    await answerRows(ctx, 'results', reading.pages(), () => reading.end)
    return
  }
  const output = new PassThrough()
  const gone = new AbortController()
  const leave = () => gone.abort()
  ctx.res.once('close', leave)
  database.closing.signal.addEventListener('abort', leave)
  ctx.type = 'application/json'
  ctx.status = 200
  ctx.flushHeaders()
  ctx.body = output
  const { heartbeatMs } = feed
  const beat = heartbeatMs === undefined ? undefined : setInterval(() => output.write('\n'), heartbeatMs)
  const follow = feed.feed === 'longpoll' ? longPoll : continuous
  void follow(database, feed, output, gone.signal)
    .then(() => {
      gone.signal.throwIfAborted()
      output.end()
    })
    // Cut off, and not ended as if it were whole.
    .catch(() => ctx.res.destroy())
    .finally(() => {
      clearInterval(beat)
      database.closing.signal.removeEventListener('abort', leave)
    })
}

/** Reads changes page by page, and knows at every moment where it ended. */
class Reading {
  end: Omit<Batch, 'results'>
  readonly #database: OpenDatabase
  readonly #feed: Feed

  constructor(database: OpenDatabase, feed: Feed) {
    this.#database = database
    this.#feed = feed
    this.end = { last_seq: feed.since, pending: 0 }
  }

  async *pages(): AsyncGenerator<object[]> {
    const { descending } = this.#feed
    let left = this.#feed.limit
    while (left > 0) {
      // PouchDB cannot go on in the middle of a descending feed.
      const limit = descending ? left : Math.min(left, PAGE)
      const { results, ...end } = await readBatch(this.#database, {
        ...this.#feed,
        since: this.end.last_seq,
        limit,
      })
      this.end = end
      yield results
      if (results.length < limit) return
      left -= results.length
    }
  }
}

async function longPoll(
  database: OpenDatabase,
  feed: Feed,
  output: PassThrough,
  gone: AbortSignal,
): Promise<void> {
  const deadline = feed.heartbeatMs === undefined ? Date.now() + feed.timeoutMs : Infinity
  const reading = new Reading(database, feed)
  while (!gone.aborted) {
    using written = nextWrite(database, deadline, gone)
    const pages = reading.pages()
    const first = ((await pages.next()).value ?? []) as object[]
    if (gone.aborted) return
    if (first.length > 0 || Date.now() >= deadline) {
      for await (const text of jsonText('results', [first], pages, () => reading.end)) {
        await write(output, text, gone)
        if (gone.aborted) return
      }
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
  const lastingMs = feed.heartbeatMs === undefined ? feed.timeoutMs : Infinity
  let { since, limit } = feed
  let pending = 0
  let deadline = Date.now() + lastingMs
  while (limit > 0 && !gone.aborted) {
    using written = nextWrite(database, deadline, gone)
    const batch = await readBatch(database, { ...feed, since, limit: Math.min(limit, PAGE) })
    if (gone.aborted) return
    since = batch.last_seq
    pending = batch.pending
    limit -= batch.results.length
    if (batch.results.length > 0) {
      await write(output, batch.results.map((row) => `${JSON.stringify(row)}\n`).join(''), gone)
      deadline = Date.now() + lastingMs
    } else if (Date.now() >= deadline) {
      break
    } else {
      await written.promise
    }
  }
  output.write(`${JSON.stringify({ last_seq: since, pending })}\n`)
}

async function readBatch({ pouch }: OpenDatabase, feed: Feed): Promise<Batch> {
  // Asked before the rows: what is written meanwhile is behind this number.
  const newest = Number((await pouch.info()).update_seq)
  // Such a number is from before the files were lost or restored. CouchDB too starts again then.
  const since = feed.since > newest ? 0 : feed.since
  const { results, last_seq } = await pouch.changes({
    since: feed.descending ? 0 : since,
    include_docs: feed.includeDocs,
    conflicts: feed.conflicts,
    descending: feed.descending,
    ...(feed.limit === Infinity ? {} : { limit: feed.limit }),
    ...(feed.allLeaves ? { style: 'all_docs' as const } : {}),
  })
  const reachedEnd = results.length < feed.limit
  const last = feed.descending || !reachedEnd ? Number(last_seq) : Math.max(newest, Number(last_seq))
  return { results, last_seq: last, pending: reachedEnd ? 0 : Math.max(newest - last, 0) }
}

/** Resolves at the next write, at the deadline, or when the client goes. It listens until it is disposed. */
function nextWrite({ events }: OpenDatabase, deadline: number, gone: AbortSignal) {
  const { promise, resolve } = Promise.withResolvers<void>()
  const wait = () => resolve()
  const timer = deadline === Infinity ? undefined : setTimeout(wait, Math.max(deadline - Date.now(), 0))
  const forget = () => {
    clearTimeout(timer)
    events.off('written', wait)
    gone.removeEventListener('abort', wait)
  }
  events.once('written', wait)
  gone.addEventListener('abort', wait)
  return { promise, [Symbol.dispose]: forget }
}

/** Writes no faster than the client reads. */
async function write(output: PassThrough, text: string, gone: AbortSignal): Promise<void> {
  if (output.write(text) || gone.aborted) return
  await once(output, 'drain', { signal: gone }).catch(() => {})
}
