import { PassThrough } from 'node:stream'
import type { ParameterizedContext } from 'koa'
import type { Changes, Database } from '../couch/database.ts'
import { parseId, revisionOf } from '../ledger/document.ts'
import { GatewayAnswer } from './answers.ts'

const MOST_WAITING = 500
const LONGEST_TIMEOUT_MS = 60_000
const SHORTEST_HEARTBEAT_MS = 100
const LARGEST_PAGE = 1000

interface Feed {
  since: string
  limit: number
  timeoutMs: number
  heartbeatMs: number | undefined
}

interface Rows extends Changes {
  results: { seq: string | number; id: string; changes: { rev: string }[] }[]
}

/** Answers `_changes` for replicators, and keeps count of those who wait. */
export class ChangesFeed {
  readonly #database: Database
  readonly #stop: AbortSignal
  #waiting = 0

  constructor(database: Database, stop: AbortSignal) {
    this.#database = database
    this.#stop = stop
  }

  /** How many clients wait for changes now. */
  get waiting(): number {
    return this.#waiting
  }

  /** @throws GatewayAnswer 400 for what is not served, 503 when too many wait */
  async answer(ctx: ParameterizedContext): Promise<void> {
    const { feed = 'normal' } = ctx.query
    for (const name of ['filter', 'doc_ids', 'view', 'selector', 'descending', 'include_docs']) {
      if (ctx.query[name] !== undefined && ctx.query[name] !== 'false') {
        throw new GatewayAnswer(
          400,
          'bad_request',
          `\`${name}\` is not served: a peer gets the whole ledger, in order`,
        )
      }
    }
    const wanted = readFeed(ctx.query)
    ctx.type = 'application/json'
    if (feed === 'normal') {
      ctx.body = await this.#read(wanted, wanted.since, undefined)
      return
    }
    if (feed !== 'longpoll' && feed !== 'continuous') {
      throw new GatewayAnswer(400, 'bad_request', '`feed` is normal, longpoll or continuous')
    }
    if (this.#waiting >= MOST_WAITING)
      throw new GatewayAnswer(503, 'too_busy', 'too many clients wait for changes')
    this.#follow(ctx, feed, wanted)
  }

  /** Streams to one client until it goes, the node stops or the feed ends; the store's request ends with it. */
  #follow(ctx: ParameterizedContext, feed: 'longpoll' | 'continuous', wanted: Feed): void {
    const output = new PassThrough()
    const gone = new AbortController()
    output.once('close', () => gone.abort())
    ctx.res.once('close', () => gone.abort())
    ctx.body = output
    const signal = AbortSignal.any([gone.signal, this.#stop])
    const beat = wanted.heartbeatMs && setInterval(() => output.write('\n'), wanted.heartbeatMs)
    this.#waiting += 1
    const run =
      feed === 'longpoll' ? this.#longPoll(wanted, output, signal) : this.#continuous(wanted, output, signal)
    run
      .catch(() => output.destroy())
      .finally(() => {
        this.#waiting -= 1
        clearInterval(beat)
        output.end()
      })
  }

  async #longPoll(wanted: Feed, output: PassThrough, signal: AbortSignal): Promise<void> {
    output.write(`${JSON.stringify(await this.#read(wanted, wanted.since, signal))}\n`)
  }

  async #continuous(wanted: Feed, output: PassThrough, signal: AbortSignal): Promise<void> {
    let since: string | number = wanted.since
    while (!signal.aborted) {
      const { results, last_seq } = await this.#read(wanted, since, signal)
      since = last_seq
      if (results.length === 0 && wanted.heartbeatMs === undefined) break
      for (const row of results) output.write(`${JSON.stringify(row)}\n`)
    }
    output.write(`${JSON.stringify({ last_seq: since, pending: 0 })}\n`)
  }

  /**
   * The next rows that a peer may have. Where rows are dropped it reads on until there is one to give or nothing is
   * pending, because replicators take an empty page for the end. With a signal it waits for the first row.
   */
  async #read(
    { limit, timeoutMs, heartbeatMs }: Feed,
    since: string | number,
    signal: AbortSignal | undefined,
  ): Promise<Rows> {
    const deadline = heartbeatMs === undefined ? Date.now() + timeoutMs : Infinity
    let from = since
    for (;;) {
      const left = Math.min(deadline - Date.now(), LONGEST_TIMEOUT_MS)
      const wait = signal !== undefined && left > 0
      const query = { since: from, limit, style: 'all_docs' } as const
      const page = await this.#database.changes(
        wait ? { ...query, feed: 'longpoll', timeout: left } : query,
        signal,
      )
      const results = page.results.flatMap(({ id, seq, deleted }) =>
        deleted || !parseId(id) ? [] : [{ seq, id, changes: [{ rev: revisionOf(id) }] }],
      )
      const ended = page.results.length === 0 && !(wait && Date.now() < deadline)
      if (results.length > 0 || ended) return { ...page, results }
      from = page.last_seq
    }
  }
}

function readFeed(query: Record<string, unknown>): Feed {
  const { since = '0', heartbeat } = query
  if (typeof since !== 'string') throw new GatewayAnswer(400, 'bad_request', '`since` must be given once')
  const beats =
    heartbeat === 'true'
      ? LONGEST_TIMEOUT_MS
      : heartbeat === 'false'
        ? undefined
        : number('heartbeat', heartbeat)
  return {
    since,
    limit: Math.min(Math.max(number('limit', query.limit) ?? LARGEST_PAGE, 1), LARGEST_PAGE),
    timeoutMs: Math.min(number('timeout', query.timeout) ?? LONGEST_TIMEOUT_MS, LONGEST_TIMEOUT_MS),
    heartbeatMs: beats === undefined ? undefined : Math.max(beats, SHORTEST_HEARTBEAT_MS),
  }
}

function number(name: string, value: unknown): number | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'string' && /^\d{1,9}$/.test(value)) return Number(value)
  throw new GatewayAnswer(400, 'query_parse_error', `\`${name}\` must be a whole number`)
}
