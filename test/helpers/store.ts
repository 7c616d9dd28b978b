import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { connectCouch } from '../../src/couch/client.ts'
import type { Couch } from '../../src/couch/client.ts'
import { startEmbeddedStore } from '../../src/couch/embedded/start.ts'
import { HybridClock } from '../../src/ledger/clock.ts'
import type { SigningKey } from '../../src/ledger/keys.ts'
import { Ledger } from '../../src/ledger/ledger.ts'
import { couchSpace, ON_COUCHDB } from './couchdb.ts'
import { testFolder } from './folder.ts'
import { newKey } from './keys.ts'

export interface TestStore {
  couch: Couch
  /** Base URL with credentials. */
  url: string
  key: SigningKey
  ledger: Ledger
}

/** A store with a ledger, gone with the test: an embedded one, or a place on a real CouchDB in the run on those. */
export async function startStore(t: ExecutionContext, key = newKey()): Promise<TestStore> {
  const { url, prefix } = ON_COUCHDB ? couchdbStore(t) : { url: await embeddedStore(t), prefix: '' }
  const couch = connectCouch(url, { prefix })
  t.teardown(() => couch[Symbol.asyncDispose]())
  const ledger = new Ledger(await couch.ensureDatabase('ledger'), key, new HybridClock())
  return { couch, url, key, ledger }
}

function couchdbStore(t: ExecutionContext): { url: string; prefix: string } {
  const space = couchSpace()
  t.teardown(() => space.remove())
  return space
}

async function embeddedStore(t: ExecutionContext): Promise<string> {
  const store = await startEmbeddedStore({ folder: join(await testFolder(t), 'store') })
  t.teardown(() => store[Symbol.asyncDispose]())
  const url = new URL(store.url)
  url.username = store.username
  url.password = store.password
  return url.href
}
