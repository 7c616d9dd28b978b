import { createServer } from 'node:http'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { LookupFunction } from 'node:net'
import { once } from 'node:events'
import type { ExecutionContext } from 'ava'

/** A real web server on loopback that remembers what it was asked. */
export interface FeedServer {
  /** Its origin, without a slash at the end. */
  origin: string
  port: number
  requests: IncomingMessage[]
  /** Replaces how it answers. */
  answer: (request: IncomingMessage, response: ServerResponse) => void
}

/** Starts one that ends with the test. */
export async function startFeedServer(
  t: ExecutionContext,
  answer: RequestListener = (_, response) => response.end(rss([{ title: 'First' }])),
  host = '127.0.0.1',
): Promise<FeedServer> {
  const server = createServer((request, response) => {
    started.requests.push(request)
    started.answer(request, response)
  })
  server.listen(0, host)
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const started: FeedServer = { origin: `http://${host}:${port}`, port, requests: [], answer }
  return started
}

/** Finds the same addresses for every name, and remembers which names it was asked for. */
export function lookupTo(...addresses: string[]): LookupFunction & { names: string[] } {
  const names: string[] = []
  const lookup: LookupFunction = (name, _, callback) => {
    names.push(name)
    const found = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
    process.nextTick(() => callback(null, found))
  }
  return Object.assign(lookup, { names })
}

export interface FeedItem {
  title: string
  link?: string
  description?: string
  pubDate?: string
  guid?: string
}

/** An RSS 2.0 feed; texts go in as they are. */
export function rss(items: readonly FeedItem[], title = 'A feed'): string {
  const elements = items.map((item) => {
    const fields = Object.entries(item).map(([name, value]) => `<${name}>${String(value)}</${name}>`)
    return `<item>${fields.join('')}</item>`
  })
  return `<?xml version="1.0"?><rss version="2.0"><channel><title>${title}</title>${elements.join('')}</channel></rss>`
}
