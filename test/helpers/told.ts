import { once } from 'node:events'
import type { IncomingHttpHeaders } from 'node:http'
import { createServer as createSocketServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { loadConfig } from '../../src/config/config.ts'
import { Proxies } from '../../src/proxies/proxies.ts'
import type { ProxiesOptions } from '../../src/proxies/proxies.ts'
import { testFolder } from './folder.ts'

interface Told extends ProxiesOptions {
  /** That of an earlier process. */
  data?: string
}

export interface Asked {
  line: string
  headers: IncomingHttpHeaders
}

/** A server that is told what a proxy is told. It knows any method, as Node's own does not. */
export async function listener(t: ExecutionContext, port = 0) {
  const asked: Asked[] = []
  const answers = { status: 200 }
  const server = createSocketServer((socket) => {
    let text = ''
    socket.on('error', () => undefined)
    socket.on('data', (chunk) => {
      text += chunk.toString()
      for (let end = text.indexOf('\r\n\r\n'); end !== -1; end = text.indexOf('\r\n\r\n')) {
        const [line = '', ...fields] = text.slice(0, end).split('\r\n')
        const headers = fields.map((field) => field.split(/: ?(.*)/, 2) as [string, string])
        asked.push({
          line: line.replace(' HTTP/1.1', ''),
          headers: Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value])),
        })
        text = text.slice(end + 4)
        socket.write(`HTTP/1.1 ${answers.status} Said\r\nContent-Length: 0\r\n\r\n`)
      }
    })
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const stop = () => new Promise<void>((resolve) => server.close(() => resolve()))
  t.teardown(() => server.close())
  return { asked, answers, stop, port: (server.address() as AddressInfo).port }
}

/** Proxies of a node with these settings. */
export async function proxiesOf(t: ExecutionContext, yaml: string, { data, ...options }: Told = {}) {
  const folder = data ?? (await testFolder(t))
  const file = join(folder, 'config.yaml')
  await writeFile(file, yaml)
  const proxies = new Proxies(loadConfig({ config: file, data: folder }, {}), options)
  t.teardown(() => proxies[Symbol.asyncDispose]())
  return { proxies, folder }
}
