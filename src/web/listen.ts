import { createServer } from 'node:http'
import type { RequestListener } from 'node:http'
import { HyperactiveError, messageOf } from '../errors.ts'
import { Connections } from './connections.ts'
import type { ConnectionsOptions } from './connections.ts'

const HEADERS_TIMEOUT_MS = 10_000
const LOOK_MS = 2000
/** A feed that waits for something to tell says so more often. */
const SILENCE_MS = 120_000
const KEPT_OPEN_MS = 5000
const MOST_HEADERS = 100
const HEADER_BYTES = 16 * 1024
export const MOST_CONNECTIONS = 4000
/** How long requests under way may take to end when the node stops. */
const CLOSE_MS = 2000

/** A listening HTTP server; disposing it ends open connections after a short grace. */
export interface Listening extends AsyncDisposable {
  /** Its address on this machine, e.g. http://127.0.0.1:8080 */
  readonly address: string
}

/** Where to listen, and what the connections there may take. */
export interface ListenOptions extends Omit<ConnectionsOptions, 'most'> {
  host: string
  port: number
  most?: number
}

/**
 * Listens on a host and port. What is slow is bounded: headers have 10 s to come, a connection between two requests stays
 * for 5 s, one on which nothing moves at all for two minutes; {@link Connections} does the rest.
 *
 * @throws HyperactiveError `port_taken` or `cannot_listen`
 */
export async function listen(
  handler: RequestListener,
  { host, port, most = MOST_CONNECTIONS, ...bounds }: ListenOptions,
): Promise<Listening> {
  const connections = new Connections({ most, ...bounds })
  const options = {
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: 0,
    connectionsCheckingInterval: LOOK_MS,
    keepAliveTimeout: KEPT_OPEN_MS,
    maxHeaderSize: HEADER_BYTES,
  }
  const server = createServer(options, connections.bounding(handler))
  server.maxHeadersCount = MOST_HEADERS
  server.timeout = SILENCE_MS
  connections.watch(server)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  }).catch((error: unknown) => {
    throw cannotListen(error, { host, port })
  })
  const bound = server.address()
  const boundPort = typeof bound === 'object' && bound !== null ? bound.port : port
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host.includes(':') ? `[${host}]` : host
  return {
    address: `http://${name}:${boundPort}`,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeIdleConnections()
      const timer = setTimeout(() => server.closeAllConnections(), CLOSE_MS)
      await closed
      clearTimeout(timer)
    },
  }
}

/** What is to be said of an error of a server that was to listen. */
export function cannotListen(
  error: unknown,
  { host, port }: { host: string; port: number },
): HyperactiveError {
  if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') {
    const text = `port ${port} on ${host} is taken; choose another with --port, or 0 for a free one`
    return new HyperactiveError('port_taken', text, { status: 409, cause: error })
  }
  return new HyperactiveError('cannot_listen', `cannot listen on ${host}:${port}: ${messageOf(error)}`, {
    cause: error,
  })
}
