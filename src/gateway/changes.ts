import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import type { ParameterizedContext } from 'koa'
import type { Database } from '../couch/database.ts'
import { GatewayAnswer } from './answers.ts'
import { readFeed } from './feed.ts'
import type { Feed } from './feed.ts'
import { Reading } from './reading.ts'
import type { Row } from './reading.ts'
import { Tail } from './tail.ts'

const MOST_WAITING = 500

/** Answers `_changes` for replicators, and bounds how many of them wait. */
export class ChangesFeed {
  readonly #database: Database
  readonly #stop: AbortSignal
  readonly #tail: Tail
  #waiting = 0

  constructor(database: Database, stop: AbortSignal) {
    this.#database = database
    this.#stop = stop
    this.#tail = new Tail(database, stop)
  }

  /**
   * Streams to one client until it goes, the node stops or the feed ends; what is asked of the store ends with it.
   *
   * @throws GatewayAnswer 400 for what is not served, 503 when too many wait
   */
  async answer(ctx: ParameterizedContext): Promise<void> {
    const feed = readFeed(ctx.query)
    const waits = feed.feed !== 'normal'
    if (waits && this.#waiting >= MOST_WAITING)
      throw new GatewayAnswer(503, 'too_busy', 'too many clients wait for changes')
    const gone = new AbortController()
    ctx.res.once('close', () => gone.abort())
    const signal = AbortSignal.any([gone.signal, this.#stop])
    const reading = new Reading(this.#database, feed, signal, waits ? this.#tail : undefined)
    if (waits) this.#waiting += 1
    let output: PassThrough
    let first: Row[]
    try {
      // Before anything is answered, so that a problem with the first page has a status of its own.
      first = await reading.next()
      output = new PassThrough()
      ctx.type = 'application/json'
      ctx.status = 200
      ctx.flushHeaders()
      ctx.body = output
    } catch (error) {
      if (waits) this.#waiting -= 1
      throw error
    }
    const { heartbeatMs } = feed
    const beat = heartbeatMs && waits && setInterval(() => output.write('\n'), heartbeatMs)
    const run =
      feed.feed === 'continuous' ? this.#lines(feed, reading, first) : this.#page(feed, reading, first)
    void send(run, output, signal).finally(() => {
      clearInterval(beat || undefined)
      if (waits) this.#waiting -= 1
    })
  }

  /** The text of a normal feed, or of a long poll, which is the same with a wait for its first row. */
  async *#page(feed: Feed, reading: Reading, first: Row[]): AsyncGenerator<string> {
    let rows = first
    if (rows.length === 0 && feed.feed === 'longpoll') rows = await this.#await(feed, reading)
    yield `{"results":[\n${rows.map((row) => JSON.stringify(row)).join(',\n')}`
    // Who sets a limit asks again; who sets none expects everything.
    while (feed.limit === Infinity && rows.length > 0) {
      rows = await reading.next()
      if (rows.length > 0) yield `,\n${rows.map((row) => JSON.stringify(row)).join(',\n')}`
    }
    yield `\n],\n"last_seq":${JSON.stringify(reading.since)},"pending":${reading.pending}}\n`
  }

  async *#lines(feed: Feed, reading: Reading, first: Row[]): AsyncGenerator<string> {
    let rows = first.length > 0 ? first : await this.#await(feed, reading)
    while (rows.length > 0) {
      yield rows.map((row) => `${JSON.stringify(row)}\n`).join('')
      if (reading.left === 0) break
      rows = await this.#await(feed, reading)
    }
    yield `${JSON.stringify({ last_seq: reading.since, pending: reading.pending })}\n`
  }

  /** The next rows as soon as there are any; none when the client waits no longer. */
  async #await({ timeoutMs, heartbeatMs }: Feed, reading: Reading): Promise<Row[]> {
    const deadline = heartbeatMs === undefined ? Date.now() + timeoutMs : Infinity
    let rows = await reading.next()
    if (rows.length > 0) return rows
    using watch = await this.#tail.watch()
    for (;;) {
      watch.reset()
      rows = await reading.next()
      if (rows.length > 0 || Date.now() >= deadline) return rows
      if (!(await watch.next(deadline, reading.signal))) throw new Error('the store does not answer')
    }
  }
}

/** Writes no faster than the client reads; an answer that cannot be finished is cut off, not ended as if it were whole. */
async function send(run: AsyncGenerator<string>, output: PassThrough, signal: AbortSignal): Promise<void> {
  try {
    for await (const text of run) {
      if (!output.write(text)) await once(output, 'drain', { signal })
    }
    output.end()
  } catch {
    output.destroy()
  }
}
