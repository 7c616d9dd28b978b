import { randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import type { ExecutionContext } from 'ava'
import { loadNodeKey } from '../../src/ledger/keys.ts'
import type { Times } from '../../src/media/share/blob-network.ts'
import type { Topology } from '../faults/topologies.ts'
import { edgeName } from '../faults/topologies.ts'
import { testFolder } from './folder.ts'
import { TcpLink } from './link.ts'
import { NodeHere } from './node-here.ts'
import { until } from './wait.ts'
import { join } from 'node:path'

export interface BlobNodesOptions {
  /** Settings of each node's media, as JSON. */
  media?: (name: string) => object
  times?: Partial<Times>
}

/** What is waited for in tests is short; nothing is dropped unless a test wants it. */
const TIMES: Partial<Times> = { relayMs: 500 }
const REPLICATION = { heartbeatMs: 500, idleTimeoutMs: 2500, longestPauseMs: 500 }

/** Nodes in this process, joined by links that the test controls, each of which counts its bytes. */
export class BlobNodes {
  readonly nodes = new Map<string, NodeHere>()
  readonly links = new Map<string, TcpLink>()
  readonly #topology: Topology
  readonly #passwords = new Map<string, string>()

  private constructor(topology: Topology) {
    this.#topology = topology
  }

  static async start(
    t: ExecutionContext,
    topology: Topology,
    options: BlobNodesOptions = {},
  ): Promise<BlobNodes> {
    const network = new BlobNodes(topology)
    await network.#start(t, options)
    return network
  }

  node(name: string): NodeHere {
    const node = this.nodes.get(name)
    if (!node) throw new RangeError(`there is no node ${name}`)
    return node
  }

  /** The link by which one node calls another. */
  link(from: string, to: string): TcpLink {
    const link = this.links.get(edgeName({ from, to }))
    if (!link) throw new RangeError(`there is no link from ${from} to ${to}`)
    return link
  }

  /** Bytes that all links have carried, both ways. */
  get carried(): number {
    return [...this.links.values()].reduce((sum, { carried }) => sum + carried.asked + carried.answered, 0)
  }

  keyOf(name: string): Promise<string> {
    return this.node(name)
      .key()
      .then(({ publicKey }) => publicKey)
  }

  /** Resolves when a node has all of a file. */
  async has(name: string, sha256: string, boundMs?: number): Promise<void> {
    await until(
      `${name} has the file`,
      async () => (await this.node(name).here.media.blobs.stat(sha256)) !== undefined,
      boundMs,
    )
  }

  /** Resolves when a node knows that these hold a file, and no others. */
  async knows(name: string, sha256: string, holders: readonly string[], boundMs?: number): Promise<void> {
    const keys = await Promise.all(holders.map((holder) => this.keyOf(holder)))
    const wanted = keys.sort().join()
    await until(
      `${name} knows that ${holders.join()} hold the file`,
      () => this.node(name).here.media.network.holders(sha256).sort().join() === wanted,
      boundMs,
    )
  }

  async #start(t: ExecutionContext, { media = () => ({}), times }: BlobNodesOptions): Promise<void> {
    const folder = await testFolder(t)
    for (const name of this.#topology.nodes) {
      const node = new NodeHere(join(folder, name), { HYPERACTIVE_ABUSE_LIMITS: 'off' })
      node.options = { times: { ...TIMES, ...times } }
      await mkdir(node.data, { recursive: true })
      await node.writeConfig(JSON.stringify({ replication: REPLICATION, media: media(name) }))
      this.nodes.set(name, node)
    }
    for (const edge of this.#topology.edges) {
      const link = await TcpLink.open()
      this.links.set(edgeName(edge), link)
      t.teardown(() => link[Symbol.asyncDispose]())
    }
    for (const [name, node] of this.nodes)
      await node.writePeers(JSON.stringify({ peers: await this.#peersOf(name) }))
    for (const [name, node] of this.nodes) {
      await node.start()
      t.teardown(() => node.remove())
      for (const edge of this.#topology.edges)
        if (edge.to === name) this.link(edge.from, name).target = Number(new URL(node.address).port)
    }
  }

  async #peersOf(name: string): Promise<object[]> {
    const { edges } = this.#topology
    const peers = new Set(edges.flatMap(({ from, to }) => (from === name ? [to] : to === name ? [from] : [])))
    return Promise.all(
      [...peers].map(async (peer) => {
        const out = edges.find(({ from, to }) => from === name && to === peer)
        const back = edges.find(({ from, to }) => from === peer && to === name)
        const { publicKey: key } = await loadNodeKey(join(this.node(peer).data, 'node.key'))
        return {
          name: peer,
          key,
          ...(out && {
            url: this.link(name, peer).address,
            direction: out.direction,
            credentials: { username: name, password: this.#password(name, peer) },
          }),
          ...(back && { accepts: { username: peer, password: this.#password(peer, name) } }),
        }
      }),
    )
  }

  #password(from: string, to: string): string {
    const name = `${from} ${to}`
    const password = this.#passwords.get(name) ?? randomBytes(24).toString('hex')
    this.#passwords.set(name, password)
    return password
  }
}

/** Some nodes: who calls whom, and which way documents go then. */
export function topology(
  ...edges: [from: string, to: string, direction?: 'pull' | 'push' | 'both'][]
): Topology {
  return {
    nodes: [...new Set(edges.flatMap(([from, to]) => [from, to]))],
    edges: edges.map(([from, to, direction = 'pull']) => ({ from, to, direction })),
  }
}

/** Two that call each other. */
export const PAIR = topology(['a', 'b'], ['b', 'a'])
/** Four in a ring, each of which calls both of its neighbours. */
export const RING = topology(
  ['a', 'b'],
  ['b', 'a'],
  ['b', 'c'],
  ['c', 'b'],
  ['c', 'd'],
  ['d', 'c'],
  ['d', 'a'],
  ['a', 'd'],
)
/** Two that nobody can call, and one that they call. */
export const HUB = topology(['a', 'hub', 'both'], ['b', 'hub', 'both'])
