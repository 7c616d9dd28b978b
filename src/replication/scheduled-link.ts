import { setTimeout as pause } from 'node:timers/promises'
import type { Couch } from '../couch/client.ts'
import { isCouchError } from '../couch/request.ts'
import { messageOf } from '../errors.ts'
import { LEDGER_PATH } from '../gateway/gateway.ts'
import { logger } from '../log.ts'
import { lookAtPeer } from './look.ts'
import type { LinkOptions, RunningLink } from './link.ts'
import { pauseBefore } from './pause.ts'
import { peerFetch } from './peer-fetch.ts'
import type { PeerFetch } from './peer-fetch.ts'
import type { Login } from './peers-file.ts'
import { COUCHDB_STATES, headersFor } from './status.ts'
import type { CouchdbState, LinkStatus } from './status.ts'

const log = logger('replication')

const REPLICATOR = '_replicator'
const LOOK_MS = 1000
const LONGEST_SILENCE_MS = 8000
const LET_GO_MS = 10_000
const LET_GO_STEP_MS = 100
/** A job that has worked for this long has recovered from what was before. */
const STEADY_MS = 10_000

/** What `_scheduler/docs` says of a job (CouchDB 3.5, "/_scheduler/docs"). */
interface SchedulerDoc {
  state: string | null
  info: {
    changes_pending?: number | null
    docs_written?: number
    doc_write_failures?: number
    error?: string
  } | null
}

export interface ScheduledLinkOptions extends LinkOptions {
  /** With an administrator's credentials. */
  couch: Couch
}

/**
 * One replication that CouchDB's own scheduler runs: a document in `_replicator`, continuous, from gateway to gateway.
 * This class writes it, reads its state, and watches over it: CouchDB leaves a crashed job alone for a minute and
 * longer, so as soon as the peer answers again the job is taken away and made anew. A job is also made anew when the
 * peer was silent and answers again, because its connections may have died unnoticed.
 */
export class ScheduledLink implements RunningLink {
  readonly status: LinkStatus
  readonly #options: ScheduledLinkOptions
  readonly #id: string
  readonly #stop = new AbortController()
  readonly #remote: PeerFetch
  readonly #running: Promise<void>

