import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { couchSpace, COUCHDB_URLS } from '../test/helpers/couch-space.ts'
import { publish } from '../test/helpers/forms.ts'
import { TcpLink } from '../test/helpers/link.ts'
import { join2 } from '../test/helpers/node.ts'
import type { TestNode } from '../test/helpers/node.ts'
import { until } from '../test/helpers/wait.ts'
import { readFile } from 'node:fs/promises'
import { atMost, median } from './figure.ts'
import type { Benchmark, Figure } from './figure.ts'
import { benchFolder, benchNode } from './nodes.ts'

const ROUNDS = 3
const FAULT_MS = 20_000

type Fault = (link: TcpLink, source: TestNode) => Promise<() => Promise<void>>

/** Each begins and gives what ends it. */
const FAULTS: Record<string, Fault> = {
  cut: async (link) => state(link, 'cut'),
  'half-open': async (link) => state(link, 'half-open'),
  'black hole': async (link) => state(link, 'swallow-answers'),
  'answers of 503': async (link) => {
    // Connections that are open would go on.
    link.cut()
    return state(link, '503')
  },
  restart: async (_, source) => {
    await source.stop()
    return () => source.start()
  },
}

export const recovery: Benchmark = {
  name: 'recovery',
  about: `a link has a fault for ${FAULT_MS / 1000} s: from its end until a document written meanwhile is shown, median of ${ROUNDS}`,
  async run() {
    // Both wait most of the time, so they may do it side by side.
    const runners = COUCHDB_URLS.length > 0 ? (['node', 'couchdb'] as const) : (['node'] as const)
    return (await Promise.all(runners.map(recoverBy))).flat()
  },
}

async function recoverBy(runner: 'node' | 'couchdb'): Promise<Figure[]> {
  await using folder = await benchFolder()
  await using source = benchNode(folder.path, 'source')
  await using reader = benchNode(folder.path, 'reader', runner === 'couchdb' ? couchSpace() : undefined)
  await Promise.all([source.start(), reader.start()])
  await join2(source, reader)
  await using link = await TcpLink.open(Number(new URL(source.address).port))
  const peers = await readFile(reader.peers, 'utf8')
  await reader.stop()
  await writeFile(join(reader.data, 'config.yaml'), `replication: { runner: ${runner} }\n`)
  await reader.writePeers(peers.replace(source.address, link.address))
  await reader.start()
  const figures: Figure[] = []
  for (const [name, begin] of Object.entries(FAULTS)) {
    const times: number[] = []
    for (let round = 0; round < ROUNDS; round += 1) {
      await publish(source, { title: `Before ${name} ${round}` })
      await shows(reader, `Before ${name} ${round}`)
      const end = await begin(link, source)
      const title = `During ${name} ${round}`
      if (name !== 'restart') await publish(source, { title })
      await pause(FAULT_MS)
      const begun = performance.now()
      await end()
      if (name === 'restart') await publish(source, { title })
      await shows(reader, title)
      times.push((performance.now() - begun) / 1000)
    }
    figures.push(
      atMost(
        'recovery',
        median(times),
        's',
        5,
        `${name}, run by ${runner === 'node' ? 'the node' : 'CouchDB'}`,
      ),
    )
  }
  return figures
}

function state(link: TcpLink, fault: TcpLink['state']): () => Promise<void> {
  link.state = fault
  return () => {
    link.state = 'open'
    return Promise.resolve()
  }
}

function shows(node: TestNode, title: string): Promise<true> {
  return until(
    `the reader shows "${title}"`,
    async () => (await node.html('/newswire')).includes(title) || undefined,
    180_000,
    20,
  )
}
