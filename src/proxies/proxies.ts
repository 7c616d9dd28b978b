import { join } from 'node:path'
import type { LoadedConfig } from '../config/config.ts'
import type { Outside } from '../pages/store/outside.ts'
import type { Change } from '../pages/store/dependencies.ts'
import type { StoredPage } from '../pages/store/stored-page.ts'
import { changedKeys, EVERYTHING } from '../pages/store/surrogate-keys.ts'
import { readState, StateFile } from '../state-file.ts'
import { AddressFile } from './address-file.ts'
import { Addresses } from './addresses.ts'
import { Proxy } from './proxy.ts'
import type { ProxyState } from './proxy.ts'

const STATES = 'proxies.json'

/** Other processes that answer readers with copies of this node's pages. */
export interface Fronts {
  readonly size: number
  /** Resolves when all have taken in what they were told until now. */
  heard(): Promise<void>
  /** Has them let go of these pages. */
  drop(keys: readonly string[]): void
}

export interface ProxiesOptions {
  fronts?: Fronts
  /** Of so many things that pages were made of their addresses are remembered. */
  mostReads?: number | undefined
}

const NO_FRONTS: Fronts = { size: 0, heard: async () => undefined, drop: () => undefined }

/** How the proxies of the node of a data folder were when that last changed. */
export async function readProxyStates(data: string): Promise<ProxyState[]> {
  return (await readState<ProxyState[]>(join(data, STATES))) ?? []
}

/**
 * The servers in front of this node that keep its pages. Each is told at once what does not hold any more, what is
 * hidden first, as soon as all fronts know it; none waits for another, and nothing waits for any of them.
 */
export class Proxies implements Outside, AsyncDisposable {
  readonly #byKeys: Proxy[] = []
  readonly #byAddresses: Proxy[] = []
  readonly #addresses: Addresses
  readonly #addressFile: AddressFile
  readonly #fronts: Fronts
  /** Addresses that are to go when the fronts know. */
  readonly #unheard = new Set<readonly string[]>()
  readonly #states: StateFile
  /** Addresses that an earlier process gave out. */
  #former: string[] = []

  constructor({ config, secrets }: LoadedConfig, { fronts = NO_FRONTS, mostReads }: ProxiesOptions = {}) {
    this.#fronts = fronts
    this.#addresses = new Addresses(mostReads)
    this.#states = new StateFile(join(config.data, STATES), () => this.#all.map(({ state }) => state))
    const waiting = () => [...this.#unheard, ...this.#byAddresses.map((proxy) => [...proxy.waiting])].flat()
    const path = join(config.data, 'proxied-addresses')
    this.#addressFile = new AddressFile(path, () => [...this.#addresses.all(), ...waiting()])
    for (const [index, { url, method }] of config.proxies.entries()) {
      const secret = secrets.proxies?.[index]
      const everything = () => (method === 'BAN' ? [EVERYTHING] : [...this.#former, ...this.#addresses.all()])
      const proxy = new Proxy({
        url,
        method,
        secret,
        everything,
        onState: () => this.#states.write(),
        onGone: () => this.#addressFile.outdated(),
      })
      if (method === 'BAN') this.#byKeys.push(proxy)
      else this.#byAddresses.push(proxy)
    }
  }

  get #all(): Proxy[] {
    return [...this.#byKeys, ...this.#byAddresses]
  }

  get usesKeys(): boolean {
    return this.#all.length > 0
  }

  /** Begins to tell, when this node answers: what proxies hold from before then goes. */
  async start(): Promise<void> {
    if (this.#byAddresses.length > 0) this.#former = await this.#addressFile.read()
    for (const proxy of this.#all) proxy.start()
    this.#former = []
    await this.#addressFile.shorten()
    this.#states.write()
  }

  given(page: Pick<StoredPage, 'key' | 'reads'>): void {
    if (this.#byAddresses.length === 0) return
    const { isNew, forgotten } = this.#addresses.given(page)
    if (isNew) this.#addressFile.add(page.key)
    if (forgotten.length === 0) return
    // Whoever gives them out next tells this node of it.
    this.#fronts.drop(forgotten)
    this.#tell(this.#byAddresses, [], forgotten)
  }

  changed(change: Change, first: Change): void {
    if (this.#byKeys.length > 0) {
      const urgent = changedKeys(first)
      const known = new Set(urgent)
      const others = changedKeys(change).filter((key) => !known.has(key))
      this.#tell(this.#byKeys, urgent, others)
    }
    if (this.#byAddresses.length > 0)
      this.#tell(this.#byAddresses, this.#addresses.changed(first), this.#addresses.changed(change))
  }

  cleared(): void {
    this.#whenHeard(() => {
      for (const proxy of this.#all) proxy.tellEverything()
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#all.map((proxy) => proxy[Symbol.asyncDispose]()))
    await this.#addressFile.closed()
    await this.#states[Symbol.asyncDispose]()
  }

  #tell(proxies: readonly Proxy[], urgent: readonly string[], others: readonly string[]): void {
    if (urgent.length + others.length === 0) return
    const unheard = proxies === this.#byAddresses ? [...urgent, ...others] : []
    this.#unheard.add(unheard)
    this.#whenHeard(() => {
      this.#unheard.delete(unheard)
      for (const proxy of proxies) {
        proxy.tell(urgent, { first: true })
        proxy.tell(others)
      }
    })
  }

  /** Before all fronts know of a change, one could still give a proxy the page as it was. */
  #whenHeard(tell: () => void): void {
    if (this.#fronts.size === 0) tell()
    else void this.#fronts.heard().then(tell)
  }
}
