import { setTimeout as pause } from 'node:timers/promises'
import PouchDB from 'pouchdb-node'
import type { PouchDatabase } from 'pouchdb-node'
import type { Config } from '../config/config.ts'
import { messageOf } from '../errors.ts'
import { logger } from '../log.ts'
import { lookAtPeer } from './look.ts'
import { targetDecides } from './checkpoints.ts'
import type { Checkpoint } from './checkpoints.ts'
import { gatewayPouch } from './gateway-pouch.ts'
import { pauseBefore } from './pause.ts'
import { peerFetch } from './peer-fetch.ts'
import type { PeerFetch } from './peer-fetch.ts'
import type { Login, Peer } from './peers-file.ts'
import { headersFor } from './status.ts'
import type { LinkStatus } from './status.ts'

const log = logger('replication')

/** The own gateway is on this machine: no silence is too long while it works. */
const OWN_IDLE_MS = 120_000
const CLOSE_MS = 2000
/** So many refused documents and none that was taken: the link ends, and tries again after a growing while. */
const MOST_REFUSED = 1000

export interface LinkOptions {
  peer: Peer & { url: string }
  direction: 'pull' | 'push'
  /** This node's own address and what its own job says to its gateway. */
  own: { url: string; login: Login; key: string }
  settings: Config['replication']
  clockAheadMs: number
  /** Counters from before a restart. */
  before: Partial<LinkStatus>
  onChange: () => void
}

/** A link that runs until it is disposed of. */
export interface RunningLink extends AsyncDisposable {
  readonly status: LinkStatus
}

/**
 * One live replication, between the gateway of a peer and the own one, by PouchDB. PouchDB's own retrying is off: it
 * ends for good on a 401, so this link does it all in one loop: look at the peer, replicate until something fails,
 * wait a growing and jittered while, again.
 */
export class Link implements RunningLink {
  readonly status: LinkStatus
  readonly #options: LinkOptions
  readonly #stop = new AbortController()
  readonly #remote: PeerFetch
  readonly #local: PeerFetch
  readonly #running: Promise<void>
  #batchSize: number

