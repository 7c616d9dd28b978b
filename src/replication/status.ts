import type { Database } from '../couch/database.ts'
import { isCouchError } from '../couch/request.ts'
import { RESYNC_HEADER, ROLE_HEADER } from '../gateway/callers.ts'
import type { Confirmations } from './arrivals.ts'
import type { Refusals } from '../gateway/refusals.ts'

/**
 * The words for how a link is: `connecting` looks at the peer, `active` moves documents, `idle` has moved all and
 * waits for more, `backing-off` waits before the next try, `stopped` is disabled or the node is not running.
 */
export type LinkState = 'connecting' | 'active' | 'idle' | 'backing-off' | 'stopped' | CouchdbState

/** CouchDB's own words for a job that its scheduler runs. */
export const COUCHDB_STATES = [
  'initializing',
  'running',
  'pending',
  'crashing',
  'error',
  'failed',
  'completed',
] as const
export type CouchdbState = (typeof COUCHDB_STATES)[number]

/**
 * Headers by which a gateway knows what a link of ours wants of it: whether it reads there (`source`), so that its
 * checkpoints tell what the reader has; and a number that grows with every `peer resync`, which makes another
 * replication id for PouchDB (by the gateway's `uuid`) and for CouchDB (by the header), so that they start from zero.
 */
export function headersFor(
  direction: 'pull' | 'push',
  side: 'local' | 'remote',
  resync: number,
): Record<string, string> {
  const reads = (direction === 'pull') === (side === 'remote')
  return {
    [ROLE_HEADER]: reads ? 'source' : 'target',
    ...(resync > 0 ? { [RESYNC_HEADER]: String(resync) } : {}),
  }
}

/** How one link is: one peer, one direction. Times are ISO 8601. */
export interface LinkStatus {
  peer: string
  direction: 'pull' | 'push'
  state: LinkState
  /** When the peer last answered as it should. */
  lastSuccess?: string
  /** Changes that are still to be looked at, as far as the source says. */
  pending: number
  /** Documents written to the target since counting began. */
  written: number
  /** Documents that the target refused for good. */
  refused: number
  lastRefusal?: string
  lastError?: string
  nextRetry?: string
}

/** What a running node says of its peers. */
export interface PeersStatus {
  links: LinkStatus[]
  /** What the gateway did not let in. */
  refusals: Refusals
  /** What the peers are known to hold. */
  confirmed: Confirmations
}

const ID = '_local/links'
const SAVE_MS = 1000

/** Saves the status at most once a second to a local document of the ledger, where other commands read it. */
export class StatusBoard implements AsyncDisposable {
  readonly #database: Database
  readonly #collect: () => PeersStatus
  #timer: NodeJS.Timeout | undefined
  #saving: Promise<void> = Promise.resolve()

  constructor(database: Database, collect: () => PeersStatus) {
    this.#database = database
    this.#collect = collect
  }

  /** To be called after any change. */
  changed(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      void this.save()
    }, SAVE_MS)
  }

  /** Saves at once; a store that does not answer loses no more than counters. */
  save(): Promise<void> {
    this.#saving = this.#saving.then(() => saveStatus(this.#database, this.#collect())).catch(() => undefined)
    return this.#saving
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#timer)
    await this.save()
  }
}

/** The status that the running node saved last, or the one that ran last. */
export async function readPeersStatus(database: Database): Promise<PeersStatus> {
  const stored = ((await database.get(ID)) ?? {}) as Partial<PeersStatus>
  const { links = [], refusals = { counts: {}, latest: [] }, confirmed = {} } = stored
  return { links, refusals, confirmed }
}

async function saveStatus(database: Database, status: PeersStatus): Promise<void> {
  for (let tries = 0; tries < 3; tries += 1) {
    const stored = await database.get(ID)
    const document = { _id: ID, ...(stored ? { _rev: stored._rev } : {}), ...status }
    try {
      await database.put(document)
      return
    } catch (error) {
      if (!isCouchError(error, 409)) throw error
    }
  }
}
