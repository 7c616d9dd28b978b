import { CouchAnswer, flag, wholeNumber } from './answers.ts'
import type { OpenDatabase } from './databases.ts'

const DEFAULT_HEARTBEAT_MS = 60_000
/** Also the longest; CouchDB's default for `changes_timeout`. */
const DEFAULT_TIMEOUT_MS = 60_000

/** Parameters of `_changes`, read and checked. */
export interface Feed {
  feed: 'normal' | 'longpoll' | 'continuous'
  since: number
  limit: number
  includeDocs: boolean
  conflicts: boolean
  descending: boolean
  allLeaves: boolean
  /** With a heartbeat a feed waits for ever, without one until `timeoutMs` passed without a change. */
  heartbeatMs: number | undefined
  timeoutMs: number
}

/** @throws CouchAnswer 400 */
export async function readFeed(query: Record<string, unknown>, { pouch }: OpenDatabase): Promise<Feed> {
  const { feed = 'normal', since = '0' } = query
  if (feed !== 'normal' && feed !== 'longpoll' && feed !== 'continuous') {
    throw new CouchAnswer(400, 'bad_request', 'Supported `feed` types: normal, continuous, longpoll')
  }
  if (query.filter !== undefined || query.doc_ids !== undefined || query.view !== undefined) {
    throw new CouchAnswer(400, 'bad_request', 'the embedded store filters no changes')
  }
  return {
    feed,
    since: since === 'now' ? Number((await pouch.info()).update_seq) : sequence(since),
    // CouchDB takes 0 for 1.
    limit: Math.max(wholeNumber('limit', query.limit) ?? Infinity, 1),
    includeDocs: flag('include_docs', query.include_docs) ?? false,
    conflicts: flag('conflicts', query.conflicts) ?? false,
    descending: flag('descending', query.descending) ?? false,
    allLeaves: query.style === 'all_docs',
    heartbeatMs: heartbeat(query.heartbeat),
    timeoutMs: Math.min(wholeNumber('timeout', query.timeout) ?? DEFAULT_TIMEOUT_MS, DEFAULT_TIMEOUT_MS),
  }
}

function sequence(since: unknown): number {
  if (since === '') return 0
  if (typeof since === 'string' && /^"?\d{1,15}"?$/.test(since)) return Number(since.replaceAll('"', ''))
  throw new CouchAnswer(400, 'bad_request', "Malformed sequence supplied in 'since' parameter.")
}

function heartbeat(value: unknown): number | undefined {
  if (value === undefined || value === 'false') return undefined
  if (value === 'true') return DEFAULT_HEARTBEAT_MS
  if (typeof value === 'string' && /^[1-9]\d{0,8}$/.test(value)) return Number(value)
  const reason = 'The heartbeat value should be a positive integer (in milliseconds).'
  throw new CouchAnswer(400, 'bad_request', reason)
}
