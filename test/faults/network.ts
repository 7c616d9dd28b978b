import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { couchSpace } from '../helpers/couch-space.ts'
import { TcpLink } from '../helpers/link.ts'
import { seedOf } from '../helpers/random.ts'
import { FaultNode } from './fault-node.ts'
import { edgeName } from './topologies.ts'
import type { Edge, Topology } from './topologies.ts'

/** Links that notice silence soon, so that a round need not wait long. */
const SETTINGS = 'replication: { heartbeatMs: 500, idleTimeoutMs: 2500, longestPauseMs: 1000 }\n'

/** How a node's peers file differs from the complete one, for one peer. */
export type PeerChange = 'removed' | 'disabled' | 'wrong-password'

export interface NetworkOptions {
  /** The links behave by it. */
  seed: number
  /** Whether every other node keeps its databases in one of the CouchDBs that are given. */
  mixed: boolean
  /** The nodes' settings file; by default one with which links notice silence soon. */
  settings?: string
}

/** Real nodes, joined by links that the test controls. */
export class FaultNetwork implements AsyncDisposable {
  readonly nodes = new Map<string, FaultNode>()
  readonly links = new Map<string, TcpLink>()
  readonly #topology: Topology
  readonly #passwords = new Map<string, string>()
  readonly #changes = new Map<string, PeerChange>()
  readonly #folder: string

  private constructor(topology: Topology, folder: string) {
    this.#topology = topology
    this.#folder = folder
  }

  /** Starts all nodes, each with a peers file of all its peers. */
  static async start(
    topology: Topology,
    { seed, mixed, settings = SETTINGS }: NetworkOptions,
  ): Promise<FaultNetwork> {
    const network = new FaultNetwork(topology, await mkdtemp(join(tmpdir(), 'hyperactive-faults-')))
    try {
      await network.#start({ seed, mixed, settings })
    } catch (error) {
      await network[Symbol.asyncDispose]()
      throw error
    }
    return network
  }

  /** @throws RangeError when there is no such node */
  node(name: string): FaultNode {
    const node = this.nodes.get(name)
    if (!node) throw new RangeError(`there is no node ${name}`)
    return node
  }

  /** @throws RangeError when there is no such link */
  link(name: string): TcpLink {
    const link = this.links.get(name)
    if (!link) throw new RangeError(`there is no link ${name}`)
    return link
  }

  /** Where a node's files for an import may be. */
  folderFor(name: string): string {
    return join(this.#folder, name)
  }

  /** Pairs of a node and another one that it names in its peers file with the key: it admits that one. */
  get vouched(): number {
    return this.#topology.nodes.reduce((count, name) => count + this.#peersOf(name).length, 0)
  }

  /** Writes a node's peers file anew with one block changed, or as it should be. */
  async changePeer(name: string, peer: string, change: PeerChange | undefined): Promise<void> {
    if (change) this.#changes.set(`${name} ${peer}`, change)
    else this.#changes.delete(`${name} ${peer}`)
    await this.#writePeers(name)
  }

  /** Everything runs again as it should: processes, links, peers files, clocks, disks. */
  async heal(): Promise<void> {
    for (const link of this.links.values()) link.heal()
    this.#changes.clear()
    for (const [name, node] of this.nodes) {
      node.resume()
      await node.freeDisk()
      await this.#writePeers(name)
      if (node.isSkewed) await node.setClock(0)
      else if (!node.isRunning) await node.start()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.nodes.values()].map((node) => node.remove()))
    await Promise.all([...this.links.values()].map((link) => link[Symbol.asyncDispose]()))
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 })
  }

  async #start({ seed, mixed, settings }: Required<NetworkOptions>): Promise<void> {
    for (const [index, name] of this.#topology.nodes.entries()) {
      const folder = join(this.#folder, name)
      const node = new FaultNode(name, folder, mixed && index % 2 === 1 ? couchSpace() : undefined)
      await mkdir(node.data, { recursive: true })
      await writeFile(join(node.data, 'config.yaml'), settings)
      this.nodes.set(name, node)
    }
    for (const edge of this.#topology.edges) {
      const link = await TcpLink.open(0, seedOf(`${seed} ${edgeName(edge)}`))
      this.links.set(edgeName(edge), link)
    }
    for (const name of this.#topology.nodes) await this.#writePeers(name)
    await Promise.all([...this.nodes.values()].map((node) => node.start()))
    for (const edge of this.#topology.edges)
      this.link(edgeName(edge)).target = Number(new URL(this.node(edge.to).address).port)
  }

  #peersOf(name: string): string[] {
    const peers = this.#topology.edges.flatMap(({ from, to }) =>
      from === name ? [to] : to === name ? [from] : [],
    )
    return [...new Set(peers)].sort()
  }

  async #writePeers(name: string): Promise<void> {
    const blocks = await Promise.all(this.#peersOf(name).map((peer) => this.#block(name, peer)))
    await this.node(name).writePeers(JSON.stringify({ peers: blocks.flat() }, undefined, 2))
  }

  /** A peer's block as JSON, which is YAML. */
  async #block(name: string, peer: string): Promise<object[]> {
    const change = this.#changes.get(`${name} ${peer}`)
    if (change === 'removed') return []
    const out = this.#edge(name, peer)
    const back = this.#edge(peer, name)
    const password = change === 'wrong-password' ? 'a-password-that-is-wrong' : this.#password(name, peer)
    const block = {
      name: peer,
      key: (await this.node(peer).key()).publicKey,
      ...(change === 'disabled' ? { enabled: false } : {}),
      ...(out && {
        url: this.link(edgeName(out)).address,
        direction: out.direction,
        credentials: { username: name, password },
      }),
      ...(back && { accepts: { username: peer, password: this.#password(peer, name) } }),
    }
    return [block]
  }

  #edge(from: string, to: string): Edge | undefined {
    return this.#topology.edges.find((edge) => edge.from === from && edge.to === to)
  }

  /** What `from` says to `to`. */
  #password(from: string, to: string): string {
    const name = `${from} ${to}`
    const password = this.#passwords.get(name) ?? randomBytes(24).toString('hex')
    this.#passwords.set(name, password)
    return password
  }
}
