import { randomBytes } from 'node:crypto'
import { connectCouch } from '../../src/couch/client.ts'

/** CouchDBs for tests, with administrators' credentials: `HYPERACTIVE_TEST_COUCHDB_URLS`, separated by commas. */
export const COUCHDB_URLS = (process.env.HYPERACTIVE_TEST_COUCHDB_URLS ?? '').split(/[\s,]+/).filter(Boolean)

/** Whether this run of the tests is the one on real CouchDBs. */
export const ON_COUCHDB = process.env.HYPERACTIVE_TEST_STORE === 'couchdb'

/** A place of its own for one node on a real CouchDB. */
export interface CouchSpace {
  url: string
  prefix: string
  /** Environment of a node that uses it. */
  environment: { COUCHDB_URL: string; HYPERACTIVE_COUCHDB_PREFIX: string }
  /** Removes its databases and its user. */
  remove(): Promise<void>
}

let taken = 0

/** The next space; the CouchDBs take turns. */
export function couchSpace(): CouchSpace {
  const url = COUCHDB_URLS[taken % COUCHDB_URLS.length]
  if (url === undefined) throw new Error('HYPERACTIVE_TEST_COUCHDB_URLS names no CouchDB')
  taken += 1
  const prefix = `test-${randomBytes(6).toString('hex')}-`
  return {
    url,
    prefix,
    environment: { COUCHDB_URL: url, HYPERACTIVE_COUCHDB_PREFIX: prefix },
    async remove() {
      await using couch = connectCouch(url)
      const names = await couch.request<string[]>({ path: '_all_dbs' })
      for (const name of names.filter((database) => database.startsWith(prefix)))
        await couch.deleteDatabase(name)
      const users = couch.database('_users')
      const first = `org.couchdb.user:hyperactive-${prefix}`
      const { rows } = await users.allDocs({ startkey: first, endkey: `${first}\ufff0` })
      for (const { key, value } of rows) if (value) await users.delete(key, value.rev)
    },
  }
}