  constructor(options: LinkOptions) {
    const { peer, direction, before, settings, own } = options
    this.#options = options
    this.#batchSize = settings.batchSize
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
      headers: headersFor(direction, 'remote', peer.resync),
      onSuccess: () => this.#update({ lastSuccess: new Date().toISOString() }),
    })
    this.#local = peerFetch({
      login: own.login,
      idleTimeoutMs: OWN_IDLE_MS,
      headers: headersFor(direction, 'local', peer.resync),
    })
    this.#running = this.#run()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#running
    await Promise.all([this.#remote[Symbol.asyncDispose](), this.#local[Symbol.asyncDispose]()])
    this.#update({ state: 'stopped' })
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop
    for (let failures = 0; !signal.aborted;) {
      const { problem, down } = await this.#once(() => {
        failures = 0
      })
      if (signal.aborted) return
      failures += 1
      // To look whether somebody is there costs next to nothing; to be refused, or to fail half-way, does.
      const { longestPauseMs, lookPauseMs } = this.#options.settings
      const waitMs = pauseBefore(failures, down ? Math.min(lookPauseMs, longestPauseMs) : longestPauseMs)
      const nextRetry = new Date(Date.now() + waitMs).toISOString()
      if (failures === 1)
        log.warn('a link stopped; trying again', {
          peer: this.status.peer,
          direction: this.status.direction,
          reason: problem,
        })
      this.#update({ state: 'backing-off', lastError: problem, nextRetry })
      await pause(waitMs, undefined, { signal }).catch(() => undefined)
    }
  }

  /** One try: it ends with the problem that ended it. */
  async #once(onProgress: () => void): Promise<{ problem: string; down: boolean }> {
    const { peer, direction, own, clockAheadMs } = this.#options
    this.#update({ state: 'connecting', nextRetry: undefined })
    const probed = await lookAtPeer({
      url: peer.url,
      fetch: this.#remote.fetch,
      ownKey: own.key,
      expectedKey: peer.key,
      clockAheadMs,
      signal: this.#stop.signal,
    })
    if (probed.verdict !== 'ok') return { problem: probed.text, down: probed.verdict === 'down' }
    if (this.#stop.signal.aborted) return { problem: 'stopped', down: false }
    const remote = { url: peer.url, fetch: this.#remote.fetch }
    const local = { url: own.url, fetch: this.#local.fetch }
    const [from, to] = direction === 'pull' ? [remote, local] : [local, remote]
    // PouchDB reads the target's checkpoint before the source's.
    let atTarget: Checkpoint = {}
    const source = gatewayPouch(from.url, from.fetch, (checkpoint) => targetDecides(checkpoint, atTarget))
    const target = gatewayPouch(to.url, to.fetch, (checkpoint) => (atTarget = checkpoint))
    // They are not closed: they hold nothing but the agents, and PouchDB has requests of its own under way that would
    // be rejected with nobody to catch it.
    return { problem: await this.#replicate(source, target, onProgress), down: false }
  }

  async #replicate(source: PouchDatabase, target: PouchDatabase, onProgress: () => void): Promise<string> {
    const { settings } = this.#options
    const options = {
      live: true,
      retry: false,
      batch_size: this.#batchSize,
      batches_limit: 2,
      heartbeat: settings.heartbeatMs,
    }
    const job = PouchDB.replicate(source, target, options)
    const ended = Promise.withResolvers<string>()
    // PouchDB's replication is a promise too, which rejects besides emitting `error`.
    job.catch(() => undefined)
    let counted = 0
    /** In a row, since a document was taken. */
    let refused = 0
    job.on('active', () => this.#update({ state: 'active' }))
    job.on('paused', () => {
      if (refused === 0) onProgress()
      this.#update({ state: 'idle', pending: 0, lastError: undefined })
    })
    job.on('change', ({ docs_written: written, pending }: { docs_written: number; pending?: number }) => {
      if (written > counted) refused = 0
      if (refused === 0) onProgress()
      this.#update({
        state: 'active',
        written: this.status.written + written - counted,
        pending: pending ?? 0,
      })
      counted = written
    })
    job.on('denied', (error: { id?: string; reason?: string }) => {
      const lastRefusal = `${error.id ?? ''}: ${error.reason ?? 'refused'}`
      this.#update({ refused: this.status.refused + 1, lastRefusal })
      refused += 1
      if (refused === MOST_REFUSED) {
        ended.resolve(`${MOST_REFUSED} documents in a row were refused, the last: ${lastRefusal}`)
        job.cancel()
      }
    })
    job.on('error', (error: { status?: number }) => {
      if (error.status === 413) this.#batchSize = Math.max(Math.floor(this.#batchSize / 2), 1)
      ended.resolve(describe(error))
    })
    job.on('complete', () => ended.resolve('the replication ended'))
    const { signal } = this.#stop
    const cancel = () => job.cancel()
    signal.addEventListener('abort', cancel)
    if (signal.aborted) cancel()
    try {
      // A cancelled job completes, unless it is stuck in a request; that one is cut off when the agents go.
      const patience = aborted(signal).then(() => pause(CLOSE_MS, 'stopped', { ref: false }))
      return await Promise.race([ended.promise, patience])
    } finally {
      signal.removeEventListener('abort', cancel)
    }
  }

  #update(change: Partial<LinkStatus> | { nextRetry: undefined } | { lastError: undefined }): void {
    Object.assign(this.status, change)
    this.#options.onChange()
  }
}

/** Resolves when the signal is aborted; holds nothing once the caller has lost interest. */
function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

function describe(error: object): string {
  const { status, reason, name } = error as { status?: number; reason?: string; name?: string }
  const text = reason ?? messageOf(error)
  return status === undefined ? text : `${status} ${name ?? ''}: ${text}`
}
