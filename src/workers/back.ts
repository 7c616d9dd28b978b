import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { createInterface } from 'node:readline'
import type { KeptPages } from '../web/kept-pages.ts'
import { HEADER, KEPT, lineOf, packCopy, wantedBy } from './protocol.ts'
import type { SaidLine, ToldLine } from './protocol.ts'

/** A front that has not taken in what it was told after this long is cut off: it then keeps nothing. */
const PATIENCE_MS = 1000
/** So much may wait to be sent to a front. */
const MOST_PENDING_BYTES = 16 * 1024 * 1024
const IDLE_MS = 1000

/** A front that follows, and which line it was told last, and up to which it has taken in everything. */
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
  #now = () => 0
  /** How many lines were told. */
  #line = 0
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
    this.#now = () => kept.store.now
    this.#unfollow = kept.store.follow((told) => this.#tell(told))
    this.#idle = setInterval(() => this.#say({ number: kept.store.now, idle: true }), IDLE_MS).unref()
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

  /** Has the fronts let go of their copies of these pages, so that they ask for them again. */
  drop(keys: readonly string[]): void {
    this.#tell({ number: this.#now(), drop: keys })
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
    const follower: Follower = { response, told: this.#line, taken: this.#line, wakes: new Set() }
    response.writeHead(200, { 'Content-Type': 'application/x-ndjson' })
    response.write(lineOf({ number: now, first: true }))
    this.#followers.add(follower)
    const lines = createInterface({ input: request })
    const taken = (said: SaidLine) => {
      if (typeof said === 'number') {
        follower.taken = Math.max(follower.taken, said)
        for (const wake of follower.wakes) wake()
      } else for (const [key, times] of said) store.asked(key, times)
    }
    lines.on('line', (line) => {
      try {
        taken(JSON.parse(line) as SaidLine)
      } catch {
        response.destroy()
      }
    })
    lines.on('error', () => response.destroy())
    response.once('close', () => {
      this.#followers.delete(follower)
      for (const wake of follower.wakes) wake()
    })
  }

  /** Says what is to be taken in. */
  #tell(told: ToldLine): void {
    if (this.#followers.size === 0) return
    this.#line += 1
    for (const follower of this.#followers) follower.told = this.#line
    this.#say({ ...told, line: this.#line })
  }

  #say(told: ToldLine): void {
    if (this.#followers.size === 0) return
    const line = lineOf(told)
    for (const { response } of this.#followers) {
      response.write(line)
      if (response.writableLength > MOST_PENDING_BYTES) response.destroy()
    }
  }

  #taken(follower: Follower, line: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const wake = () => {
      if (follower.taken < line && this.#followers.has(follower)) return
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
