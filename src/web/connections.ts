import type { IncomingMessage, RequestListener, Server } from 'node:http'
import type { Socket } from 'node:net'
import { GATEWAY_PATH } from '../gateway/path.ts'

/** How long a body may take to come, as a whole. */
const BODY_MS = 2 * 60_000
/** A peer may send 64 MB at once over a slow link. */
const PEERS_BODY_MS = 15 * 60_000
const LOOK_MS = 5000
/** Who takes fewer bytes than these in such a time is too slow, and is let go. */
const SLOW_MS = 60_000
const FEWEST_BYTES = 10_000

export interface ConnectionsOptions {
  most: number
  isExempt?: (request: IncomingMessage) => boolean
  bodyMs?: number
  slowMs?: number
}

/** Whether a request brings files, which take their time: a film over a telephone takes hours. */
function bringsFiles({ method, url = '', headers }: IncomingMessage): boolean {
  if (headers['content-type']?.startsWith('multipart/form-data')) return true
  return (
    (method === 'POST' || method === 'PATCH') && /^(?:\/[a-z]{2})?\/(?:uploads|api\/v1\/files)\b/.test(url)
  )
}

interface Stuck {
  sinceMs: number
  sentBytes: number
}

/**
 * Bounds what one server's connections may take: their number, how long a request's body may take to come, or how slowly
 * where it brings files, and how slowly an answer may be read. When there are as many as there may be, the one goes that has waited longest without a whole
 * request, so that those who open thousands of slow ones shut out nobody but each other.
 */
export class Connections {
  readonly #most: number
  readonly #isExempt: (request: IncomingMessage) => boolean
  readonly #bodyMs: number
  readonly #slowMs: number
  /** Those that no request of is being answered, the longest of them first. */
  readonly #waiting = new Set<Socket>()
  readonly #busy = new Set<Socket>()
  readonly #uploading = new Set<Socket>()
  readonly #stuck = new Map<Socket, Stuck>()

  /**
   * @param options.most how many there may be at once
   * @param options.isExempt whether a request's body comes as long as it likes
   * @param options.bodyMs how long a body may take, but for one from a peer or with files
   * @param options.slowMs in such a time 10,000 bytes of a body with files have to come
   */
  constructor({ most, isExempt = () => false, bodyMs = BODY_MS, slowMs = SLOW_MS }: ConnectionsOptions) {
    this.#slowMs = slowMs
    this.#most = most
    this.#bodyMs = bodyMs
    this.#isExempt = isExempt
  }

  /** Watches a server's connections until it closes. */
  watch(server: Server): void {
    server.on('connection', (socket) => this.#opened(socket))
    const timer = setInterval(() => this.look(), LOOK_MS).unref()
    server.once('close', () => clearInterval(timer))
  }

  /** What answers requests, with what is needed to bound them in front of it. */
  bounding(next: RequestListener): RequestListener {
    return (request, response) => {
      const { socket } = request
      this.#waiting.delete(socket)
      this.#busy.add(socket)
      response.once('close', () => {
        this.#busy.delete(socket)
        if (!socket.destroyed) this.#waiting.add(socket)
      })
      if (hasBody(request) && !this.#isExempt(request)) this.#boundBody(request)
      next(request, response)
    }
  }

  /** Lets go of those that do not take what they asked for. */
  look(nowMs = Date.now()): void {
    for (const socket of this.#busy) {
      const pending = socket.writableLength
      const sentBytes = socket.bytesWritten - pending
      const stuck = this.#stuck.get(socket)
      if (pending === 0) this.#stuck.delete(socket)
      else if (!stuck) this.#stuck.set(socket, { sinceMs: nowMs, sentBytes })
      else if (nowMs - stuck.sinceMs >= SLOW_MS) {
        if (sentBytes - stuck.sentBytes < FEWEST_BYTES) socket.destroy()
        else this.#stuck.set(socket, { sinceMs: nowMs, sentBytes })
      }
    }
  }

  #opened(socket: Socket): void {
    if (this.#waiting.size + this.#busy.size >= this.#most) {
      const longest = first(this.#waiting) ?? first(this.#uploading) ?? first(this.#stuck.keys())
      longest?.destroy()
      if (!longest) {
        socket.destroy()
        return
      }
      this.#forget(longest)
    }
    this.#waiting.add(socket)
    socket.once('close', () => this.#forget(socket))
  }

  #boundBody(request: IncomingMessage): void {
    const { socket, url = '' } = request
    const boundMs = url.startsWith(`${GATEWAY_PATH}/`) ? PEERS_BODY_MS : this.#bodyMs
    const timer = bringsFiles(request)
      ? this.#watchPace(socket)
      : setTimeout(() => socket.destroy(), boundMs).unref()
    this.#uploading.add(socket)
    const came = () => {
      clearTimeout(timer)
      this.#uploading.delete(socket)
      socket.off('close', came)
    }
    // The rest of a body that was answered early still comes, and ends or not.
    request.once('end', came)
    socket.once('close', came)
  }

  /** Lets go of a sender of whom too little has come since the last look. */
  #watchPace(socket: Socket): NodeJS.Timeout {
    let before = socket.bytesRead
    const look = () => {
      if (socket.bytesRead - before < FEWEST_BYTES) socket.destroy()
      before = socket.bytesRead
    }
    return setInterval(look, this.#slowMs).unref()
  }

  #forget(socket: Socket): void {
    this.#waiting.delete(socket)
    this.#busy.delete(socket)
    this.#uploading.delete(socket)
    this.#stuck.delete(socket)
  }
}

function first(sockets: Iterable<Socket>): Socket | undefined {
  for (const socket of sockets) return socket
  return undefined
}

/** Whether a body follows a request's headers (RFC 9112, section 6.3). */
export function hasBody({ headers }: IncomingMessage): boolean {
  const length = headers['content-length']
  return headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0')
}
