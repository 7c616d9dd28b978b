import { couchSpace } from '../test/helpers/couch-space.ts'
import { join2 } from '../test/helpers/node.ts'
import { median, percentile, plain } from './figure.ts'
import type { Benchmark, Figure } from './figure.ts'
import { allProjected, preparedNode, syncRate } from './ledger-of-20000.ts'
import { benchFolder, benchNode } from './nodes.ts'
import { publishTimes } from './publish-to-peer.ts'

const TIMES = 100
const WARM_UP = 10
const ROUNDS = 3

/** Which of the two nodes are on a CouchDB: the source, the target. */
const PAIRS: [string, boolean, boolean][] = [
  ['embedded pair', false, false],
  ['CouchDB pair', true, true],
  ['embedded to CouchDB', false, true],
  ['CouchDB to embedded', true, false],
]

export const publishToPeerCouchdb: Benchmark = {
  name: 'publish-to-peer-couchdb',
  about: `form sent on A until the article is on B's newswire page, ${TIMES} times`,
  needsCouchdb: true,
  async run() {
    const figures: Figure[] = []
    for (const [pair, onA, onB] of PAIRS) {
      await using folder = await benchFolder()
      await using a = benchNode(folder.path, 'a', onA ? couchSpace() : undefined)
      await using b = benchNode(folder.path, 'b', onB ? couchSpace() : undefined)
      await Promise.all([a.start(), b.start()])
      await join2(a, b)
      const times = await publishTimes(a, b, { times: TIMES, warmUp: WARM_UP })
      figures.push(
        plain('publish-to-peer-couchdb', percentile(times, 0.5), 'ms p50', pair),
        plain('publish-to-peer-couchdb', percentile(times, 0.99), 'ms p99', pair),
      )
    }
    return figures
  },
}

export const initialSyncCouchdb: Benchmark = {
  name: 'initial-sync-couchdb',
  about: `a fresh node pulls a ledger of 20000 edits from another one, median of ${ROUNDS}`,
  needsCouchdb: true,
  async run() {
    const { path } = await preparedNode()
    await using full = benchNode(path, 'node')
    await full.start()
    const rates = { embedded: [] as number[], couchdb: [] as number[], back: [] as number[] }
    for (let round = 0; round < ROUNDS; round += 1) {
      await using folder = await benchFolder()
      await using embedded = benchNode(folder.path, 'embedded')
      await embedded.start()
      rates.embedded.push(await syncRate(full, embedded))
      await embedded.stop()
      await using couchdb = benchNode(folder.path, 'couchdb', couchSpace())
      await couchdb.start()
      rates.couchdb.push(await syncRate(full, couchdb))
      // Its source has been at rest in the other two as well.
      await allProjected(couchdb)
      await using pair = benchNode(folder.path, 'pair', couchSpace())
      await pair.start()
      rates.back.push(await syncRate(couchdb, pair))
    }
    const embedded = median(rates.embedded)
    return [
      plain('initial-sync-couchdb', embedded, 'documents/s', 'embedded to embedded'),
      plain('initial-sync-couchdb', median(rates.couchdb), 'documents/s', 'embedded to CouchDB'),
      plain('initial-sync-couchdb', median(rates.back), 'documents/s', 'CouchDB to CouchDB'),
      plain(
        'initial-sync-couchdb',
        (100 * median(rates.back)) / embedded,
        '% of embedded',
        'CouchDB to CouchDB',
      ),
    ]
  },
}
