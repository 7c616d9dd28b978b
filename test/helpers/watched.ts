import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ExecutionContext } from 'ava'

/** What passed between a proxy and a node. */
export interface Passed {
  path: string
  status: number
  cookie: string | undefined
}

/** A server that hands everything on to another and notes what it was asked. */
export async function watched(
  t: ExecutionContext,
  address: () => string,
): Promise<{ address: string; passed: Passed[] }> {
  const passed: Passed[] = []
  const server = createServer((asked, answer) => {
    const { method, url: path = '', headers } = asked
    const note = (status: number) => passed.push({ path, status, cookie: headers.cookie })
    const onward = request(new URL(path, address()), { method, headers, agent: false }, (answered) => {
      note(answered.statusCode ?? 0)
      answer.writeHead(answered.statusCode ?? 0, answered.headers)
      answer.flushHeaders()
      answered.pipe(answer)
      answered.on('error', () => answer.destroy())
    })
    onward.on('error', () => {
      note(0)
      answer.destroy()
    })
    answer.on('close', () => onward.destroy())
    asked.pipe(onward)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, passed }
}
