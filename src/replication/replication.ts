import { randomBytes } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { Router } from '@koa/router'
import type { Config } from '../config/config.ts'
import { hashPassword, passwordMatches } from '../gateway/callers.ts'
import type { Callers } from '../gateway/callers.ts'
import { RefusalLog } from '../gateway/refusals.ts'
import type { SigningKey } from '../ledger/keys.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { logger } from '../log.ts'
import { Invitations } from './invitations.ts'
import { peeringRouter } from './join.ts'
import { Link } from './link.ts'
import { loadPeers } from './peers-file.ts'
import type { Login, Peer } from './peers-file.ts'
import { readPeersStatus, StatusBoard } from './status.ts'
import type { LinkStatus } from './status.ts'
import { vouchFor } from './vouch.ts'
import { watchPeers } from './watch-peers.ts'

const log = logger('replication')

export interface ReplicationOptions {
  config: Readonly<Config>
  ledger: Ledger
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
  /** Serves the inviting side of `peer invite`. */
  readonly router: Router
  /** Starts the links; to be called when this node answers at `address`. */
  start(address: string): Promise<void>
  status(): LinkStatus[]
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
  return new Supervisor(options, peers, (await readPeersStatus(options.ledger.database)).links)
}

interface RunningLink {
  link: Link
  peer: Peer
}

class Supervisor implements Replication {
  readonly router: Router
  readonly refusals = new RefusalLog(() => this.#board.changed())
  readonly #options: ReplicationOptions
  readonly #stop = new AbortController()
  readonly #links = new Map<string, RunningLink>()
  readonly #ownLogins = new Map<string, { login: Login; peer: string }>()
  readonly #before: readonly LinkStatus[]
  readonly #board: StatusBoard
  #peers: readonly Peer[]
  #address = ''
  #problem: string | undefined
  #look: () => Promise<void> = () => Promise.resolve()

  constructor(options: ReplicationOptions, peers: Peer[], before: LinkStatus[]) {
    this.#options = options
    this.#peers = peers
    this.#before = before
    this.#board = new StatusBoard(options.ledger.database, () => ({
      links: this.status(),
      refusals: this.refusals.summary(),
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

  problem(): string | undefined {
    return this.#problem
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await Promise.all([...this.#links.values()].map(({ link }) => link[Symbol.asyncDispose]()))
    await this.#board[Symbol.asyncDispose]()
  }

  async #apply(peers: readonly Peer[]): Promise<void> {
    if (this.#stop.signal.aborted) return
    this.#peers = peers
    const wanted = new Map<string, { peer: Peer & { url: string }; direction: 'pull' | 'push' }>()
    for (const peer of peers) {
      if (!peer.enabled || peer.url === undefined) continue
      const withUrl = { ...peer, url: peer.url }
      for (const direction of ['pull', 'push'] as const) {
        const both = peer.direction === 'both' || peer.direction === direction
        if (both) wanted.set(`${direction}.${peer.name}`, { peer: withUrl, direction })
      }
    }
    const ended: Promise<void>[] = []
    for (const [id, { link, peer }] of this.#links) {
      if (isDeepStrictEqual(wanted.get(id)?.peer, peer)) continue
      this.#links.delete(id)
      this.#ownLogins.delete(id)
      ended.push(link[Symbol.asyncDispose]())
    }
    await Promise.all(ended)
    await vouchFor(
      this.#options.ledger,
      peers.flatMap(({ key }) => key ?? []),
    )
    await this.#options.onPeers(peers)
    for (const [id, { peer, direction }] of wanted) {
      if (!this.#links.has(id)) this.#links.set(id, { peer, link: this.#startLink(id, peer, direction) })
    }
    this.#board.changed()
  }

  #startLink(id: string, peer: Peer & { url: string }, direction: 'pull' | 'push'): Link {
    const { config, key } = this.#options
    const login = { username: id, password: randomBytes(32).toString('base64url') }
    this.#ownLogins.set(id, { login, peer: peer.name })
    return new Link({
      peer,
      direction,
      own: { url: this.#address, login, key: key.publicKey },
      settings: config.replication,
      clockAheadMs: config.limits.clockAheadMs,
      before:
        this.#before.find((status) => status.peer === peer.name && status.direction === direction) ?? {},
      onChange: () => this.#board.changed(),
    })
  }
}
