import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { until } from '../helpers/wait.ts'

export interface ServerProcessOptions {
  command: string
  args: readonly string[]
  /** Whether it answers by now. */
  answers: () => Promise<boolean>
  /** What it says when it does not start. */
  said: () => Promise<string>
}

/** A server of Debian's in a process of its own, which can be stopped and started again. */
export class ServerProcess {
  readonly #options: ServerProcessOptions
  #child: ChildProcess | undefined

  constructor(options: ServerProcessOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    const { command, args, answers, said } = this.#options
    const child = spawn(command, args, { stdio: 'ignore' })
    this.#child = child
    await until(`${command} answers`, async () => {
      if (child.exitCode !== null) throw new Error(await said())
      return answers()
    })
  }

  async stop(): Promise<void> {
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const closed = once(child, 'close')
    child.kill('SIGTERM')
    await closed
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
