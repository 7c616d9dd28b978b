import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { createInterface } from 'node:readline'
import type { KeptPages } from '../web/kept-pages.ts'
import { HEADER, KEPT, lineOf, packCopy, wantedBy } from './protocol.ts'
import type { SaidLine } from './protocol.ts'

/** A front that has not taken in what it was told after this long is cut off: it then keeps nothing. */
const PATIENCE_MS = 1000
/** So much may wait to be sent to a front. */
const MOST_PENDING_BYTES = 16 * 1024 * 1024
const IDLE_MS = 1000

/** A front that follows, and up to which number it was told everything, and has taken it in. */
interface Follower {
  response: ServerResponse
  told: number
  taken: number
  wakes: Set<() => void>
}

/**
 * The node's side of its fronts, which answer readers in other processes: it answers what they pass on, gives copies of
 * kept pages, and tells everything that drops pages.
 */
export class Back implements Disposable {
  readonly #secret: string
  readonly #followers = new Set<Follower>()
  #unfollow: () => void = () => undefined
  #idle: NodeJS.Timeout | undefined

  constructor(secret: string) {
    this.#secret = secret
  }

  /** How many fronts follow. */
  get size(): number {
    return this.#followers.size
  }

  /** Answers fronts, with what is kept in these pages, and lets `next` answer everybody else. */
  serving(kept: KeptPages, next: RequestListener): RequestListener {
    this.#unfollow = kept.store.follow((told) => this.#tell(lineOf(told), told.number))
    this.#idle = setInterval(() => {
      if (this.#followers.size > 0) this.#tell(lineOf({ number: kept.store.now, idle: true }), kept.store.now)
    }, IDLE_MS).unref()
    return (request, response) => {
      const header = request.headers[HEADER]
      if (header === undefined) {
        next(request, response)
        return
      }
      const wanted = wantedBy(header, this.#secret)
      delete request.headers[HEADER]
      if (wanted === 'copy') void giveCopy(kept, request, response)
      else if (wanted === 'changes') this.#lead(kept, request, response)
      else {
        if (wanted === 'answer') sayWhetherKept(kept, request, response)
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
    await Promise.all([...this.#followers].map((follower) => this.#taken(follower, follower.told)))
  }

  [Symbol.dispose](): void {
    this.#unfollow()
    clearInterval(this.#idle)
    for (const { response } of this.#followers) response.destroy()
  }

  #lead({ store }: KeptPages, request: IncomingMessage, response: ServerResponse): void {
    const { now } = store
    const follower: Follower = { response, told: now, taken: now, wakes: new Set() }
    response.writeHead(200, { 'Content-Type': 'application/x-ndjson' })
    response.write(lineOf({ number: now, first: true }))
    this.#followers.add(follower)
    const lines = createInterface({ input: request })
    lines.on('line', (line) => {
      const said = JSON.parse(line) as SaidLine
      if (typeof said === 'number') {
        follower.taken = Math.max(follower.taken, said)
        for (const wake of follower.wakes) wake()
      } else for (const [key, times] of said) store.asked(key, times)
    })
    lines.on('error', () => response.destroy())
    response.once('close', () => {
      this.#followers.delete(follower)
      for (const wake of follower.wakes) wake()
    })
  }

  #tell(line: string, number: number): void {
    for (const follower of this.#followers) {
      const { response } = follower
      follower.told = number
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

function sayWhetherKept(kept: KeptPages, request: IncomingMessage, response: ServerResponse): void {
  const writeHead = response.writeHead.bind(response)
  // Routes change the address to what is behind a language.
  const key = kept.keyOf(request)
  if (key === undefined) return
  response.writeHead = ((...given: Parameters<typeof writeHead>) => {
    if (kept.store.has(key)) response.setHeader(HEADER, KEPT)
    return writeHead(...given)
  }) as typeof writeHead
}

async function giveCopy(kept: KeptPages, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const asked = kept.pageFor(request)
  if (asked) await kept.whole(asked)
  const page = kept.pageFor(request)
  if (!page) {
    response.writeHead(404).end()
    return
  }
  kept.givenOut(page)
  const packed = packCopy({ page, number: kept.store.now })
  response.writeHead(200, { 'Content-Length': packed.length }).end(packed)
}
