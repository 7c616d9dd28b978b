import { IncomingMessage, ServerResponse } from 'node:http'
import type { RequestListener } from 'node:http'
import { Socket } from 'node:net'

/** What an application answered. */
export interface Answer {
  status: number
  /** Where it sends on to. */
  location: string | undefined
  body: Buffer
  /** The body as text. */
  text: string
}

/** A page comes as one text, and whoever asks for text gets it as it came. */
class KeptAnswer implements Answer {
  readonly status: number
  readonly location: string | undefined
  readonly #chunks: readonly (string | Buffer)[]

  constructor(status: number, location: string | undefined, chunks: readonly (string | Buffer)[]) {
    this.status = status
    this.location = location
    this.#chunks = chunks
  }

  get body(): Buffer {
    return Buffer.concat(this.#chunks.map((chunk) => Buffer.from(chunk)))
  }

  get text(): string {
    const [only] = this.#chunks
    return this.#chunks.length === 1 && typeof only === 'string' ? only : this.body.toString()
  }
}

/** An answer that is kept instead of being sent. */
class KeptResponse extends ServerResponse {
  readonly #chunks: (string | Buffer)[] = []
  readonly #done: (answer: Answer) => void

  constructor(request: IncomingMessage, done: (answer: Answer) => void) {
    super(request)
    this.#done = done
  }

  override write(chunk: string | Buffer): boolean {
    this.#chunks.push(typeof chunk === 'string' ? chunk : Buffer.from(chunk))
    return true
  }

  override end(chunk?: unknown): this {
    if (typeof chunk === 'string' || Buffer.isBuffer(chunk)) this.write(chunk)
    const location = this.getHeader('location')
    this.#done(
      new KeptAnswer(this.statusCode, typeof location === 'string' ? location : undefined, this.#chunks),
    )
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
