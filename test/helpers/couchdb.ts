import test from 'ava'
import { COUCHDB_URLS, ON_COUCHDB } from './couch-space.ts'

export { COUCHDB_URLS, couchSpace, ON_COUCHDB } from './couch-space.ts'
export type { CouchSpace } from './couch-space.ts'

/** For tests of the store that a node starts itself: they have nothing to say of a CouchDB that is there already. */
export const testOfOwnStore = ON_COUCHDB ? test.skip : test

/** For tests of what is there only with a real CouchDB; they run in either run, once CouchDBs are named. */
export const testOnCouchdb = COUCHDB_URLS.length > 0 ? test : test.skip
