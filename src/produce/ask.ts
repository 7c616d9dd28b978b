import { IncomingMessage, ServerResponse } from 'node:http'
import type { RequestListener } from 'node:http'
import { Socket } from 'node:net'

/** What an application answered. */
export interface Answer {
  status: number
  /** Where it sends on to. */
  location: string | undefined
  body: Buffer
}

/** An answer that is kept instead of being sent. */
class KeptResponse extends ServerResponse {
  readonly #chunks: Buffer[] = []
  readonly #done: (answer: Answer) => void

  constructor(request: IncomingMessage, done: (answer: Answer) => void) {
    super(request)
    this.#done = done
  }

  override write(chunk: string | Buffer): boolean {
    this.#chunks.push(Buffer.from(chunk))
    return true
  }

  override end(chunk?: unknown): this {
    if (typeof chunk === 'string' || Buffer.isBuffer(chunk)) this.write(chunk)
    const location = this.getHeader('location')
    this.#done({
      status: this.statusCode,
      location: typeof location === 'string' ? location : undefined,
      body: Buffer.concat(this.#chunks),
    })
    // Whoever waits for the end of the answer is let go.
    this.emit('finish')
    return this
  }
}

/** Asks an application of this process for an address as a reader without a session does, over no connection. */
export function ask(
  application: RequestListener,
  address: string,
  headers: Readonly<Record<string, string>>,
): Promise<Answer> {
  return new Promise((resolve) => {
    const request = new IncomingMessage(new Socket())
    request.method = 'GET'
    request.url = address
    request.httpVersion = '1.1'
    request.httpVersionMajor = 1
    request.httpVersionMinor = 1
    Object.assign(request.headers, headers)
    request.push(null)
    application(request, new KeptResponse(request, resolve))
  })
}
