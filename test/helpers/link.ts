import { once } from 'node:events'
import { createServer, connect } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import type { ExecutionContext } from 'ava'
import { Random } from './random.ts'

/** What can be slow about a link; each direction by itself. */
export interface Slowness {
  /** How long a byte is on its way, one way. */
  delayMs?: number
  /** At random up to this much is added, chunk by chunk; the order of bytes stays. */
  jitterMs?: number
  bytesPerSecond?: number
  /**
   * The share of chunks that are lost on the way. TCP loses nothing that an application sees: such a chunk, and all
   * behind it, comes when it has been sent again.
   */
  loss?: number
}

/**
 * How a link is. `cut`: connections end and no new one comes about. `half-open`: connections are accepted and stay
 * open, and nothing comes through; `swallow-requests` and `swallow-answers` do that to one direction. `503`: something
 * in between answers every request with a 503.
 */
export type LinkState = 'open' | 'cut' | 'half-open' | 'swallow-requests' | 'swallow-answers' | '503'

/** A retransmission after a time-out takes about this long. */
const SENT_AGAIN_MS = [200, 400] as const
/** What may be on its way in one direction of a connection before the sender is held up. */
const WINDOW_BYTES = 1024 * 1024
const UNAVAILABLE = 'HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'

/** A TCP link to a server on loopback that a test controls. The target may be named later, and may change. */
export class TcpLink implements AsyncDisposable {
  /** The port of the server behind it; connections are refused while it is 0. */
  target: number
  /** Holds for what is sent from now on. */
  slowness: Slowness = {}
  #state: LinkState = 'open'
  readonly #random: Random
  readonly #server: Server
  /** Bytes that were sent to the server behind it, and that came from there, whether or not they arrived. */
  readonly carried = { asked: 0, answered: 0 }
  readonly #sockets = new Set<Socket>()

  private constructor(target: number, seed: number) {
    this.target = target
    this.#random = new Random(seed)
    this.#server = createServer({ allowHalfOpen: true }, (near) => this.#accept(near))
  }

  static async open(target = 0, seed = 1): Promise<TcpLink> {
    const link = new TcpLink(target, seed)
    link.#server.listen(0, '127.0.0.1')
    await once(link.#server, 'listening')
    return link
  }

  get address(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  get state(): LinkState {
    return this.#state
  }

  /** `cut` ends the connections that are open; all others leave them as they are. */
  set state(state: LinkState) {
    this.#state = state
    if (state === 'cut') for (const socket of this.#sockets) socket.destroy()
  }

  cut(): void {
    this.state = 'cut'
  }

  /** Bytes go in and none come out. */
  blackHole(): void {
    this.state = 'half-open'
  }

  /** Ends the connections that are open with a RST; new ones may come about. */
  reset(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  /**
   * Opens the link again. A connection that bytes were swallowed on stays silent for ever, as one does whose other end
   * has forgotten it: to notice that is up to its user.
   */
  heal(): void {
    this.slowness = {}
    this.state = 'open'
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await once(this.#server, 'close')
  }

  #accept(near: Socket): void {
    if (this.#state === 'cut' || this.target === 0) {
      near.destroy()
      return
    }
    if (this.#state === '503') {
      this.#keep(near)
      near.once('data', () => near.end(UNAVAILABLE))
      return
    }
    const far = connect({ port: this.target, host: '127.0.0.1', allowHalfOpen: true })
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#keep(socket)
      socket.setNoDelay(true)
      socket.on('close', (failed) => {
        // After an orderly end there may be bytes on the way, and the end behind them.
        if (failed || !socket.readableEnded) other.destroy()
      })
    }
    this.#carry(near, far, 'swallow-requests')
    this.#carry(far, near, 'swallow-answers')
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#sockets.delete(socket))
  }

  /** Carries one direction of one connection. */
  #carry(from: Socket, to: Socket, swallowing: LinkState): void {
    const onTheWay: { chunk: Buffer | undefined; atMs: number }[] = []
    let bytes = 0
    let lastMs = 0
    let dead = false
    let timer: NodeJS.Timeout | undefined
    const deliver = () => {
      timer = undefined
      for (let [next] = onTheWay; next; [next] = onTheWay) {
        const leftMs = next.atMs - performance.now()
        if (leftMs > 0) {
          timer = setTimeout(deliver, leftMs)
          return
        }
        onTheWay.shift()
        if (next.chunk) {
          bytes -= next.chunk.length
          to.write(next.chunk)
        } else {
          to.end()
        }
      }
      if (bytes < WINDOW_BYTES) from.resume()
    }
    const send = (chunk: Buffer | undefined) => {
      this.carried[swallowing === 'swallow-requests' ? 'asked' : 'answered'] += chunk?.length ?? 0
      dead ||= this.#state === 'half-open' || this.#state === swallowing
      if (dead) return
      lastMs = Math.max(lastMs, performance.now() + this.#delayMs()) + this.#durationMs(chunk?.length ?? 0)
      onTheWay.push({ chunk, atMs: lastMs })
      bytes += chunk?.length ?? 0
      if (bytes >= WINDOW_BYTES) from.pause()
      if (!timer) deliver()
    }
    from.on('data', send)
    from.on('end', () => send(undefined))
    to.on('close', () => clearTimeout(timer))
  }

  #delayMs(): number {
    const { delayMs = 0, jitterMs = 0, loss = 0 } = this.slowness
    const lost = loss > 0 && this.#random.chance(loss) ? this.#random.int(...SENT_AGAIN_MS) : 0
    return delayMs + (jitterMs > 0 ? this.#random.next() * jitterMs : 0) + lost
  }

  #durationMs(bytes: number): number {
    const { bytesPerSecond } = this.slowness
    return bytesPerSecond === undefined ? 0 : (bytes / bytesPerSecond) * 1000
  }
}

/** A link that ends with the test. */
export async function openLink(t: ExecutionContext, target: string): Promise<TcpLink> {
  const link = await TcpLink.open(Number(new URL(target).port))
  t.teardown(() => link[Symbol.asyncDispose]())
  return link
}
