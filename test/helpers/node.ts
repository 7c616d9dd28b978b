import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import type { RunningNode } from '../../src/config/data-folder.ts'
import { connectCouch } from '../../src/couch/client.ts'
import type { Envelope } from '../../src/ledger/document.ts'
import { loadNodeKey } from '../../src/ledger/keys.ts'
import type { SigningKey } from '../../src/ledger/keys.ts'
import type { SiteItem } from '../../src/project/site-item.ts'
import { Agent, fetch } from 'undici'
import type { RequestInit, Response } from 'undici'
import { couchSpace, ON_COUCHDB } from './couch-space.ts'
import type { CouchSpace } from './couch-space.ts'
import { BARE } from './environment.ts'
import { testFolder } from './folder.ts'
import { until } from './wait.ts'

const MAIN = join(import.meta.dirname, '../../src/main.ts')
const FLAGS = ['--disable-warning=ExperimentalWarning']
/** A dozen nodes that start at once on two busy cores take their time. */
const START_BOUND_MS = 120_000

/** Connections that are used once: a kept one would not outlive a restart of the node. */
const unpooled = new Agent({ pipelining: 0 })

/** What a command printed and how it ended. */
export interface Ran {
  code: number | null
  out: string
  err: string
}

/** Runs `hyperactive` as a process of its own. */
export async function hyperactive(
  args: readonly string[],
  environment: Record<string, string> = {},
): Promise<Ran> {
  const child = spawn(process.execPath, [...FLAGS, MAIN, ...args], {
    env: { ...BARE, HYPERACTIVE_LOG: 'warn', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ran: Ran = { code: null, out: '', err: '' }
  child.stdout.on('data', (chunk: Buffer) => (ran.out += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (ran.err += chunk.toString()))
  await once(child, 'close')
  ran.code = child.exitCode
  return ran
}

/** A real node: its own process, data folder and port on loopback. It keeps its port when it is started again. */
export class TestNode {
  readonly data: string
  readonly peers: string
  /** Holds from the next start on. */
  protected readonly environment: Record<string, string>
  readonly #space: CouchSpace | undefined
  #child: ChildProcess | undefined
  #port = 0
  /** All that the process has written. */
  output = ''
  /** Another copy of the program, from the next start on. */
  program = MAIN

  constructor(folder: string, environment: Record<string, string> = {}) {
    this.data = join(folder, 'data')
    this.peers = join(folder, 'peers.yaml')
    this.#space = ON_COUCHDB && environment.COUCHDB_URL === undefined ? couchSpace() : undefined
    this.environment = { ...this.#space?.environment, ...environment }
  }

  /** The same data folder under other settings; to be started when this one is stopped. */
  with(environment: Record<string, string>): TestNode {
    return new TestNode(join(this.data, '..'), environment)
  }

  get address(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  get processId(): number {
    return this.#child?.pid ?? 0
  }

  /** Whether its process has been started and has not ended. */
  get isRunning(): boolean {
    const child = this.#child
    return child !== undefined && child.exitCode === null && child.signalCode === null
  }

  /** The node's process and its store's. */
  async processes(): Promise<{ nodeProcess: number; storeProcess: number }> {
    const nodeProcess = this.processId
    const children = await readFile(`/proc/${nodeProcess}/task/${nodeProcess}/children`, 'utf8')
    const [storeProcess] = children.trim().split(' ')
    if (!storeProcess) throw new Error('the node has no store of its own')
    return { nodeProcess, storeProcess: Number(storeProcess) }
  }

  async start(): Promise<void> {
    const args = [
      'start',
      '--data',
      this.data,
      '--peers',
      this.peers,
      '--port',
      String(this.#port),
      ...this.#urlFlag(),
    ]
    this.output = ''
    const child = spawn(process.execPath, [...FLAGS, this.program, ...args], {
      env: { ...BARE, HYPERACTIVE_LOG: 'info', ...this.environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child = child
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => (this.output += chunk.toString()))
    }
    const port = await until(
      'the node prints its address or ends',
      () =>
        child.exitCode === null ? /read {5}http:\/\/127\.0\.0\.1:(\d+)\//.exec(this.output)?.[1] : 'ended',
      START_BOUND_MS,
    )
    if (port === 'ended') throw new Error(`the node ended: ${this.output}`)
    this.#port = Number(port)
  }

  /** Ends the process in order. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM')
  }

  /** Ends the process as a power cut would, as far as a process can tell. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const closed = once(child, 'close')
    child.kill(signal)
    await closed
  }

  #urlFlag(): string[] {
    return this.#port === 0 ? [] : ['--url', this.address]
  }

  /** Removes what the node leaves outside of its folder. */
  async remove(): Promise<void> {
    await this.kill()
    await this.#space?.remove()
  }

  /** Runs a command on this node's data folder. */
  run(...args: string[]): Promise<Ran> {
    return hyperactive(
      [...args, '--data', this.data, '--peers', this.peers, ...this.#urlFlag()],
      this.environment,
    )
  }

  key(): Promise<SigningKey> {
    return loadNodeKey(join(this.data, 'node.key'))
  }

  async writePeers(yaml: string): Promise<void> {
    await mkdir(join(this.peers, '..'), { recursive: true })
    await writeFile(this.peers, yaml)
  }

  /** Settings that the next start reads. */
  async writeConfig(yaml: string): Promise<void> {
    await writeFile(join(this.data, 'config.yaml'), yaml)
  }

  /** A look into the running node's databases. */
  async withCouch<Value>(look: (couch: ReturnType<typeof connectCouch>) => Promise<Value>): Promise<Value> {
    const { storeUrl, prefix } = JSON.parse(
      await readFile(join(this.data, 'running.json'), 'utf8'),
    ) as RunningNode
    await using couch = connectCouch(storeUrl, { prefix })
    return await look(couch)
  }

  /** The ids of all ledger documents, sorted. */
  ledgerIds(): Promise<string[]> {
    return this.withCouch(async (couch) => {
      const { rows } = await couch.database('ledger').allDocs({})
      return rows.map(({ key }) => key).filter((id) => !id.startsWith('_design/'))
    })
  }

  ledgerDocument(id: string): Promise<Envelope | undefined> {
    return this.withCouch(async (couch) => (await couch.database('ledger').get(id)) as Envelope | undefined)
  }

  /** All site documents without `_rev`, by id. */
  siteDocuments(): Promise<Record<string, SiteItem>> {
    return this.withCouch(async (couch) => {
      const { rows } = await couch.database('site').allDocs({ include_docs: true })
      const found: Record<string, SiteItem> = {}
      for (const { key, doc } of rows) {
        if (!doc || key.startsWith('_design/')) continue
        const { _rev, ...rest } = doc
        found[key] = rest as unknown as SiteItem
      }
      return found
    })
  }

  async page(path: string, init: RequestInit = {}): Promise<Response> {
    try {
      return await fetch(this.address + path, { redirect: 'manual', ...init, dispatcher: unpooled })
    } catch (error) {
      const { cause } = error as Error
      throw new Error(`no answer to ${path.slice(0, 20)}: ${String(cause)}; the node said: ${this.output}`, {
        cause: error,
      })
    }
  }

  async html(path: string): Promise<string> {
    return (await this.page(path)).text()
  }
}

/** Starts a node that ends with the test. */
export async function startNode(
  t: ExecutionContext,
  environment: Record<string, string> = {},
  program = MAIN,
): Promise<TestNode> {
  const node = new TestNode(await testFolder(t), environment)
  t.teardown(() => node.remove())
  node.program = program
  await node.start()
  return node
}

/** Joins `joiner` to `inviter` as an administrator would, with two commands. */
export async function join2(inviter: TestNode, joiner: TestNode): Promise<void> {
  const invited = await inviter.run('peer', 'invite')
  if (invited.code !== 0) throw new Error(invited.err)
  const added = await joiner.run('peer', 'add', invited.out.trim())
  if (added.code !== 0) throw new Error(added.err)
}
