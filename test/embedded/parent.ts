import { connectCouch } from '../../src/couch/client.ts'
import { startEmbeddedStore } from '../../src/couch/embedded/start.ts'

// A program of its own, for the test that kills a store's parent.
const store = await startEmbeddedStore({ folder: process.argv[2] ?? '' })
const couch = connectCouch(store.url.replace('//', `//${store.username}:${store.password}@`))
await (await couch.ensureDatabase('ledger')).put({ _id: 'doc' })
process.send?.({ url: store.url, processId: store.processId })
