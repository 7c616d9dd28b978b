import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { logger } from '../log.ts'
import type { ProxyState } from './proxy.ts'

const log = logger('proxies')
const NAME = 'proxies.json'

/** Says to commands in other processes how the proxies of the running node are. */
export class StateFile {
  readonly #path: string
  readonly #states: () => readonly ProxyState[]
  #isDue = false
  #writing: Promise<void> | undefined

  constructor(data: string, states: () => readonly ProxyState[]) {
    this.#path = join(data, NAME)
    this.#states = states
  }

  /** Writes how they are now; what comes meanwhile is written behind it. */
  write(): void {
    this.#isDue = true
    this.#writing ??= this.#write()
  }

  async closed(): Promise<void> {
    await this.#writing
  }

  async #write(): Promise<void> {
    try {
      while (this.#isDue) {
        this.#isDue = false
        await writeFile(`${this.#path}.new`, JSON.stringify(this.#states()), { mode: 0o600 })
        await rename(`${this.#path}.new`, this.#path)
      }
    } catch (error) {
      log.warn('how the proxies are cannot be written down', { code: (error as NodeJS.ErrnoException).code })
    } finally {
      this.#writing = undefined
    }
  }
}

/** How the proxies of the node of a data folder were when that last changed. */
export async function readProxyStates(data: string): Promise<ProxyState[]> {
  try {
    return JSON.parse(await readFile(join(data, NAME), 'utf8')) as ProxyState[]
  } catch {
    return []
  }
}
