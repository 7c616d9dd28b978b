import { randomBytes } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { Router } from '@koa/router'
import type { Config } from '../config/config.ts'
import { hashPassword, passwordMatches } from '../gateway/callers.ts'
import type { Callers } from '../gateway/callers.ts'
import type { Couch } from '../couch/client.ts'
import { RefusalLog } from '../gateway/refusals.ts'
import type { SigningKey } from '../ledger/keys.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { HyperactiveError, messageOf } from '../errors.ts'
import { logger } from '../log.ts'
import { ConfirmationLog, holdings } from './arrivals.ts'
import type { Holding } from './arrivals.ts'
import { Invitations } from './invitations.ts'
import { peeringRouter } from './join.ts'
import { Link } from './link.ts'
import type { LinkOptions, RunningLink } from './link.ts'
import { ensureReplicator, removeOrphans, ScheduledLink } from './scheduled-link.ts'
import { loadPeers } from './peers-file.ts'
import type { Login, Peer } from './peers-file.ts'
import { readPeersStatus, StatusBoard } from './status.ts'
import type { LinkStatus, PeersStatus } from './status.ts'
import { vouchFor } from './vouch.ts'
import { watchPeers } from './watch-peers.ts'

const log = logger('replication')

export interface ReplicationOptions {
  config: Readonly<Config>
  ledger: Ledger
  /** With the credentials of the settings, for jobs that CouchDB runs. */
  couch: Couch
  /** Whether it is a real CouchDB rather than the embedded store. */
  couchdb: boolean
  key: SigningKey
  /** Called when the peers, and with them the trust anchors, may have changed. */
  onPeers: (peers: readonly Peer[]) => Promise<void>
}

/** All that concerns peers: who may come, which links run, and how they are. */
export interface Replication extends AsyncDisposable {
  /** For the gateway: the peers of the file, and this node's own links. */
  readonly callers: Callers
  /** What the gateway did not let in. */
  readonly refusals: RefusalLog
  /** What the peers are known to hold, by their checkpoints at the gateway. */
  readonly confirmations: ConfirmationLog
  /** Serves the inviting side of `peer invite`. */
  readonly router: Router
  /** Starts the links; to be called when this node answers at `address`. */
  start(address: string): Promise<void>
  status(): LinkStatus[]
  /** Which of the peers in force hold all of these ledger documents. */
  holdings(ids: readonly string[]): Promise<Record<string, Holding>>
  /** What is wrong with the peers file, if anything; the last valid one is in force. */
  problem(): string | undefined
}

/**
 * Reads the peers file and stands ready; {@link Replication.start} starts the links. The file is watched from then on:
 * a change takes effect without touching links that it does not concern.
 *
 * @throws HyperactiveError `bad_peers_file` when the file is invalid at the start
 */
export async function createReplication(options: ReplicationOptions): Promise<Replication> {
  const peers = await loadPeers(options.config.peers)
  return new Supervisor(options, peers, await readPeersStatus(options.ledger.database))
}

interface Running {
  link: RunningLink
  peer: Peer
}

