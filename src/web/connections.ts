import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http'
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

interface Open {
  /** What is answered there, or was last. */
  response?: ServerResponse
  /** Whether a request has come since it was last looked at for the longest one. */
  hasAsked: boolean
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
  /** Those that have not asked for longest first, about: the order is looked at when there are too many. */
  readonly #open = new Map<Socket, Open>()
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
      const open = this.#open.get(request.socket)
      if (open) {
        open.response = response
        open.hasAsked = true
      }
      if (hasBody(request) && !this.#isExempt(request)) this.#boundBody(request)
      next(request, response)
    }
  }

  /** Lets go of those that do not take what they asked for. */
  look(nowMs = Date.now()): void {
    for (const [socket, open] of this.#open) {
      const pending = isWaiting(open) ? 0 : socket.writableLength
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
    if (this.#open.size >= this.#most) {
      const longest = this.#longestWaiting() ?? first(this.#uploading) ?? first(this.#stuck.keys())
      longest?.destroy()
      if (!longest) {
        socket.destroy()
        return
      }
      this.#forget(longest)
    }
    this.#open.set(socket, { hasAsked: false })
    socket.once('close', () => this.#forget(socket))
  }

  /** Whoever has asked since the last look has another turn, so that each is looked at about once for each that goes. */
  #longestWaiting(): Socket | undefined {
    let firstThatAsked: Socket | undefined
    let left = this.#open.size
    for (const [socket, open] of this.#open) {
      // What is put at the end is not looked at again.
      if (left === 0) break
      left -= 1
      if (isWaiting(open)) {
        if (!open.hasAsked) return socket
        firstThatAsked ??= socket
        open.hasAsked = false
      }
      this.#open.delete(socket)
      this.#open.set(socket, open)
    }
    return firstThatAsked
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
    this.#open.delete(socket)
    this.#uploading.delete(socket)
    this.#stuck.delete(socket)
  }
}

/** Whether nothing is being answered on a connection. */
function isWaiting({ response }: Open): boolean {
  return response === undefined || response.writableFinished
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
