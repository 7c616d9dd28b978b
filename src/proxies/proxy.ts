import { setTimeout as pause } from 'node:timers/promises'
import { Pool } from 'undici'
import { HyperactiveError } from '../errors.ts'
import { logger } from '../log.ts'
import { pauseBefore } from '../replication/pause.ts'
import { EVERYTHING } from '../pages/store/surrogate-keys.ts'
import { askingFor, TOLD_AT_ONCE } from './asking.ts'
import type { Asking, Method } from './asking.ts'

const log = logger('proxies')

const LONGEST_PAUSE_MS = 15_000
const TIMEOUT_MS = 5000
/** An answer that was under way when its page changed may be stored behind the purge, so that comes once more. */
const AGAIN_MS = 2000
/**
 * Beyond so many that wait for a proxy that is away, one that knows keys is to let go of everything. For one that knows
 * addresses the oldest are forgotten, what is hidden last; the time of those pages ends by itself.
 */
const MOST_WAITING = 100_000

/** How a proxy is: whether it is told at once, or since when and why it is not. */
export interface ProxyState {
  url: string
  method: Method
  state: 'told' | 'away'
  /** ISO 8601. */
  since: string
  reason?: string
}

export interface ProxyOptions {
  url: string
  method: Method
  secret: string | undefined
  /** Whatever it may keep, as keys or pages. */
  everything: () => Iterable<string>
  onState: () => void
  /** Told when something has been told for the last time. */
  onGone: () => void
  mostWaiting?: number
}

/** What waits to be told, with whether it is to be told once more afterwards. */
type Waiting = Map<string, boolean>

/** One proxy, and what it is still to be told. While it does not answer it is asked less and less often. */
export class Proxy implements AsyncDisposable {
  readonly #options: ProxyOptions
  readonly #pool: Pool
  readonly #stop = new AbortController()
  /** What is to be told once more, by the timers that do it. */
  readonly #later = new Map<NodeJS.Timeout, readonly string[]>()
  readonly #first: Waiting = new Map()
  readonly #rest: Waiting = new Map()
  /** What it is being told. */
  #sent: Waiting = new Map()
  #isStarted = false
  #working: Promise<void> | undefined
  #failures = 0
  #state: ProxyState

  constructor(options: ProxyOptions) {
    this.#options = options
    const { url, method } = options
    this.#state = { url, method, state: 'told', since: new Date().toISOString() }
    this.#pool = new Pool(url, {
      connections: TOLD_AT_ONCE.PURGE,
      connect: { timeout: TIMEOUT_MS },
      headersTimeout: TIMEOUT_MS,
      bodyTimeout: TIMEOUT_MS,
    })
  }

  get state(): ProxyState {
    return this.#state
  }

  /** Keys or pages that it is still to be told of, or once more. */
  get waiting(): Iterable<string> {
    const queued = [this.#sent, this.#first, this.#rest].flatMap((queue) => [...queue.keys()])
    return [...queued, ...[...this.#later.values()].flat()]
  }

  /** From now on it is told. What it keeps may be from before this process, so it is to let go of everything. */
  start(): void {
    this.#isStarted = true
    this.tellEverything()
  }

  /** Lets it know of keys or pages, as soon as it can be reached. */
  tell(what: Iterable<string>, { first = false, again = true } = {}): void {
    const queue = first ? this.#first : this.#rest
    for (const one of what) queue.set(one, again || queue.get(one) === true)
    this.#shrink()
    this.#work()
  }

  tellEverything(): void {
    // A key that all pages have stands for every other one.
    if (this.#options.method === 'BAN') for (const queue of [this.#first, this.#rest]) queue.clear()
    this.tell(this.#options.everything(), { again: false })
  }

  #shrink(): void {
    const { method, mostWaiting = MOST_WAITING } = this.#options
    const isTooMuch = () => this.#first.size + this.#rest.size > mostWaiting
    if (!isTooMuch()) return
    if (method === 'BAN') {
      for (const queue of [this.#first, this.#rest]) queue.clear()
      this.#first.set(EVERYTHING, true)
      return
    }
    for (const queue of [this.#rest, this.#first]) {
      for (const oldest of queue.keys()) {
        if (!isTooMuch()) break
        queue.delete(oldest)
      }
    }
    this.#options.onGone()
  }

  #work(): void {
    if (!this.#isStarted || this.#working || this.#stop.signal.aborted) return
    if (this.#first.size + this.#rest.size === 0) return
    this.#working = this.#tellAll().finally(() => {
      this.#working = undefined
      this.#work()
    })
  }

  async #tellAll(): Promise<void> {
    const { signal } = this.#stop
    while (this.#first.size + this.#rest.size > 0) {
      const batch = this.#batch()
      this.#sent = batch
      try {
        await this.#send([...batch.keys()])
        this.#sent = new Map()
        this.#succeeded(batch)
      } catch (error) {
        if (signal.aborted) return
        this.#sent = new Map()
        for (const [one, again] of batch) this.#first.set(one, again)
        this.#failed(error)
        await pause(pauseBefore(this.#failures, LONGEST_PAUSE_MS), undefined, { signal }).catch(
          () => undefined,
        )
      }
      if (signal.aborted) return
    }
  }

  #batch(): Waiting {
    const batch: Waiting = new Map()
    for (const queue of [this.#first, this.#rest]) {
      for (const [one, again] of queue) {
        if (batch.size >= TOLD_AT_ONCE[this.#options.method]) return batch
        batch.set(one, again)
        queue.delete(one)
      }
    }
    return batch
  }

  async #send(told: readonly string[]): Promise<void> {
    const { method, secret } = this.#options
    await Promise.all(askingFor(method, told, secret).map((asking) => this.#ask(asking)))
  }

  async #ask({ method, path, headers, taken }: Asking): Promise<void> {
    const { signal } = this.#stop
    const { statusCode, body } = await this.#pool.request({ method, path, headers, signal })
    await body.dump()
    if (!taken(statusCode)) throw failed(`it answered ${statusCode}`)
  }

  #succeeded(batch: Waiting): void {
    const again = [...batch].flatMap(([one, isAgain]) => (isAgain ? [one] : []))
    if (again.length > 0) {
      const timer = setTimeout(() => {
        this.#later.delete(timer)
        this.tell(again, { again: false })
      }, AGAIN_MS)
      this.#later.set(timer, again)
    }
    if (again.length < batch.size) this.#options.onGone()
    if (this.#failures === 0) return
    this.#failures = 0
    const { url, method } = this.#options
    log.info('a proxy answers again; it lets go of everything', { proxy: url })
    this.#turn({ url, method, state: 'told', since: new Date().toISOString() })
    // Whatever happened meanwhile, on either side: from here on it holds only what is true.
    this.tellEverything()
  }

  #failed(error: unknown): void {
    this.#failures += 1
    if (this.#failures > 1) return
    const { code } = error as { code?: string }
    const reason = error instanceof HyperactiveError ? error.message : `no answer (${code ?? 'unknown'})`
    const { url, method } = this.#options
    log.warn('a proxy cannot be told what has changed; it is tried again', { proxy: url, reason })
    this.#turn({ url, method, state: 'away', since: new Date().toISOString(), reason })
  }

  #turn(state: ProxyState): void {
    this.#state = state
    this.#options.onState()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    for (const timer of this.#later.keys()) clearTimeout(timer)
    await this.#pool.destroy()
    await this.#working
  }
}

function failed(what: string): HyperactiveError {
  return new HyperactiveError('proxy_refused', what, { status: 502 })
}
