import { createHash } from 'node:crypto'
import type { RequestListener } from 'node:http'
import { hostname } from 'node:os'
import { ACCESS_DATABASE } from '../accounts/access.ts'
import type { Config } from '../config/config.ts'
import type { Store } from '../store.ts'
import { listen } from '../web/listen.ts'
import type { Listening } from '../web/listen.ts'
import { Front } from './front.ts'
import { Lease } from './lease.ts'
import { sayAway } from './pass-on.ts'

/** This process's turn to write. */
export interface Turn {
  lease: Lease
  /** What answered readers until now; to be ended when the node opens its own door. */
  reading: Listening | undefined
}

export interface TurnOptions {
  store: Pick<Store, 'couch'>
  config: Config
  secret: string
  /** Told once where this process answers, when another one writes. */
  waiting: (address: string) => void
  signal: AbortSignal
}

/**
 * Waits until this process is the one that writes on its CouchDB. While another one is, it answers readers with copies of
 * the pages that the other keeps, and passes everything else on to it.
 *
 * @returns undefined when the signal said that it is not to wait any longer
 */
export async function awaitTurn({
  store,
  config,
  secret,
  waiting,
  signal,
}: TurnOptions): Promise<Turn | undefined> {
  const database = await store.couch.ensureDatabase(ACCESS_DATABASE)
  const lease = new Lease({ database, holder: holderName(config.data) })
  if (await lease.take()) return { lease, reading: undefined }
  await using stack = new AsyncDisposableStack()
  const following = stack.use(new FollowingFront(config, secret))
  await following.follow(await lease.writer())
  const { host, port, web } = config
  const listening = stack.use(await listen(following.handler, { host, port, most: web.connections }))
  waiting(listening.address)
  const isTaken = await lease.awaited(signal, async () => following.follow(await lease.writer()))
  if (!isTaken) return undefined
  const reading = stack.move()
  const { address } = listening
  return { lease, reading: { address, [Symbol.asyncDispose]: () => reading.disposeAsync() } }
}

/** The same after a restart on the same data folder, which one process at a time can hold. */
function holderName(data: string): string {
  return createHash('sha256').update(`${hostname()} ${data}`).digest('base64url').slice(0, 22)
}

/** A front before whichever process writes. */
class FollowingFront implements AsyncDisposable {
  readonly #config: Config
  readonly #secret: string
  #front: Front | undefined
  #address: string | undefined

  constructor(config: Config, secret: string) {
    this.#config = config
    this.#secret = secret
  }

  get handler(): RequestListener {
    return (request, response) => {
      if (this.#front) this.#front.handler(request, response)
      else sayAway(response)
    }
  }

  async follow(address: string | undefined): Promise<void> {
    if (address === this.#address) return
    const former = this.#front
    this.#address = address
    this.#front = address === undefined ? undefined : this.#frontBefore(address)
    await former?.[Symbol.asyncDispose]()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.follow(undefined)
  }

  #frontBefore(address: string): Front {
    const { hostname: host, port } = new URL(address)
    const { site, pages, url } = this.#config
    return new Front({
      target: { host: host.replace(/^\[(.*)\]$/, '$1'), port: Number(port || '80') },
      secret: this.#secret,
      language: site.language,
      namesHost: url === undefined,
      mostBytes: pages.memoryBytes,
      lifetimes: pages.cache,
    })
  }
}
