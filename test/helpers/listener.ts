import type { ExecutionContext } from 'ava'
import type { TestNode } from './node.ts'
import { until } from './wait.ts'

/** Somebody who listens to a stream of events, as a program does without a browser. */
export class Listener {
  /** The data of all events that came. */
  readonly events: { id: string; data: unknown }[] = []
  /** All that came, as it stands in the stream. */
  text = ''
  hasEnded = false
  readonly headers: Headers
  readonly #stop = new AbortController()

  private constructor(headers: Headers) {
    this.headers = headers
  }

  /** @throws when the answer is no stream, with its status */
  static async open(
    t: ExecutionContext,
    node: Pick<TestNode, 'address'>,
    path: string,
    headers: Record<string, string> = {},
  ): Promise<Listener> {
    const stop = new AbortController()
    t.teardown(() => stop.abort())
    const response = await fetch(node.address + path, { headers, signal: stop.signal })
    if (response.status !== 200 || !response.body) throw new Error(`the stream answered ${response.status}`)
    const listener = new Listener(response.headers)
    listener.#stop.signal.addEventListener('abort', () => stop.abort())
    void listener.#listen(response.body).catch(() => (listener.hasEnded = true))
    return listener
  }

  close(): void {
    this.#stop.abort()
  }

  /** Resolves when this was told last. */
  async told(data: unknown): Promise<void> {
    const wanted = JSON.stringify(data)
    await until(`${wanted} is told`, () => JSON.stringify(this.events.at(-1)?.data) === wanted)
  }

  async #listen(body: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder()
    let rest = ''
    for await (const chunk of body) {
      const text = decoder.decode(chunk, { stream: true })
      this.text += text
      const parts = (rest + text).split('\n\n')
      rest = parts.pop() ?? ''
      for (const part of parts) {
        const data = /^data: (.*)$/m.exec(part)?.[1]
        const id = /^id: (.*)$/m.exec(part)?.[1] ?? ''
        if (data !== undefined) this.events.push({ id, data: JSON.parse(data) as unknown })
      }
    }
    this.hasEnded = true
  }
}
