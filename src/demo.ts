import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { loadConfig } from './config/config.ts'
import { findRunningNode } from './config/data-folder.ts'
import { messageOf } from './errors.ts'
import { Invitations, parseInvitation } from './replication/invitations.ts'
import { joinNetwork } from './replication/join.ts'
import { loadNodeKey } from './ledger/keys.ts'

/**
 * `npm run demo`: three nodes on this machine, each with a data folder of its own, joined in a ring. Each is started
 * as an administrator would start it and joined by an invitation.
 */
const CITIES = ['athens', 'berlin', 'cadiz'] as const
const MAIN = join(import.meta.dirname, 'main.ts')
const FLAGS = ['--disable-warning=ExperimentalWarning']

interface DemoNode {
  name: string
  folder: string
  child: ChildProcess
  address: string
}

const root = await mkdtemp(join(tmpdir(), 'hyperactive-demo-'))
const children: ChildProcess[] = []
const stopped = new Promise<void>((resolve) => {
  for (const event of ['SIGINT', 'SIGTERM']) process.on(event, () => resolve())
})

try {
  process.stdout.write('Starting three nodes …\n')
  const nodes = await Promise.all(CITIES.map(startDemoNode))
  for (const [index, node] of nodes.entries()) {
    const next = nodes[(index + 1) % nodes.length]
    if (next) await joinByInvitation(node, next)
  }
  const [first] = nodes
  if (first) await command(first, 'seed')
  process.stdout.write(await instructions(nodes))
  await Promise.race([stopped, ...children.map((child) => once(child, 'exit'))])
  await stopped
} catch (error) {
  process.stderr.write(`demo: ${messageOf(error)}\n`)
  process.exitCode = 1
} finally {
  await Promise.all(children.map(end))
  await rm(root, { recursive: true, force: true, maxRetries: 5 })
}

async function startDemoNode(name: string): Promise<DemoNode> {
  const folder = join(root, name)
  const child = spawn(process.execPath, [...FLAGS, MAIN, 'start', '--port', '0'], {
    env: { ...process.env, ...environment(name, folder) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(child)
  const [output] = (await Promise.race([
    once(child.stdout, 'data'),
    once(child, 'exit').then(() => ['']),
  ])) as [Buffer | string]
  const running = output === '' ? undefined : await findRunningNode(folder)
  if (!running) throw new Error(`the node "${name}" did not start`)
  child.stdout.resume()
  return { name, folder, child, address: running.address }
}

function environment(name: string, folder: string): Record<string, string> {
  return {
    HYPERACTIVE_DATA: folder,
    HYPERACTIVE_PEERS: join(folder, 'peers.yaml'),
    HYPERACTIVE_SITE_NAME: `The ${name[0]?.toUpperCase() ?? ''}${name.slice(1)} Node`,
    HYPERACTIVE_LOG: 'error',
  }
}

/** What `peer invite` on one node and `peer add` on the other do. */
async function joinByInvitation(inviter: DemoNode, joiner: DemoNode): Promise<void> {
  const inviterKey = await loadNodeKey(join(inviter.folder, 'node.key'))
  const line = await new Invitations(inviter.folder).create(
    { url: inviter.address, key: inviterKey.publicKey },
    { name: joiner.name, days: 1 },
  )
  const { config } = loadConfig({}, environment(joiner.name, joiner.folder))
  await joinNetwork(parseInvitation(line), {
    peersPath: config.peers,
    key: await loadNodeKey(join(joiner.folder, 'node.key')),
    ownUrl: joiner.address,
    name: inviter.name,
  })
}

async function command(node: DemoNode, ...args: string[]): Promise<string> {
  const child = spawn(process.execPath, [...FLAGS, MAIN, ...args], {
    env: { ...process.env, ...environment(node.name, node.folder) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  await once(child, 'close')
  if (child.exitCode !== 0) throw new Error(`${args.join(' ')} failed on ${node.name}`)
  return output.trim()
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  await exited
}

/** The newest article of a node, as soon as it shows one. */
async function newestItem(address: string): Promise<string> {
  for (;;) {
    const newswire = await (await fetch(`${address}/newswire`)).text()
    const item = /\/articles\/([0-9a-z]{26})/.exec(newswire)?.[1]
    if (item !== undefined) return item
    await pause(100)
  }
}

async function instructions(nodes: readonly DemoNode[]): Promise<string> {
  const lines = nodes.map(
    ({ name, address, child }) => `  ${name.padEnd(8)} ${address}/   (process ${child.pid ?? 0})`,
  )
  const [first, second, third] = nodes
  if (!first || !second || !third) return ''
  const items = await Promise.all(nodes.map(({ address }) => newestItem(address)))
  const link = await command(first, 'edit-link', items[0] ?? '')
  const path = new URL(link.startsWith('/') ? first.address + link : link).pathname
  return `
Three nodes keep one site in a ring:
${lines.join('\n')}

Try this:
  1. Publish on ${first.name} (${first.address}/publish) and look at ${second.name}: it is there.
  2. Stop ${third.name} (kill ${third.child.pid ?? 0}); publish, read and edit on the other two.
  3. Edit one article on two nodes at once. Open both links, change different paragraphs, save both:
       ${first.address}${path}
       ${second.address}${path}
     Both changes are in the article on every node, and its history shows the two versions.

Ctrl-C stops all three and removes their data.
`
}
