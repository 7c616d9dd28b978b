import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { connectCouch } from '../../src/couch/client.ts'
import type { Couch } from '../../src/couch/client.ts'
import { startEmbeddedStore } from '../../src/couch/embedded/start.ts'
import type { EmbeddedStore } from '../../src/couch/embedded/start.ts'
import { HybridClock } from '../../src/ledger/clock.ts'
import type { SigningKey } from '../../src/ledger/keys.ts'
import { Ledger } from '../../src/ledger/ledger.ts'
import { testFolder } from './folder.ts'
import { newKey } from './keys.ts'

export interface TestStore {
  couch: Couch
  store: EmbeddedStore
  /** Base URL with credentials. */
  url: string
  key: SigningKey
  ledger: Ledger
}

/** A real embedded store with a ledger, gone with the test. */
export async function startStore(t: ExecutionContext, key = newKey()): Promise<TestStore> {
  const store = await startEmbeddedStore({ folder: join(await testFolder(t), 'store') })
  t.teardown(() => store[Symbol.asyncDispose]())
  const url = new URL(store.url)
  url.username = store.username
  url.password = store.password
  const couch = connectCouch(url.href)
  t.teardown(() => couch[Symbol.asyncDispose]())
  const ledger = new Ledger(await couch.ensureDatabase('ledger'), key, new HybridClock())
  return { couch, store, url: url.href, key, ledger }
}
