import { cpus, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import { COUCHDB_URLS } from '../test/helpers/couch-space.ts'
import { blobReplication } from './blob-replication.ts'
import { initialSyncCouchdb, publishToPeerCouchdb } from './couchdb.ts'
import type { Benchmark, Figure } from './figure.ts'
import { heal, healBadLinks } from './heal.ts'
import { hostileDocuments } from './hostile-documents.ts'
import { kill9 } from './kill9.ts'
import { cleanUp, importRate, initialSync, memory, start } from './ledger-of-20000.ts'
import { mirror } from './mirror.ts'
import { bulkDecisions, hideToGone } from './moderation.ts'
import { cleanUpSites, listingGrowth, memory100k, projection } from './newsroom.ts'
import { produceAll } from './produce.ts'
import { photos } from './photos.ts'
import { saveToFile, storedPage, trace } from './pages.ts'
import { publishToPeer } from './publish-to-peer.ts'
import { range } from './range.ts'
import { recovery } from './recovery.ts'
import { uploadLarge } from './uploads.ts'
import { workers } from './workers.ts'

const BENCHMARKS: Benchmark[] = [
  publishToPeer,
  importRate,
  initialSync,
  start,
  memory,
  publishToPeerCouchdb,
  initialSyncCouchdb,
  heal,
  healBadLinks,
  recovery,
  kill9,
  hostileDocuments,
  projection,
  listingGrowth,
  memory100k,
  hideToGone,
  bulkDecisions,
  workers,
  storedPage,
  range,
  trace,
  saveToFile,
  produceAll,
  mirror,
  blobReplication,
  uploadLarge,
  photos,
]

const { values } = parseArgs({
  options: { json: { type: 'boolean' }, only: { type: 'string', multiple: true } },
})
const names = BENCHMARKS.map(({ name }) => name)
const unknown = values.only?.find((name) => !names.includes(name))
if (unknown !== undefined) {
  process.stderr.write(`there is no benchmark "${unknown}"; there are ${names.join(', ')}\n`)
  process.exit(2)
}
if (!values.json) {
  const [cpu] = cpus()
  const memory = Math.round(totalmem() / 1024 ** 3)
  process.stdout.write(
    `Node ${process.version}, ${process.platform} ${process.arch}, ${cpus().length} × ${cpu?.model.trim() ?? '?'}, ${memory} GiB\n\n`,
  )
}
try {
  for (const benchmark of BENCHMARKS) {
    if (values.only && !values.only.includes(benchmark.name)) continue
    if (benchmark.needsCouchdb && COUCHDB_URLS.length === 0) {
      process.stderr.write(`${benchmark.name} is left out: HYPERACTIVE_TEST_COUCHDB_URLS names no CouchDB\n`)
      continue
    }
    const figures = await benchmark.run()
    for (const figure of figures) print(benchmark, figure)
  }
} finally {
  await cleanUp()
  await cleanUpSites()
}

function print({ about }: Benchmark, { name, value, unit, of, goal, met }: Figure): void {
  if (values.json) {
    process.stdout.write(`${JSON.stringify({ name, of, value, unit, goal, met })}\n`)
    return
  }
  const verdict = met === undefined ? '' : met ? 'met' : 'NOT MET'
  process.stdout.write(
    `${name.padEnd(25)}${String(value).padStart(8)} ${unit.padEnd(14)}${(goal ?? '').padEnd(10)}${verdict.padEnd(9)}${of === undefined ? '' : `${of}: `}${about}\n`,
  )
}
