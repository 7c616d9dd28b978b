import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { KeptPages } from '../web/kept-pages.ts'
import { createInterface } from 'node:readline'
import { HEADER, KEPT, lineOf, packCopy, wantedBy } from './protocol.ts'

/** A front that has not taken in what it was told after this long is cut off: it then keeps nothing. */
const PATIENCE_MS = 1000
/** So much may wait to be sent to a front. */
const MOST_PENDING_BYTES = 16 * 1024 * 1024
const IDLE_MS = 1000

/** A front that follows, and how much of what it was told it has taken in. */
interface Follower {
  response: ServerResponse
  taken: number
  wakes: Set<() => void>
}

/**
 * The node's side of its fronts, which answer readers in other processes: it answers what they pass on, gives copies of
 * kept pages, and tells everything that drops pages.
 */
export class Back implements Disposable {
  readonly #kept: KeptPages
  readonly #secret: string
  readonly #followers = new Set<Follower>()
  readonly #unfollow: () => void
  readonly #idle: NodeJS.Timeout

  constructor({ kept, secret }: { kept: KeptPages; secret: string }) {
    this.#kept = kept
    this.#secret = secret
    this.#unfollow = kept.store.follow((told) => this.#tell(lineOf(told)))
    this.#idle = setInterval(() => {
      if (this.#followers.size > 0) this.#tell(lineOf({ number: kept.store.now, idle: true }))
    }, IDLE_MS).unref()
  }

  /** How many fronts follow. */
  get size(): number {
    return this.#followers.size
  }

  /** Answers fronts, and lets `next` answer everybody else. */
  serving(next: RequestListener): RequestListener {
    return (request, response) => {
      const header = request.headers[HEADER]
      if (header === undefined) {
        next(request, response)
        return
      }
      const wanted = wantedBy(header, this.#secret)
      delete request.headers[HEADER]
      if (wanted === 'copy') void this.#giveCopy(request, response)
      else if (wanted === 'changes') this.#lead(request, response)
      else {
        if (wanted === 'answer') this.#sayWhetherKept(request, response)
        next(request, response)
      }
    }
  }

  /** Whether a request is a front's own, whose body never ends. */
  isFollowing(request: IncomingMessage): boolean {
    return wantedBy(request.headers[HEADER], this.#secret) === 'changes'
  }

  /**
   * Resolves when every front has taken in what was told until now: whoever wrote something reads it then, whichever
   * process answers. A front that does not in a second is cut off.
   */
  async heard(): Promise<void> {
    const { now } = this.#kept.store
    await Promise.all([...this.#followers].map((follower) => this.#taken(follower, now)))
  }

  [Symbol.dispose](): void {
    this.#unfollow()
    clearInterval(this.#idle)
    for (const { response } of this.#followers) response.destroy()
  }

  #sayWhetherKept(request: IncomingMessage, response: ServerResponse): void {
    const { writeHead } = response
    const { store } = this.#kept
    // Routes change the address to what is behind a language.
    const key = this.#kept.keyOf(request)
    if (key === undefined) return
    response.writeHead = ((...given: Parameters<typeof writeHead>) => {
      if (store.get(key)) response.setHeader(HEADER, KEPT)
      return writeHead.apply(response, given)
    }) as typeof writeHead
  }

  async #giveCopy(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = this.#kept.pageFor(request)
    if (asked) await this.#kept.whole(asked)
    const page = this.#kept.pageFor(request)
    if (!page) {
      response.writeHead(404).end()
      return
    }
    const packed = packCopy({ page, number: this.#kept.store.now })
    response.writeHead(200, { 'Content-Length': packed.length }).end(packed)
  }

  #lead(request: IncomingMessage, response: ServerResponse): void {
    const { now } = this.#kept.store
    const follower: Follower = { response, taken: now, wakes: new Set() }
    response.writeHead(200, { 'Content-Type': 'application/x-ndjson' })
    response.write(lineOf({ number: now, first: true }))
    this.#followers.add(follower)
    const lines = createInterface({ input: request })
    lines.on('line', (line) => {
      follower.taken = Math.max(follower.taken, Number(line))
      for (const wake of follower.wakes) wake()
    })
    lines.on('error', () => response.destroy())
    response.once('close', () => {
      this.#followers.delete(follower)
      for (const wake of follower.wakes) wake()
    })
  }

  #tell(line: string): void {
    for (const { response } of this.#followers) {
      response.write(line)
      if (response.writableLength > MOST_PENDING_BYTES) response.destroy()
    }
  }

  #taken(follower: Follower, number: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const wake = () => {
      if (follower.taken < number && this.#followers.has(follower)) return
      clearTimeout(timer)
      follower.wakes.delete(wake)
      resolve()
    }
    const timer = setTimeout(() => follower.response.destroy(), PATIENCE_MS)
    follower.wakes.add(wake)
    wake()
    return promise
  }
}
