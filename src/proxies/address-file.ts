import { appendFile, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { logger } from '../log.ts'

const log = logger('proxies')
/** Lines behind which it is worth leaving out what does not count any more, even when nothing has been purged. */
const LONGEST = 50_000
/** How long an address stays in the file that was purged. */
const OUTDATED_MS = 60_000

/**
 * Addresses of pages that proxies may keep, over a restart: proxies that are told addresses cannot be told "everything".
 * It holds no more than which public pages were asked for in which language, and of those that were purged nothing: an
 * address may have a name in it.
 */
export class AddressFile {
  readonly #path: string
  readonly #counted: () => Iterable<string>
  readonly #outdatedMs: number
  #isClosed = false
  #lines = 0
  #waiting: string[] = []
  #isToShorten = false
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> | undefined

  /** @param counted all addresses that still count */
  constructor(path: string, counted: () => Iterable<string>, outdatedMs = OUTDATED_MS) {
    this.#path = path
    this.#counted = counted
    this.#outdatedMs = outdatedMs
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

  /** Some addresses do not count any more: they leave the file within a short time, together with others. */
  outdated(): void {
    if (this.#isClosed) return
    this.#timer ??= setTimeout(() => void this.shorten(), this.#outdatedMs).unref()
  }

  /** Leaves in the file what counts; takes it away when nothing does. */
  async shorten(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#isToShorten = true
    this.#writing ??= this.#write()
    await this.#writing
  }

  /** Resolves when everything is written. */
  async closed(): Promise<void> {
    this.#isClosed = true
    if (this.#timer) await this.shorten()
    await this.#writing
  }

  async #write(): Promise<void> {
    try {
      while (this.#waiting.length > 0 || this.#isToShorten) {
        const lines = this.#waiting
        this.#waiting = []
        this.#lines += lines.length
        if (this.#isToShorten || this.#lines > LONGEST) await this.#rewrite()
        else await appendFile(this.#path, `${lines.join('\n')}\n`, { mode: 0o600 })
      }
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      log.warn('addresses that proxies keep cannot be written down; a restart forgets them', { code })
      this.outdated()
    } finally {
      this.#writing = undefined
    }
  }

  async #rewrite(): Promise<void> {
    this.#isToShorten = false
    const lines = [...new Set(this.#counted())]
    this.#lines = 0
    if (lines.length === 0) {
      await rm(this.#path, { force: true })
      return
    }
    await writeFile(`${this.#path}.new`, lines.map((line) => `${line}\n`).join(''), { mode: 0o600 })
    await rename(`${this.#path}.new`, this.#path)
  }
}
