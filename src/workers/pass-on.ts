import { request as ask } from 'node:http'
import type { Agent, IncomingMessage, OutgoingHttpHeaders, RequestOptions, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream'
import { hasBody } from '../web/connections.ts'
import { HEADER } from './protocol.ts'

/** Headers of one connection alone (RFC 9110, section 7.6.1), and what Node answers by itself. */
const OF_CONNECTION = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'expect',
])
const AWAY = 'This page is not here at the moment. Please try again in some seconds.\n'

/** Where the node answers, for the fronts before it. */
export interface NodeAt {
  target: { socketPath: string } | { host: string; port: number }
  agent: Agent
  /** What the header says that names this request a front's. */
  header: string
}

/**
 * Passes a request on and its answer back, both as they come; when one side goes away, the other is let go of. Nothing is
 * added that says who asks.
 *
 * @param answered told whether the node keeps the page, when the answer has been passed on
 */
export function passOn(
  request: IncomingMessage,
  response: ServerResponse,
  { target, agent, header }: NodeAt,
  answered: (kept: string | undefined) => void,
): void {
  const { method, url } = request
  const options: RequestOptions = { ...target, agent, headers: headersOf(request, header) }
  if (method !== undefined) options.method = method
  if (url !== undefined) options.path = url
  const isRepeatable = (method === 'GET' || method === 'HEAD') && !hasBody(request)

  const send = (again: boolean) => {
    const asking = ask(options)
    const letGo = () => asking.destroy()
    response.once('close', letGo)
    asking.once('response', (answer) => {
      if (response.destroyed) {
        asking.destroy()
        return
      }
      const { statusCode = 502, statusMessage = '', rawHeaders } = answer
      response.writeHead(statusCode, statusMessage, kept(rawHeaders))
      response.flushHeaders()
      const mark = answer.headers[HEADER]
      pipeline(answer, response, (error) => {
        if (!error) answered(mark === undefined ? undefined : String(mark))
      })
    })
    asking.once('error', () => {
      response.off('close', letGo)
      // Letting go of it is an error, too.
      if (response.destroyed) return
      // The node closed the connection just when it was used again.
      if (asking.reusedSocket && isRepeatable && !again && !response.headersSent) send(true)
      else if (response.headersSent) response.destroy()
      else sayAway(response)
    })
    if (!hasBody(request)) {
      asking.end()
      return
    }
    // Whoever waits for an answer before sending a body gets one.
    asking.flushHeaders()
    request.pipe(asking)
  }
  send(false)
}

export function sayAway(response: ServerResponse): void {
  if (response.destroyed) return
  response.writeHead(503, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Cache-Control': 'no-store',
    'Retry-After': '5',
  })
  response.end(AWAY)
}

function headersOf({ headers }: IncomingMessage, header: string): OutgoingHttpHeaders {
  const named = new Set((headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase()))
  const passed = Object.entries(headers).filter(
    ([name]) => !OF_CONNECTION.has(name) && !named.has(name) && name !== HEADER,
  )
  const sent: OutgoingHttpHeaders = { ...Object.fromEntries(passed), [HEADER]: header }
  // Without it the end of such a body could be taken for another request.
  if (headers['transfer-encoding'] !== undefined) {
    sent['transfer-encoding'] = 'chunked'
    delete sent['content-length']
  }
  return sent
}

/** The node's headers in pairs, without those of its connection. */
function kept(raw: readonly string[]): string[] {
  const pairs: string[] = []
  for (let at = 0; at < raw.length; at += 2) {
    const [name = '', value = ''] = [raw[at], raw[at + 1]]
    const lower = name.toLowerCase()
    if (!OF_CONNECTION.has(lower) && lower !== HEADER) pairs.push(name, value)
  }
  return pairs
}