  constructor(options: ScheduledLinkOptions) {
    const { peer, direction, before, settings, own } = options
    this.#options = options
    this.#id = `${jobPrefix(own.key)}${direction}-${peer.name}`
    this.status = {
      pending: 0,
      written: 0,
      refused: 0,
      ...before,
      peer: peer.name,
      direction,
      state: 'connecting',
    }
    this.#remote = peerFetch({
      login: peer.credentials,
      idleTimeoutMs: settings.idleTimeoutMs,
      onSuccess: () => this.#update({ lastSuccess: new Date().toISOString() }),
    })
    this.#running = this.#run()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#running
    await this.#remove().catch(() => undefined)
    await this.#remote[Symbol.asyncDispose]()
    this.#update({ state: 'stopped' })
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop
    for (let failures = 0; !signal.aborted;) {
      const begun = Date.now()
      const { problem, down } = await this.#once().catch((error: unknown) => ({
        problem: messageOf(error),
        down: false,
      }))
      if (signal.aborted) return
      failures = Date.now() - begun > STEADY_MS ? 1 : failures + 1
      const { longestPauseMs, lookPauseMs } = this.#options.settings
      const waitMs = pauseBefore(failures, down ? Math.min(lookPauseMs, longestPauseMs) : longestPauseMs)
      if (failures === 1) {
        const { peer, direction } = this.status
        log.warn('a link stopped; trying again', { peer, direction, reason: problem })
      }
      const nextRetry = new Date(Date.now() + waitMs).toISOString()
      this.#update({ state: 'backing-off', lastError: problem, nextRetry })
      await this.#pause(waitMs)
    }
  }

  /** One job, from its making until it is given up; gives the reason. */
  async #once(): Promise<{ problem: string; down: boolean }> {
    this.#update({ state: 'connecting', nextRetry: undefined })
    const unreachable = await this.#probe()
    if (unreachable) return unreachable
    await this.#remove()
    await this.#options.couch.request({
      method: 'PUT',
      db: REPLICATOR,
      path: encodeURIComponent(this.#id),
      body: this.#document(),
    })
    // While the job is watched the peer is looked at besides, one look after the other.
    const watching = new AbortController()
    const signal = AbortSignal.any([watching.signal, this.#stop.signal])
    try {
      return { problem: await Promise.race([this.#watch(signal), this.#watchPeer(signal)]), down: false }
    } finally {
      watching.abort()
    }
  }

  /** Follows the job's state until it is one that a job does not leave by itself within seconds. */
  async #watch(signal: AbortSignal): Promise<string> {
    for (let counted = 0; !signal.aborted;) {
      // The scheduler may not have seen the document yet.
      const { state, info } = (await this.#look()) ?? { state: 'initializing', info: null }
      if (signal.aborted) break
      const { changes_pending: pending, docs_written: written = 0, error } = info ?? {}
      if (state === 'crashing' || state === 'failed' || state === 'error' || state === 'completed')
        return `CouchDB's job is ${state}: ${error ?? 'it ended'}`
      this.#update({
        state,
        pending: pending ?? this.status.pending,
        written: this.status.written + Math.max(written - counted, 0),
        refused: Math.max(this.status.refused, info?.doc_write_failures ?? 0),
        ...(state === 'running' && error === undefined ? { lastError: undefined } : {}),
      })
      counted = written
      await this.#pause(LOOK_MS)
    }
    return 'stopped'
  }

  /** Looks at the peer again and again; it ends when the peer answers after a silence. */
  async #watchPeer(signal: AbortSignal): Promise<string> {
    const { heartbeatMs } = this.#options.settings
    for (let silence: string | undefined; !signal.aborted;) {
      await this.#pause(silence === undefined ? heartbeatMs : Math.min(heartbeatMs, LOOK_MS))
      if (signal.aborted) break
      const problem = (await this.#probe())?.problem
      if (problem === undefined && silence !== undefined)
        return `the peer was silent (${silence}) and answers again`
      if (problem !== undefined) this.#update({ lastError: problem })
      silence = problem
    }
    return 'stopped'
  }

  /** What is wrong with the peer, or undefined. */
  async #probe(): Promise<{ problem: string; down: boolean } | undefined> {
    const { peer, own, clockAheadMs } = this.#options
    const { verdict, text } = await lookAtPeer({
      url: peer.url,
      fetch: this.#remote.fetch,
      ownKey: own.key,
      expectedKey: peer.key,
      clockAheadMs,
      signal: this.#stop.signal,
    })
    return verdict === 'ok' ? undefined : { problem: text, down: verdict === 'down' }
  }

  #document(): object {
    const { peer, direction, own, settings } = this.#options
    const remote = endpoint(peer.url, peer.credentials, headersFor(direction, 'remote', peer.resync))
    const local = endpoint(own.url, own.login, headersFor(direction, 'local', peer.resync))
    const [source, target] = direction === 'pull' ? [remote, local] : [local, remote]
    return {
      source,
      target,
      continuous: true,
      worker_batch_size: settings.batchSize,
      // A batch's checkpoint is worth one small request; without it a crash repeats half a minute's work.
      checkpoint_interval: 5000,
      // CouchDB keeps connections beyond a job. One that died unnoticed costs this much when it is used again, so there
      // are few, and they are given up sooner than the node's own.
      connection_timeout: Math.min(settings.idleTimeoutMs, LONGEST_SILENCE_MS),
      http_connections: 4,
      worker_processes: 2,
      retries_per_request: 2,
      comment: 'made by Hyperactive from its peers file; it is made anew when it is changed or removed',
    }
  }

  /** What the scheduler says of the job, or undefined when it does not know it. */
  async #look(): Promise<({ state: CouchdbState } & Pick<SchedulerDoc, 'info'>) | undefined> {
    const path = `_scheduler/docs/${REPLICATOR}/${encodeURIComponent(this.#id)}`
    try {
      const { state, info } = await this.#options.couch.request<SchedulerDoc>({ path })
      const known = COUCHDB_STATES.find((word) => word === state)
      return { state: known ?? 'initializing', info }
    } catch (error) {
      if (isCouchError(error, 404)) return undefined
      throw error
    }
  }

  /** Removes the job, and waits until the scheduler has let go of it: its last state would be taken for the next one's. */
  async #remove(): Promise<void> {
    const jobs = this.#options.couch.serverDatabase(REPLICATOR)
    const there = await jobs.get(this.#id)
    if (!there) return
    await jobs.delete(this.#id, there._rev)
    const deadline = Date.now() + LET_GO_MS
    while (Date.now() < deadline && (await this.#look())) await pause(LET_GO_STEP_MS)
  }

  #pause(ms: number): Promise<void> {
    return pause(ms, undefined, { signal: this.#stop.signal }).catch(() => undefined)
  }

  #update(change: Partial<LinkStatus> | { nextRetry: undefined } | { lastError: undefined }): void {
    Object.assign(this.status, change)
    this.#options.onChange()
  }
}

/** Makes CouchDB's database of jobs, which a new CouchDB may lack. */
export async function ensureReplicator(couch: Couch): Promise<void> {
  await couch.request({ method: 'PUT', db: REPLICATOR }).catch((error: unknown) => {
    if (!isCouchError(error, 412)) throw error
  })
}

/** Removes jobs of this node that no link stands behind: of peers that are gone, or of the other runner's time. */
export async function removeOrphans(couch: Couch, key: string): Promise<void> {
  const jobs = couch.serverDatabase(REPLICATOR)
  const startkey = jobPrefix(key)
  const { rows } = await jobs.allDocs({ startkey, endkey: `${startkey}\ufff0` })
  for (const { key: id, value } of rows) if (value) await jobs.delete(id, value.rev)
}

/** What the ids of a node's jobs begin with. */
function jobPrefix(key: string): string {
  return `hyperactive-${key}-`
}

function endpoint(url: string, login: Login | undefined, headers: Record<string, string>): object {
  return { url: `${url}${LEDGER_PATH}/`, headers, ...(login ? { auth: { basic: login } } : {}) }
}
