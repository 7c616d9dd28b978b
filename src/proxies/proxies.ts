import { join } from 'node:path'
import type { LoadedConfig } from '../config/config.ts'
import type { Outside } from '../pages/store/outside.ts'
import type { Change } from '../pages/store/dependencies.ts'
import type { StoredPage } from '../pages/store/stored-page.ts'
import { changedKeys, EVERYTHING } from '../pages/store/surrogate-keys.ts'
import { AddressFile } from './address-file.ts'
import { Addresses } from './addresses.ts'
import { Proxy } from './proxy.ts'
import { StateFile } from './state-file.ts'

/**
 * The servers in front of this node that keep its pages. Each is told at once what does not hold any more, what is
 * hidden first; none waits for another, and nothing waits for any of them.
 */
export class Proxies implements Outside, AsyncDisposable {
  readonly #byKeys: Proxy[] = []
  readonly #byAddresses: Proxy[] = []
  readonly #addresses = new Addresses()
  readonly #addressFile: AddressFile
  readonly #states: StateFile
  /** Addresses that an earlier process gave out. */
  #former: string[] = []

  constructor({ config, secrets }: LoadedConfig) {
    this.#states = new StateFile(config.data, () => this.#all.map(({ state }) => state))
    const waiting = () => this.#byAddresses.flatMap((proxy) => [...proxy.waiting])
    const path = join(config.data, 'proxied-addresses')
    this.#addressFile = new AddressFile(path, () => [...this.#addresses.all(), ...waiting()])
    for (const [index, { url, method }] of config.proxies.entries()) {
      const secret = secrets.proxies?.[index]
      const everything = () => (method === 'BAN' ? [EVERYTHING] : [...this.#former, ...this.#addresses.all()])
      const proxy = new Proxy({ url, method, secret, everything, onState: () => this.#states.write() })
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
    this.#states.write()
  }

  given(page: StoredPage): void {
    if (this.#byAddresses.length === 0) return
    const { isNew, forgotten } = this.#addresses.given(page)
    if (isNew) this.#addressFile.add(page.key)
    for (const proxy of this.#byAddresses) if (forgotten.length > 0) proxy.tell(forgotten)
  }

  changed(change: Change, first: Change): void {
    if (this.#all.length === 0) return
    const urgent = changedKeys(first)
    const known = new Set(urgent)
    const others = changedKeys(change).filter((key) => !known.has(key))
    this.#tell(urgent, true)
    this.#tell(others, false)
  }

  cleared(): void {
    for (const proxy of this.#all) proxy.tellEverything()
  }

  #tell(keys: readonly string[], first: boolean): void {
    if (keys.length === 0) return
    for (const proxy of this.#byKeys) proxy.tell(keys, { first })
    if (this.#byAddresses.length === 0) return
    const addresses = this.#addresses.take(keys)
    for (const proxy of this.#byAddresses) proxy.tell(addresses, { first })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#all.map((proxy) => proxy[Symbol.asyncDispose]()))
    await this.#addressFile.closed()
    await this.#states.closed()
  }
}
