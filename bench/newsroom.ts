import type { TestNode } from '../test/helpers/node.ts'
import { atLeast, atMost, median, percentile } from './figure.ts'
import type { Benchmark, Figure } from './figure.ts'
import { benchFolder, benchNode, memoryOf } from './nodes.ts'
import { fillLedger } from './site-of.ts'
import type { MadeItem } from './site-of.ts'

const SIZES = [1000, 20_000, 100_000] as const
const ROUNDS = 40
const WARM_UP = 5
const PAGES_READ = 500

type Size = (typeof SIZES)[number]

interface Made {
  data: string
  items: MadeItem[]
  /** Items and comments projected, and how long it took with search and all views. */
  documents: number
  seconds: number
}

let prepared: Promise<Map<Size, Made>> | undefined
let folder: (AsyncDisposable & { path: string }) | undefined

/** Makes a node's folder of each size, once for all benchmarks of a run. */
function preparedSites(): Promise<Map<Size, Made>> {
  prepared ??= prepare()
  return prepared
}

async function prepare(): Promise<Map<Size, Made>> {
  folder = await benchFolder()
  const made = new Map<Size, Made>()
  for (const size of SIZES) {
    await using node = benchNode(folder.path, String(size))
    const { data } = node
    // A first start makes the key and the databases.
    await node.start()
    await node.stop()
    const items = await fillLedger(data, size)
    const begun = performance.now()
    const { code, out, err } = await node.run('rebuild', '--json')
    if (code !== 0) throw new Error(err)
    const seconds = (performance.now() - begun) / 1000
    const { documents: projected } = JSON.parse(out) as { documents: number }
    made.set(size, { data, items, documents: projected, seconds })
  }
  return made
}

/** Removes what the benchmarks of this file share. */
export async function cleanUpSites(): Promise<void> {
  await folder?.[Symbol.asyncDispose]()
}

export const projection: Benchmark = {
  name: 'projection',
  about:
    'hyperactive rebuild of a ledger of 20000 items and 4000 comments: site documents, search and all views',
  async run() {
    const { documents = 0, seconds = 1 } = (await preparedSites()).get(20_000) ?? {}
    return [atLeast('projection', documents / seconds, 'documents/s', 1000)]
  },
}

/** What is read of a site: the same on each size, the 500th page where there are so many. */
function pagesOf({ items }: Made): Record<string, string> {
  const wire = items.filter(({ kind }) => ['article', 'photo', 'audio', 'video'].includes(kind))
  const before = wire.at(-Math.min(500 * 20, wire.length - 40))
  return {
    home: '/',
    newswire: '/newswire',
    'newswire page 500': `/newswire?before=${before?.at ?? ''}_${before?.item ?? ''}`,
    tag: '/tags/river',
    month: '/calendar/2026/10',
    search: '/search?q=harvest',
    'search of two words': '/search?q=river+signal',
  }
}

export const listingGrowth: Benchmark = {
  name: 'listing-growth',
  about: `p50 of ${ROUNDS} interleaved readings at 100000 items against 1000, without a page cache`,
  async run() {
    const sites = await preparedSites()
    const nodes = new Map<Size, TestNode>()
    await using stack = new AsyncDisposableStack()
    for (const size of SIZES) {
      const node = stack.use(benchNode(folder?.path ?? '', String(size)))
      await node.writeConfig('pages: { memoryBytes: 0 }\n')
      await node.start()
      nodes.set(size, node)
    }
    const times = new Map<string, number[]>()
    for (let round = 0; round < ROUNDS + WARM_UP; round += 1) {
      for (const [size, node] of nodes) {
        const site = sites.get(size)
        if (!site) continue
        for (const [name, path] of Object.entries(pagesOf(site))) {
          const begun = performance.now()
          const response = await node.page(path)
          await response.text()
          if (response.status !== 200) throw new Error(`${path} answered ${response.status}`)
          if (round < WARM_UP) continue
          const known = times.get(`${name} ${size}`) ?? []
          known.push(performance.now() - begun)
          times.set(`${name} ${size}`, known)
        }
      }
    }
    const figures: Figure[] = []
    const [smallest, , largest] = SIZES
    for (const name of Object.keys(pagesOf(sites.values().next().value as Made))) {
      const [small, large] = [smallest, largest].map((size) => median(times.get(`${name} ${size}`) ?? []))
      const p50s = SIZES.map((size) => percentile(times.get(`${name} ${size}`) ?? [], 0.5).toFixed(1)).join(
        ', ',
      )
      const figure = atMost('listing-growth', (large ?? 0) / (small ?? 1), 'x', 1.5, `${name} (${p50s} ms)`)
      figures.push(figure)
    }
    figures.push(atMost('home-render', median(times.get(`home ${largest}`) ?? []), 'ms', 25))
    return figures
  },
}

export const memory100k: Benchmark = {
  name: 'memory-100k',
  about: `resident memory of all processes of a node with 100000 items, after ${PAGES_READ} pages read`,
  async run() {
    await preparedSites()
    await using node = benchNode(folder?.path ?? '', '100000')
    // As it is by default, pages are kept.
    await node.writeConfig('')
    await node.start()
    let address: string | undefined = '/newswire'
    for (let page = 0; page < PAGES_READ && address !== undefined; page += 1) {
      const html: string = await node.html(address)
      address = /rel="next" href="([^"]+)"/.exec(html)?.[1]?.replaceAll('&amp;', '&')
    }
    return [atMost('memory-100k', await memoryOf(node.processId), 'MB', 600)]
  },
}
