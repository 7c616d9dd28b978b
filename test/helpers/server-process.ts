import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { until } from './wait.ts'

export interface ServerProcessOptions {
  command: string
  args: readonly string[]
  env?: NodeJS.ProcessEnv
  /** Whether it answers by now. */
  answers: () => Promise<boolean>
  /** What it says when it does not start, beside what it writes to its output. */
  said?: () => Promise<string>
  boundMs?: number
}

/** A server of Debian's in a process of its own, which can be stopped and started again. */
export class ServerProcess implements AsyncDisposable {
  readonly #options: ServerProcessOptions
  #child: ChildProcess | undefined
  /** All that it has written. */
  output = ''

  constructor(options: ServerProcessOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    const { command, args, env = process.env, answers, said, boundMs } = this.#options
    const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child = child
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (this.output += chunk.toString()))
    const look = async () => {
      if (child.exitCode !== null) throw new Error(this.output + ((await said?.()) ?? ''))
      return answers()
    }
    await until(`${command} answers`, look, boundMs)
  }

  async stop(): Promise<void> {
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const closed = once(child, 'close')
    child.kill('SIGTERM')
    await closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
