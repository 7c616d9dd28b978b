import { createServer } from 'node:http'
import type { RequestListener } from 'node:http'
import { HyperactiveError, messageOf } from '../errors.ts'

const HEADERS_TIMEOUT_MS = 20_000
/** How long requests under way may take to end when the node stops. */
const CLOSE_MS = 2000

/** A listening HTTP server; disposing it ends open connections after a short grace. */
export interface Listening extends AsyncDisposable {
  /** Its address on this machine, e.g. http://127.0.0.1:8080 */
  readonly address: string
}

/**
 * Listens on a host and port.
 *
 * @throws HyperactiveError `port_taken` or `cannot_listen`
 */
export async function listen(
  handler: RequestListener,
  { host, port }: { host: string; port: number },
): Promise<Listening> {
  const server = createServer({ headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: 0 }, handler)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  }).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') {
      const text = `port ${port} on ${host} is taken; choose another with --port, or 0 for a free one`
      throw new HyperactiveError('port_taken', text, { status: 409, cause: error })
    }
    throw new HyperactiveError('cannot_listen', `cannot listen on ${host}:${port}: ${messageOf(error)}`, {
      cause: error,
    })
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
