import type { ServerResponse } from 'node:http'

/** What may wait for a reader who does not take it. Events are short, so whoever has this much waiting has gone. */
const MOST_WAITING_BYTES = 16 * 1024
/** When a browser comes back after its stream has ended: not all at the same moment. */
const RETRY_MS = { least: 5000, spread: 10_000 }

/** One reader who is told of events (HTML, section 9.2). */
export class EventStream {
  readonly #response: ServerResponse
  #isOpen = true

  constructor(response: ServerResponse, left: () => void) {
    this.#response = response
    response.once('close', () => {
      this.#isOpen = false
      left()
    })
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  /** Writes a text in the form of events. A reader who takes nothing is cut off: what waits is bounded. */
  write(text: string | Buffer): void {
    if (!this.#isOpen) return
    if (this.#response.writableLength > MOST_WAITING_BYTES) this.#response.destroy()
    else this.#response.write(text)
  }

  end(): void {
    this.#response.end()
  }
}

/** All who are told of events: no more than so many, and each hears now and then that the stream lives. */
export class EventStreams implements Disposable {
  readonly #most: number
  readonly #streams = new Set<EventStream>()
  readonly #timer: NodeJS.Timeout
  #hasEnded = false

  constructor({ most, heartbeatMs }: { most: number; heartbeatMs: number }) {
    this.#most = most
    const beat = Buffer.from(':\n\n')
    this.#timer = setInterval(() => {
      for (const stream of this.#streams) stream.write(beat)
    }, heartbeatMs).unref()
  }

  get size(): number {
    return this.#streams.size
  }

  get isFull(): boolean {
    return this.#hasEnded || this.#streams.size >= this.#most
  }

  /** Begins an answer that goes on; undefined when there are too many. */
  open(response: ServerResponse): EventStream | undefined {
    if (this.isFull) return undefined
    const stream = new EventStream(response, () => this.#streams.delete(stream))
    this.#streams.add(stream)
    response.writeHead(200, {
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-store',
      // nginx is not to gather what comes before it passes it on.
      'X-Accel-Buffering': 'no',
    })
    stream.write(`retry: ${RETRY_MS.least + Math.floor(Math.random() * RETRY_MS.spread)}\n\n`)
    return stream
  }

  [Symbol.dispose](): void {
    this.#hasEnded = true
    clearInterval(this.#timer)
    for (const stream of this.#streams) stream.end()
  }
}
