import { mkdir } from 'node:fs/promises'
import type { ExecutionContext } from 'ava'
import { loadConfig } from '../../src/config/config.ts'
import type { Node, StartOptions } from '../../src/node.ts'
import { startNode as startHere } from '../../src/node.ts'
import { testFolder } from './folder.ts'
import { TestNode } from './node.ts'

/** A node in the test's own process, so that the test looks into it; everything else is that of any other node. */
export class NodeHere extends TestNode {
  /** Holds from the next start on. */
  options: StartOptions = {}
  #running: Node | undefined
  #port = 0

  /** What runs; only while it does. */
  get here(): Node {
    if (!this.#running) throw new Error('the node does not run')
    return this.#running
  }

  override get address(): string {
    return this.here.address
  }

  override get processId(): number {
    return process.pid
  }

  override get isRunning(): boolean {
    return this.#running !== undefined
  }

  override async start(): Promise<void> {
    const flags = { data: this.data, peers: this.peers, port: String(this.#port) }
    this.#running = await startHere(loadConfig(flags, this.environment), this.options)
    this.#port = Number(new URL(this.#running.address).port)
    this.output = `set up   ${this.#running.address}/set-up/${this.#running.setUp ?? ''}`
  }

  override async stop(): Promise<void> {
    const running = this.#running
    this.#running = undefined
    await running?.[Symbol.asyncDispose]()
  }

  override kill(): Promise<void> {
    return this.stop()
  }
}

/** Starts one with these settings that ends with the test. */
export async function startNodeHere(t: ExecutionContext, yaml: string): Promise<NodeHere> {
  const node = new NodeHere(await testFolder(t), { HYPERACTIVE_ABUSE_LIMITS: 'off' })
  t.teardown(() => node.remove())
  await mkdir(node.data, { recursive: true })
  await node.writeConfig(yaml)
  await node.start()
  return node
}
