import { join } from 'node:path'
import { join2 } from '../test/helpers/node.ts'
import type { TestNode } from '../test/helpers/node.ts'
import { until } from '../test/helpers/wait.ts'
import { atLeast, atMost, median } from './figure.ts'
import type { Benchmark } from './figure.ts'
import { benchFolder, benchNode, memoryOf, writePosts } from './nodes.ts'

const POSTS = 20_000
const STARTS = 5
const ROUNDS = 3

/** Made once for all benchmarks of one run: a node's folder with 20,000 imported posts. */
let prepared: Promise<{ path: string; seconds: number }> | undefined
let preparedFolder: (AsyncDisposable & { path: string }) | undefined

async function prepare(): Promise<{ path: string; seconds: number }> {
  preparedFolder = await benchFolder()
  const { path } = preparedFolder
  await writePosts(join(path, 'posts'), POSTS)
  await using node = benchNode(path, 'node')
  await node.start()
  const begun = performance.now()
  const { code, err } = await node.run('import', join(path, 'posts'))
  const seconds = (performance.now() - begun) / 1000
  if (code !== 0) throw new Error(err)
  await allProjected(node)
  return { path, seconds }
}

/** Resolves when a node has projected the ledger of these benchmarks. */
export async function allProjected(node: TestNode): Promise<void> {
  const count = () => node.withCouch(async (couch) => (await couch.database('site').info()).doc_count)
  const ready = async () => (await node.html('/readyz')) === 'ok\n'
  await until('all is projected', async () => (await ready()) && (await count()) >= POSTS, 600_000, 250)
}

/** The folder of a node with 20,000 imported posts, and how long the import took. */
export function preparedNode(): Promise<{ path: string; seconds: number }> {
  prepared ??= prepare()
  return prepared
}

/** Removes what the benchmarks of this file share. */
export async function cleanUp(): Promise<void> {
  await preparedFolder?.[Symbol.asyncDispose]()
}

export const importRate: Benchmark = {
  name: 'import',
  about: `hyperactive import of ${POSTS} Markdown files of 2 KB into a running node`,
  async run() {
    const { seconds } = await preparedNode()
    return [atLeast('import', POSTS / seconds, 'posts/s', 200)]
  },
}

export const initialSync: Benchmark = {
  name: 'initial-sync',
  about: `a fresh node pulls a ledger of ${POSTS} edits: from its first document until all are stored, median of ${ROUNDS}`,
  async run() {
    const { path } = await preparedNode()
    await using full = benchNode(path, 'node')
    await full.start()
    const rates: number[] = []
    for (let round = 0; round < ROUNDS; round += 1) {
      await using folder = await benchFolder()
      await using fresh = benchNode(folder.path, 'fresh')
      await fresh.start()
      rates.push(await syncRate(full, fresh))
    }
    return [atLeast('initial-sync', median(rates), 'documents/s', 2000)]
  },
}

/** Documents a second with which a fresh node takes in the prepared ledger, from its first document until the last. */
export async function syncRate(full: TestNode, fresh: TestNode): Promise<number> {
  await join2(full, fresh)
  const count = () => fresh.withCouch(async (couch) => (await couch.database('ledger').info()).doc_count)
  await until('the first document is there', async () => (await count()) > 2)
  const begun = performance.now()
  const already = await count()
  // Asked seldom: asking takes from the same two cores.
  await until('all documents are there', async () => (await count()) >= POSTS, 600_000, 250)
  return (POSTS - already) / ((performance.now() - begun) / 1000)
}

export const start: Benchmark = {
  name: 'start',
  about: `process started until the front page of ${POSTS} items is answered, median of ${STARTS}`,
  async run() {
    const { path } = await preparedNode()
    const times: number[] = []
    for (let round = 0; round < STARTS; round += 1) {
      await using node = benchNode(path, 'node')
      const begun = performance.now()
      await node.start()
      if (!(await node.html('/')).includes('Report')) throw new Error('the front page is empty')
      times.push((performance.now() - begun) / 1000)
    }
    return [atMost('start', median(times), 's', 3)]
  },
}

export const memory: Benchmark = {
  name: 'memory',
  about: `resident memory of all processes of a node with ${POSTS} items, after 500 pages read`,
  async run() {
    const { path } = await preparedNode()
    await using node = benchNode(path, 'node')
    await node.start()
    let address: string | undefined = '/newswire'
    for (let page = 0; page < 500 && address !== undefined; page += 1) {
      const html: string = await node.html(address)
      address = /rel="next" href="([^"]+)"/.exec(html)?.[1]
    }
    return [atMost('memory', await memoryOf(node.processId), 'MB', 450)]
  },
}
