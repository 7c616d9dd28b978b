import { request } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http'

export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  body: Buffer
  text: string
}

export interface Question {
  path: string
  method?: string
  headers?: Readonly<Record<string, string>>
  /** The asker's own address. */
  from?: string
}

/** Asks a server on this machine for a path as it is written, over a connection of its own; it unpacks nothing. */
export function ask(port: number, { path, method = 'GET', headers = {}, from }: Question): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const place = { host: '127.0.0.1', port, agent: false, ...(from ? { localAddress: from } : {}) }
    const asking = request({ ...place, path, method, headers }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const body = Buffer.concat(chunks)
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body, text: body.toString() })
      })
    })
    asking.on('error', reject)
    asking.end()
  })
}
