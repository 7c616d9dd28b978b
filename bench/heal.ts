import { publish } from '../test/helpers/forms.ts'
import { until } from '../test/helpers/wait.ts'
import type { FaultNode } from '../test/faults/fault-node.ts'
import { FaultNetwork } from '../test/faults/network.ts'
import { TOPOLOGIES } from '../test/faults/topologies.ts'
import { atMost, median, percentile } from './figure.ts'
import type { Benchmark } from './figure.ts'
import { publishTimes } from './publish-to-peer.ts'

const EDITS = 500
const PARTED_MS = 60_000
const BAD = { delayMs: 150, jitterMs: 20, loss: 0.01 }
const TIMES = 40
const ROUNDS = 3

export const heal: Benchmark = {
  name: 'heal',
  about: `a ring of 5 is parted for ${PARTED_MS / 1000} s, ${EDITS} articles on each side: healed until all show all, median of ${ROUNDS}`,
  async run() {
    const times: number[] = []
    for (let round = 0; round < ROUNDS; round += 1) {
      await using network = await FaultNetwork.start(TOPOLOGIES.ring(), {
        seed: round,
        mixed: false,
        settings: '',
      })
      times.push(await healTime(network))
    }
    return [atMost('heal', median(times), 's', 5)]
  },
}

export const healBadLinks: Benchmark = {
  name: 'heal-bad-links',
  about: 'the same with 150 ms one way and 1 % loss on every link, once; and publish-to-peer on such a link',
  async run() {
    await using network = await FaultNetwork.start(TOPOLOGIES.ring(), { seed: 1, mixed: false, settings: '' })
    for (const link of network.links.values()) link.slowness = BAD
    const seconds = await healTime(network)
    const times = await publishTimes(network.node('athens'), network.node('berlin'), {
      times: TIMES,
      warmUp: 5,
    })
    return [
      atMost('heal-bad-links', seconds, 's', 15),
      atMost('heal-bad-links', percentile(times, 0.5) / 1000, 's p50', 1, 'publish-to-peer'),
    ]
  },
}

/** Parts athens and berlin from the others for a minute; gives the seconds from healing until all show all. */
async function healTime(network: FaultNetwork): Promise<number> {
  const nodes = [...network.nodes.values()]
  const [athens, , cadiz] = nodes
  if (!athens || !cadiz) throw new Error('a ring has five nodes')
  await publish(athens, { title: 'Before' })
  await until('all have begun', async () => (await shown(nodes)).every((count) => count === 1), 60_000)
  const side = new Set(['athens', 'berlin'])
  const between = [...network.links].filter(([name]) => {
    const [from = '', to = ''] = name.split('-')
    return side.has(from) !== side.has(to)
  })
  for (const [, link] of between) link.cut()
  const end = Date.now() + PARTED_MS
  await Promise.all([athens, cadiz].map(write))
  await until('the partition is over', () => Date.now() >= end, PARTED_MS * 3, 100)
  const begun = performance.now()
  for (const [, link] of between) link.state = 'open'
  const all = 1 + 2 * EDITS
  await until('all show all', async () => (await shown(nodes)).every((count) => count === all), 120_000, 100)
  return (performance.now() - begun) / 1000
}

async function write(node: FaultNode): Promise<void> {
  for (let index = 0; index < EDITS; index += 1)
    await publish(node, { title: `Number ${index} of ${node.name}`, body: 'While we are apart. '.repeat(20) })
}

/** How many articles each node shows. */
function shown(nodes: readonly FaultNode[]): Promise<number[]> {
  return Promise.all(
    nodes.map((node) =>
      node.withCouch(async (couch) => {
        const range = { startkey: '0', endkey: '9' }
        const { rows } = await couch.database('site').allDocs(range)
        return rows.length
      }),
    ),
  )
}