class Supervisor implements Replication {
  readonly router: Router
  readonly confirmations: ConfirmationLog
  readonly refusals = new RefusalLog(() => this.#board.changed())
  readonly #options: ReplicationOptions
  readonly #stop = new AbortController()
  readonly #links = new Map<string, Running>()
  readonly #ownLogins = new Map<string, { login: Login; peer: string }>()
  readonly #before: readonly LinkStatus[]
  readonly #board: StatusBoard
  #peers: readonly Peer[]
  #address = ''
  #problem: string | undefined
  #look: () => Promise<void> = () => Promise.resolve()

  constructor(options: ReplicationOptions, peers: Peer[], before: PeersStatus) {
    this.#options = options
    this.#peers = peers
    this.#before = before.links
    this.confirmations = new ConfirmationLog(before.confirmed, () => this.#board.changed())
    this.#board = new StatusBoard(options.ledger.database, () => ({
      links: this.status(),
      refusals: this.refusals.summary(),
      confirmed: this.confirmations.summary(),
    }))
    const { config, key } = options
    const invitations = new Invitations(config.data)
    this.router = peeringRouter({ peersPath: config.peers, key, invitations, applied: () => this.#look() })
  }

  readonly callers: Callers = {
    authenticate: (username, password) => {
      const own = this.#ownLogins.get(username)
      if (own) {
        return passwordMatches(password, hashPassword(own.login.password))
          ? { name: own.peer, own: true }
          : undefined
      }
      const peer = this.#peers.find(({ accepts, enabled }) => enabled && accepts?.username === username)
      if (!peer?.accepts) return undefined
      const { accepts } = peer
      const hash =
        'password' in accepts ? hashPassword(accepts.password) : accepts.passwordHash.slice('sha256:'.length)
      return passwordMatches(password, hash) ? { name: peer.name, own: false } : undefined
    },
  }

  async start(address: string): Promise<void> {
    this.#address = address
    await this.#removeOrphans()
    this.#look = await watchPeers(
      this.#options.config.peers,
      (peers) => this.#apply(peers),
      (problem) => {
        if (problem !== undefined && problem !== this.#problem)
          log.error('the peers file is not valid; the old one stays in force', { problem })
        this.#problem = problem
      },
      this.#stop.signal,
    )
    await this.#look()
  }

  status(): LinkStatus[] {
    return [...this.#links.values()].map(({ link }) => link.status)
  }

  holdings(ids: readonly string[]): Promise<Record<string, Holding>> {
    const peers = this.#peers.filter(({ enabled }) => enabled).map(({ name }) => name)
    return holdings(this.#options.ledger.database, ids, peers, this.confirmations.summary())
  }

  problem(): string | undefined {
    return this.#problem
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await Promise.all([...this.#links.values()].map(({ link }) => link[Symbol.asyncDispose]()))
    await this.#board[Symbol.asyncDispose]()
  }

  /** Nothing of an earlier run goes on beside the links of this one. */
  async #removeOrphans(): Promise<void> {
    const { config, couch, couchdb, key } = this.#options
    if (!couchdb) return
    try {
      if (config.replication.runner === 'couchdb') await ensureReplicator(couch)
      await removeOrphans(couch, key.publicKey)
    } catch (error) {
      if (config.replication.runner === 'node') return
      const text = `replication.runner: couchdb needs a user that may write to _replicator; give an administrator's credentials, or runner: node (${messageOf(error)})`
      throw new HyperactiveError('couch_not_prepared', text, { status: 403, cause: error })
    }
  }

  async #apply(peers: readonly Peer[]): Promise<void> {
    if (this.#stop.signal.aborted) return
    const { config, ledger } = this.#options
    this.#peers = peers
    const wanted = new Map<string, { peer: Peer & { url: string }; direction: 'pull' | 'push' }>()
    for (const peer of peers) {
      if (!peer.enabled || peer.url === undefined) continue
      const withUrl = { ...peer, url: peer.url }
      const directions = config.mirror ? (['pull'] as const) : (['pull', 'push'] as const)
      for (const direction of directions) {
        const both = peer.direction === 'both' || peer.direction === direction
        if (both) wanted.set(`${direction}.${peer.name}`, { peer: withUrl, direction })
      }
    }
    const ended: PromiseLike<void>[] = []
    for (const [id, { link, peer }] of this.#links) {
      if (isDeepStrictEqual(wanted.get(id)?.peer, peer)) continue
      this.#links.delete(id)
      this.#ownLogins.delete(id)
      ended.push(link[Symbol.asyncDispose]())
    }
    await Promise.all(ended)
    // A mirror lets nobody into the network; it trusts its peers' keys because its file names them.
    if (!config.mirror)
      await vouchFor(
        ledger,
        peers.flatMap(({ key }) => key ?? []),
      )
    await this.#options.onPeers(peers)
    // A node that was told to stop meanwhile starts nothing any more: nobody would end it.
    if (this.#stop.signal.aborted) return
    for (const [id, { peer, direction }] of wanted) {
      if (!this.#links.has(id)) this.#links.set(id, { peer, link: this.#startLink(id, peer, direction) })
    }
    this.#board.changed()
  }

  #startLink(id: string, peer: Peer & { url: string }, direction: 'pull' | 'push'): RunningLink {
    const { config, couch, key } = this.#options
    const scheduled = config.replication.runner === 'couchdb'
    const login = { username: id, password: randomBytes(32).toString('base64url') }
    this.#ownLogins.set(id, { login, peer: peer.name })
    const options: LinkOptions = {
      peer,
      direction,
      own: { url: (scheduled && config.couchdb.gatewayUrl) || this.#address, login, key: key.publicKey },
      settings: config.replication,
      clockAheadMs: config.limits.clockAheadMs,
      before:
        this.#before.find((status) => status.peer === peer.name && status.direction === direction) ?? {},
      onChange: () => this.#board.changed(),
    }
    return scheduled ? new ScheduledLink({ ...options, couch }) : new Link(options)
  }
}
