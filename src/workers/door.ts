import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { RequestListener } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Config } from '../config/config.ts'
import type { FileFront } from '../web/file-front.ts'
import type { KeptPages } from '../web/kept-pages.ts'
import { listen } from '../web/listen.ts'
import type { Listening } from '../web/listen.ts'
import type { Back } from './back.ts'
import { startCrew } from './crew.ts'

/** Names of sockets may be no longer. */
const LONGEST_SOCKET = 100
const CLOSE_MS = 2000

/**
 * Opens the node to readers: on its port in its own process, or in as many workers in front of it as the settings say.
 *
 * @param handler what answers in the node's own process
 * @throws HyperactiveError `port_taken` or `cannot_listen`
 */
export async function openDoor(
  handler: RequestListener,
  {
    back,
    kept,
    files,
    config,
    secret,
  }: { back: Back; kept: KeptPages; files: FileFront; config: Config; secret: string },
): Promise<Listening> {
  const { host, port, web, pages, site, url, data } = config
  const answer = back.serving(kept, files.serving(kept.serving(handler)))
  if (web.workers === 0) {
    const isExempt = back.isFollowing.bind(back)
    return listen(answer, { host, port, most: web.connections, isExempt })
  }
  await using stack = new AsyncDisposableStack()
  const { socketPath } = stack.use(await listenLocally(answer, data))
  const crew = await startCrew({
    count: web.workers,
    host,
    port,
    connections: web.connections,
    front: {
      target: { socketPath },
      secret,
      language: site.language,
      namesHost: url === undefined,
      mostBytes: Math.ceil(pages.memoryBytes / web.workers),
      lifetimes: pages.cache,
    },
  })
  stack.use(crew)
  const opened = stack.move()
  return { address: crew.address, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}

/** Listens on a socket in the data folder that nobody but the owner can open. What comes there is bounded by the workers. */
async function listenLocally(
  handler: RequestListener,
  data: string,
): Promise<{ socketPath: string } & AsyncDisposable> {
  await using stack = new AsyncDisposableStack()
  let socketPath = join(data, 'workers.sock')
  if (Buffer.byteLength(socketPath) > LONGEST_SOCKET) {
    const folder = await mkdtemp(join(tmpdir(), 'hyperactive-'))
    stack.defer(() => rm(folder, { recursive: true, force: true }))
    socketPath = join(folder, 'workers.sock')
  }
  // That of a node that was killed.
  await rm(socketPath, { force: true })
  const server = createServer({ headersTimeout: 0, requestTimeout: 0, keepAliveTimeout: 0 }, handler)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(socketPath, resolve)
  })
  stack.defer(async () => {
    const closed = new Promise((resolve) => server.close(resolve))
    server.closeIdleConnections()
    const timer = setTimeout(() => server.closeAllConnections(), CLOSE_MS)
    await closed
    clearTimeout(timer)
  })
  await chmod(socketPath, 0o600)
  const opened = stack.move()
  return { socketPath, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}
