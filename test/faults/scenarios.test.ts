import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import test from 'ava'
import type { LinkStatus } from '../../src/replication/status.ts'
import { ON_COUCHDB } from '../helpers/couch-space.ts'
import { until } from '../helpers/wait.ts'
import { converge } from './converge.ts'
import type { FaultNode } from './fault-node.ts'
import { FaultNetwork } from './network.ts'
import { Performer } from './perform.ts'
import { TOPOLOGIES } from './topologies.ts'

interface Stage {
  network: FaultNetwork
  athens: FaultNode
  berlin: FaultNode
  /** Publishes on a node; gives whether that was acknowledged. */
  publish: (node: FaultNode) => Promise<boolean>
  /** Resolves when every node has every acknowledged text. */
  agree: () => ReturnType<typeof converge>
}

/** Two nodes that fetch from each other; Athens always has a store of its own. */
async function pair(t: ExecutionContext): Promise<Stage> {
  const network = await FaultNetwork.start(TOPOLOGIES.pair(), { seed: 1, mixed: ON_COUCHDB })
  t.teardown(() => network[Symbol.asyncDispose]())
  const performer = new Performer(network)
  const { model } = performer
  let count = 0
  const publish = async ({ name: node }: FaultNode) => {
    const marker = `scene${String((count += 1)).padStart(4, '0')}`
    await performer.perform({ do: 'publish', node, article: marker, marker, presses: 1 })
    return model.attempts.get(marker)?.outcome === 'acknowledged'
  }
  const agree = () => converge(network, model)
  return { network, athens: network.node('athens'), berlin: network.node('berlin'), publish, agree }
}

async function linkOf(node: FaultNode): Promise<LinkStatus | undefined> {
  const { out } = await node.run('peer', 'list', '--json')
  return (JSON.parse(out) as { peers: { links: LinkStatus[] }[] }).peers[0]?.links[0]
}

test.serial(
  'a half-open link is noticed, and what was published meanwhile comes when it recovers',
  async (t) => {
    const { network, athens, berlin, publish, agree } = await pair(t)
    t.true(await publish(athens))
    await agree()
    network.link('berlin-athens').state = 'half-open'
    t.true(await publish(athens))
    const status = await until('the silence is noticed', async () => {
      const link = await linkOf(berlin)
      return link?.lastError !== undefined && link
    })
    t.regex(status.lastError ?? '', /does not answer|terminated|failed|timeout/i)
    network.link('berlin-athens').heal()
    t.is((await agree()).texts, 2)
  },
)

test.serial('links that carry one direction alone lose nothing', async (t) => {
  const { network, athens, berlin, publish, agree } = await pair(t)
  await agree()
  network.link('berlin-athens').state = 'swallow-answers'
  network.link('athens-berlin').state = 'swallow-requests'
  t.true((await Promise.all([athens, berlin].map(publish))).every(Boolean))
  for (const node of [athens, berlin]) {
    await until('the silence is noticed', async () => (await linkOf(node))?.lastError !== undefined)
  }
  await network.heal()
  t.is((await agree()).texts, 2)
})

test.serial('a slow link that loses, delays and holds back brings everything in the end', async (t) => {
  const { network, athens, berlin, publish, agree } = await pair(t)
  for (const link of network.links.values())
    link.slowness = { delayMs: 60, jitterMs: 80, loss: 0.1, bytesPerSecond: 20_000 }
  for (let count = 0; count < 6; count += 1) t.true(await publish(count % 2 === 0 ? athens : berlin))
  t.is((await agree()).texts, 6)
})

test.serial('a node that was paused goes on, and its peer notices both', async (t) => {
  const { athens, berlin, publish, agree } = await pair(t)
  t.true(await publish(athens))
  await agree()
  await athens.pause()
  t.true(await publish(berlin))
  await until('the pause is noticed', async () => (await linkOf(berlin))?.lastError !== undefined)
  t.false(await publish(athens), 'a node that is paused acknowledges nothing')
  athens.resume()
  t.true((await agree()).texts >= 2)
})

test.serial(
  'a full disk acknowledges nothing that it loses, and the node goes on when there is room',
  async (t) => {
    const { athens, berlin, publish, agree } = await pair(t)
    t.true(await publish(athens))
    await agree()
    await athens.fillDisk()
    await until('a text is refused', async () => !(await publish(athens)))
    t.is((await athens.page('/newswire')).status, 200, 'it can be read all the while')
    t.true(await publish(berlin))
    await athens.freeDisk()
    await until('it publishes again', () => publish(athens))
    for (let count = 0; count < 10; count += 1) t.true(await publish(athens))
    // Whatever was written behind a torn log would be gone by the next start.
    await athens.kill()
    await athens.start()
    t.true((await agree()).texts >= 13)
  },
)

test.serial('a node whose clock is far behind is left alone by name, and loses nothing', async (t) => {
  const { network, athens, berlin, publish, agree } = await pair(t)
  await berlin.setClock(-20 * 60_000)
  t.true((await Promise.all([athens, berlin].map(publish))).every(Boolean))
  for (const node of [athens, berlin]) {
    const { lastError } = await until('the clock is told', async () => {
      const link = await linkOf(node)
      return link?.lastError?.includes('clock') && link
    })
    t.regex(lastError ?? '', /the clock of .* is 1\d\d\d s (ahead of|behind) this node's/)
  }
  await network.heal()
  t.is((await agree()).texts, 2)
})

test.serial(
  'what a node dated far ahead comes through as soon as its time has come, and stops nothing else',
  async (t) => {
    const { network, athens, berlin, publish, agree } = await pair(t)
    await berlin.setClock(20 * 60_000)
    t.true(await publish(berlin))
    await berlin.setClock(0)
    t.true(await publish(berlin))
    await until('what is dated rightly arrives', async () => {
      const ids = await athens.ledgerIds()
      return ids.filter((id) => id.includes(':edit:')).length === 1
    })
    await Promise.all([athens, berlin].map((node) => node.setClock(15 * 60_000)))
    t.is((await agree()).texts, 2)
    await network.heal()
  },
)

test.serial('a node that is killed while people publish on it keeps what it acknowledged', async (t) => {
  const { athens, publish, agree } = await pair(t)
  for (let round = 0; round < 3; round += 1) {
    let acknowledged = 0
    const writers = Array.from({ length: 3 }, async () => {
      while (await publish(athens)) acknowledged += 1
    })
    await until('some texts are published', () => acknowledged >= 8)
    await athens.kill()
    await Promise.all(writers)
    await athens.start()
  }
  t.true((await agree()).texts >= 24)
})

test.serial(
  'a node that is put back to its backup gets everything again, and what it publishes then travels',
  async (t) => {
    const { athens, berlin, publish, agree } = await pair(t)
    t.true(await publish(athens))
    await agree()
    await athens.stop()
    const backup = `${athens.data}.backup`
    await cp(join(athens.data, 'store'), backup, { recursive: true })
    await athens.start()
    for (let count = 0; count < 6; count += 1) t.true(await publish(count < 4 ? athens : berlin))
    await agree()
    await athens.kill()
    await rm(join(athens.data, 'store'), { recursive: true })
    await cp(backup, join(athens.data, 'store'), { recursive: true })
    await athens.start()
    // Fewer than were lost: they get sequence numbers that Berlin has seen before, for other documents.
    for (let count = 0; count < 2; count += 1) t.true(await publish(athens))
    t.is((await agree()).texts, 9)
  },
)
