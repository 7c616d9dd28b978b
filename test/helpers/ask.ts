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
  /** Takes only what comes first, of an answer that goes on. */
  begins?: true
}

/** Asks a server on this machine for a path as it is written, over a connection of its own; it unpacks nothing. */
export function ask(
  port: number,
  { path, method = 'GET', headers = {}, from, begins }: Question,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const place = { host: '127.0.0.1', port, agent: false, ...(from ? { localAddress: from } : {}) }
    const asking = request({ ...place, path, method, headers }, (response) => {
      const chunks: Buffer[] = []
      const answered = () => {
        const body = Buffer.concat(chunks)
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body, text: body.toString() })
      }
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk)
        if (!begins) return
        answered()
        asking.destroy()
      })
      response.on('error', reject)
      response.on('end', answered)
    })
    asking.on('error', reject)
    asking.end()
  })
}
