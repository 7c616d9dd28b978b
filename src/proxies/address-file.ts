import { appendFile, readFile, rename, writeFile } from 'node:fs/promises'
import { logger } from '../log.ts'

const log = logger('proxies')
/** Lines behind which it is worth leaving out what does not count any more. */
const LONGEST = 50_000

/**
 * Addresses of pages that proxies may keep, over a restart: proxies that are told addresses cannot be told "everything".
 * It holds no more than which public pages were asked for in which language.
 */
export class AddressFile {
  readonly #path: string
  readonly #counted: () => Iterable<string>
  #lines = 0
  #waiting: string[] = []
  #writing: Promise<void> | undefined

  /** @param counted all addresses that still count */
  constructor(path: string, counted: () => Iterable<string>) {
    this.#path = path
    this.#counted = counted
  }

  /** What an earlier process wrote; the last line may be cut off. */
  async read(): Promise<string[]> {
    const text = await readFile(this.#path, 'utf8').catch(() => '')
    const lines = text.split('\n').slice(0, -1)
    this.#lines = lines.length
    return [...new Set(lines)].filter((line) => line.includes(' /'))
  }

  add(address: string): void {
    this.#waiting.push(address)
    this.#writing ??= this.#write()
  }

  /** Resolves when everything is written. */
  async closed(): Promise<void> {
    await this.#writing
  }

  async #write(): Promise<void> {
    try {
      while (this.#waiting.length > 0) {
        const lines = this.#waiting
        this.#waiting = []
        this.#lines += lines.length
        if (this.#lines > LONGEST) await this.#shorten()
        else await appendFile(this.#path, `${lines.join('\n')}\n`, { mode: 0o600 })
      }
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      log.warn('addresses that proxies keep cannot be written down; a restart forgets them', { code })
    } finally {
      this.#writing = undefined
    }
  }

  async #shorten(): Promise<void> {
    const lines = [...new Set(this.#counted())]
    await writeFile(`${this.#path}.new`, lines.map((line) => `${line}\n`).join(''), { mode: 0o600 })
    await rename(`${this.#path}.new`, this.#path)
    this.#lines = 0
  }
}
