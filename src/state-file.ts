import { readFile, rename, writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { logger } from './log.ts'

const log = logger('node')

/** Says to commands in other processes how a part of the running node is. */
export class StateFile implements AsyncDisposable {
  readonly #path: string
  readonly #state: () => unknown
  readonly #timer: NodeJS.Timeout | undefined
  #isDue = false
  #writing: Promise<void> | undefined

  /** @param everyMs how often it is written without being asked for */
  constructor(path: string, state: () => unknown, everyMs?: number) {
    this.#path = path
    this.#state = state
    if (everyMs !== undefined) this.#timer = setInterval(() => this.write(), everyMs).unref()
  }

  /** Writes how it is now; what comes meanwhile is written behind it. */
  write(): void {
    this.#isDue = true
    this.#writing ??= this.#write()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    await this.#writing
  }

  async #write(): Promise<void> {
    try {
      while (this.#isDue) {
        this.#isDue = false
        await writeFile(`${this.#path}.new`, JSON.stringify(this.#state()), { mode: 0o600 })
        await rename(`${this.#path}.new`, this.#path)
      }
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      log.warn('a state cannot be written down', { file: basename(this.#path), code })
    } finally {
      this.#writing = undefined
    }
  }
}

/** What was written last, by the node that runs or one that did; undefined if there is nothing that can be read. */
export async function readState<State>(path: string): Promise<State | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as State
  } catch {
    return undefined
  }
}
