import type { RequestListener } from 'node:http'
import { setImmediate as turn, setTimeout as pause } from 'node:timers/promises'
import { logger } from '../log.ts'
import type { StoredPage } from '../pages/store/stored-page.ts'
import { ask } from '../produce/ask.ts'

const log = logger('pages')

/** What changes right after that is made together. */
const AFTER_MS = 20
/** How long it takes until having been asked for counts half. */
const HALF_LIFE_MS = 10 * 60_000
/** A page that was asked for so often lately is made again before somebody asks. */
const POPULAR = 2
const MOST_REMEMBERED = 5000
const MOST_WAITING = 500

interface Popularity {
  score: number
  atMs: number
}

/**
 * Makes pages again that have been dropped, before somebody asks for them: those that many ask for, and those of what
 * was published or changed just now. All others wait until they are asked for.
 */
export class Renewal {
  readonly #has: (key: string) => boolean
  readonly #popular = new Map<string, Popularity>()
  readonly #waiting = new Set<string>()
  #application: RequestListener | undefined
  #running: Promise<void> | undefined
  #stopped = false
  #endedMs = 0

  /** @param options.has whether a page is there already */
  constructor({ has }: { has: (key: string) => boolean }) {
    this.#has = has
  }

  /** @param application answers requests, and keeps the pages that it makes */
  start(application: RequestListener): void {
    this.#application = application
  }

  /** A reader has asked for a page that was not there. */
  missed(key: string): void {
    this.#add(key, 1)
  }

  /** To be called with pages that do not hold any more. */
  dropped(pages: readonly StoredPage[]): void {
    const scored = pages.map(({ key, asked }) => ({ key, score: this.#add(key, asked) }))
    const popular = scored.filter(({ score }) => score >= POPULAR).sort((a, b) => b.score - a.score)
    for (const { key } of popular) this.make(key)
  }

  /** Makes a page soon, unless it is there by then. */
  make(key: string): void {
    if (this.#stopped || !this.#application || this.#waiting.size >= MOST_WAITING) return
    this.#waiting.add(key)
    this.#running ??= this.#run(this.#application).finally(() => {
      this.#endedMs = performance.now()
      this.#running = undefined
    })
  }

  /** Resolves when everything that waits is made. */
  async done(): Promise<void> {
    while (this.#running) await this.#running
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#waiting.clear()
    await this.done()
  }

  async #run(application: RequestListener): Promise<void> {
    if (performance.now() - this.#endedMs < AFTER_MS) await pause(AFTER_MS)
    else await turn()
    for (const key of this.#waiting) {
      this.#waiting.delete(key)
      const [host = '', language = '', address = ''] = key.split(' ')
      if (this.#has(key)) continue
      const { status } = await ask(application, address, { host, 'accept-language': language })
      if (status >= 500) log.warn('a page could not be made again', { status })
      await turn()
    }
  }

  #add(key: string, count: number, nowMs = Date.now()): number {
    const { score, atMs } = this.#popular.get(key) ?? { score: 0, atMs: nowMs }
    const sum = score * 0.5 ** ((nowMs - atMs) / HALF_LIFE_MS) + count
    this.#popular.delete(key)
    this.#popular.set(key, { score: sum, atMs: nowMs })
    const [oldest] = this.#popular.keys()
    if (this.#popular.size > MOST_REMEMBERED && oldest !== undefined) this.#popular.delete(oldest)
    return sum
  }
}
