import { GatewayAnswer } from './answers.ts'

const LONGEST_TIMEOUT_MS = 60_000
const DEFAULT_HEARTBEAT_MS = 60_000
const SHORTEST_HEARTBEAT_MS = 100
const NOT_SERVED = ['filter', 'doc_ids', 'view', 'selector', 'descending', 'include_docs']

/** Parameters of `_changes`, read and checked. */
export interface Feed {
  feed: 'normal' | 'longpoll' | 'continuous'
  since: string
  limit: number
  /** How long a feed without a heartbeat waits for a row. */
  timeoutMs: number
  /** With a heartbeat a feed waits for ever. */
  heartbeatMs: number | undefined
}

/** @throws GatewayAnswer 400 */
export function readFeed(query: Record<string, unknown>): Feed {
  const { feed = 'normal', since = '0' } = query
  for (const name of NOT_SERVED) {
    if (query[name] === undefined || query[name] === 'false') continue
    throw badRequest(`\`${name}\` is not served: a peer gets the whole ledger, in order`)
  }
  if (feed !== 'normal' && feed !== 'longpoll' && feed !== 'continuous')
    throw badRequest('`feed` is normal, longpoll or continuous')
  if (typeof since !== 'string') throw badRequest('`since` must be given once')
  return {
    feed,
    since,
    // CouchDB takes 0 for 1.
    limit: Math.max(wholeNumber('limit', query.limit) ?? Infinity, 1),
    timeoutMs: Math.min(wholeNumber('timeout', query.timeout) ?? LONGEST_TIMEOUT_MS, LONGEST_TIMEOUT_MS),
    heartbeatMs: heartbeat(query.heartbeat),
  }
}

function heartbeat(value: unknown): number | undefined {
  if (value === 'false') return undefined
  if (value === 'true') return DEFAULT_HEARTBEAT_MS
  const beatMs = wholeNumber('heartbeat', value)
  return beatMs === undefined ? undefined : Math.max(beatMs, SHORTEST_HEARTBEAT_MS)
}

function wholeNumber(name: string, value: unknown): number | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'string' && /^\d{1,9}$/.test(value)) return Number(value)
  throw new GatewayAnswer(400, 'query_parse_error', `\`${name}\` must be a whole number`)
}

function badRequest(reason: string): GatewayAnswer {
  return new GatewayAnswer(400, 'bad_request', reason)
}
