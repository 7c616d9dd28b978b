import { createHash } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { messageOf } from '../errors.ts'
import { PEOPLE_PATH } from '../gateway/gateway.ts'
import { logger } from '../log.ts'
import { peerFetch } from '../replication/peer-fetch.ts'
import type { Peer } from '../replication/peers-file.ts'
import { accountProblem } from './account.ts'
import type { AccountDocument } from './account.ts'
import type { People } from './people.ts'

const log = logger('people')

const MOST_ACCOUNTS = 10_000

export interface SharingOptions {
  people: People
  /** How long to wait between two looks at a peer's accounts. */
  everyMs: number
  idleTimeoutMs: number
  /** Whether a hybrid time is so far ahead that no honest clock gives it. */
  isAhead: (at: string) => boolean
}

/**
 * Shares the accounts of this node with the peers whose block says `people: true`, and takes in theirs, where they say
 * so too: the same people can then sign in on both, also when one is gone. Each node asks the other for all accounts,
 * which are few, and merges them entry by entry.
 */
export class Sharing implements AsyncDisposable {
  readonly #options: SharingOptions
  readonly #stop = new AbortController()
  readonly #running = new Map<string, { peer: Peer; stop: AbortController; done: Promise<void> }>()
  #peers: readonly Peer[] = []

  constructor(options: SharingOptions) {
    this.#options = options
  }

  /** The accounts for a peer, with a tag that changes when they do; undefined for one that they are not shared with. */
  async forPeer(name: string): Promise<{ accounts: AccountDocument[]; tag: string } | undefined> {
    if (!this.#peers.some((peer) => peer.name === name && peer.people && peer.enabled)) return undefined
    const accounts = await this.#options.people.states()
    const tag = createHash('sha256').update(JSON.stringify(accounts)).digest('base64url')
    return { accounts, tag }
  }

  /** Takes up the peers file. */
  async follow(peers: readonly Peer[]): Promise<void> {
    this.#peers = peers
    const wanted = new Map(
      peers
        .filter(({ people, enabled, url }) => people && enabled && url !== undefined)
        .map((peer) => [peer.name, peer]),
    )
    for (const [name, { peer, stop, done }] of this.#running) {
      if (JSON.stringify(wanted.get(name)) === JSON.stringify(peer)) continue
      stop.abort()
      await done
      this.#running.delete(name)
    }
    for (const [name, peer] of wanted) {
      if (this.#running.has(name) || this.#stop.signal.aborted) continue
      const stop = new AbortController()
      this.#running.set(name, { peer, stop, done: this.#run(peer, stop.signal) })
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    for (const { stop } of this.#running.values()) stop.abort()
    await Promise.all([...this.#running.values()].map(({ done }) => done))
  }

  async #run(peer: Peer, signal: AbortSignal): Promise<void> {
    const { everyMs, idleTimeoutMs } = this.#options
    await using connection = peerFetch({ login: peer.credentials, idleTimeoutMs })
    let tag: string | undefined
    while (!signal.aborted) {
      try {
        const headers: [string, string][] = tag === undefined ? [] : [['if-none-match', tag]]
        const response = await connection.fetch(`${peer.url ?? ''}${PEOPLE_PATH}`, { headers, signal })
        if (response.status === 200) {
          await this.#take(peer.name, await response.json())
          tag = response.headers.get('etag') ?? undefined
        } else await response.body?.cancel()
      } catch (error) {
        if (!signal.aborted)
          log.debug('the accounts of a peer cannot be read', { peer: peer.name, reason: messageOf(error) })
      }
      await pause(everyMs, undefined, { signal }).catch(() => undefined)
    }
  }

  async #take(peer: string, answer: unknown): Promise<void> {
    const { accounts } = (answer ?? {}) as { accounts?: unknown }
    if (!Array.isArray(accounts) || accounts.length > MOST_ACCOUNTS) {
      log.warn('a peer gave something else than accounts', { peer })
      return
    }
    for (const account of accounts as unknown[]) {
      const problem = accountProblem(account)
      const isAhead = !problem && this.#isAhead(account as AccountDocument)
      if (problem !== undefined || isAhead)
        log.warn('an account of a peer was left out', { peer, problem: problem ?? 'clock' })
      else {
        const { _id, type, entries } = account as AccountDocument
        await this.#options.people.merge({ _id, type, entries })
      }
    }
  }

  #isAhead({ entries }: AccountDocument): boolean {
    return Object.values(entries).some(({ at }) => this.#options.isAhead(at))
  }
}
