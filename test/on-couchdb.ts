import { spawnSync } from 'node:child_process'
import { COUCHDB_URLS } from './helpers/couch-space.ts'

/** The folders of tests that use a store, whichever it is. */
const FOLDERS = [
  'api',
  'browser',
  'cli',
  'erasure',
  'faults',
  'gateway',
  'import',
  'kinds',
  'network',
  'newsroom',
  'project',
  'replication',
  'store',
  'syndication',
  'web',
]

if (COUCHDB_URLS.length === 0) {
  process.stdout.write(
    '\nThe tests ran on the embedded store. HYPERACTIVE_TEST_COUCHDB_URLS names CouchDBs to run them on as well.\n',
  )
} else {
  process.stdout.write(`\nThe same tests on ${COUCHDB_URLS.length} CouchDB\n`)
  const { status } = spawnSync(
    'ava',
    FOLDERS.map((folder) => `test/${folder}`),
    {
      env: { ...process.env, HYPERACTIVE_TEST_STORE: 'couchdb' },
      stdio: 'inherit',
    },
  )
  process.exitCode = status ?? 1
}
