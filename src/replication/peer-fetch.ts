import { Agent, fetch } from 'undici'
import type { Response } from 'undici'
import { HyperactiveError } from '../errors.ts'
import type { Login } from './peers-file.ts'

const CONNECT_MS = 10_000
/** A batch of documents is far smaller; what is larger is not read into memory. */
const LARGEST_ANSWER_BYTES = 32 * 1024 * 1024

export interface PeerFetchOptions {
  login: Login | undefined
  /** A connection that is silent for this long, while an answer is due or under way, is given up. */
  idleTimeoutMs: number
  /** Sent with every request. */
  headers?: Record<string, string>
  /** Called after every answer with a status below 400. */
  onSuccess?: () => void
}

/** A `fetch` for one link: connections of its own, kept alive, and a bound on silence and size. */
export interface PeerFetch extends AsyncDisposable {
  fetch: (url: string | URL, init?: object) => Promise<Response>
}

/**
 * Makes the `fetch` of one link. The password goes into a header and so into no address or error; redirects are
 * refused, because they would carry it elsewhere.
 */
export function peerFetch({
  login,
  idleTimeoutMs,
  headers: always = {},
  onSuccess,
}: PeerFetchOptions): PeerFetch {
  const dispatcher = new Agent({
    connect: { timeout: CONNECT_MS },
    headersTimeout: idleTimeoutMs,
    bodyTimeout: idleTimeoutMs,
    keepAliveTimeout: idleTimeoutMs,
  })
  const authorization =
    login && `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}`
  return {
    async fetch(url, init = {}) {
      const { headers: given, ...rest } = init as { headers?: Iterable<[string, string]> }
      const headers = { ...Object.fromEntries(given ?? []), ...always } as Record<string, string>
      if (authorization) headers.authorization = authorization
      const response = await fetch(String(url), { ...rest, headers, dispatcher, redirect: 'error' })
      if (response.status < 400) onSuccess?.()
      return bounded(response)
    },
    [Symbol.asyncDispose]: () => dispatcher.destroy(),
  }
}

/** The same answer, whose body fails as soon as it is too large. */
function bounded(response: Response): Response {
  const { body } = response
  if (!body) return response
  let bytes = 0
  const limit = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      bytes += chunk.byteLength
      if (bytes <= LARGEST_ANSWER_BYTES) {
        controller.enqueue(chunk)
        return
      }
      const text = `the peer's answer is larger than ${LARGEST_ANSWER_BYTES} bytes`
      controller.error(new HyperactiveError('answer_too_large', text, { status: 413 }))
    },
  })
  const { status, statusText, headers } = response
  const ResponseOf = response.constructor as new (body: never, init: object) => Response
  return new ResponseOf(body.pipeThrough(limit as never) as never, { status, statusText, headers })
}
