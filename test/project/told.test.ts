import { createServer, request } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import test from 'ava'
import type { ExecutionContext } from 'ava'
import { connectCouch } from '../../src/couch/client.ts'
import { deployDesignDoc } from '../../src/couch/design-docs.ts'
import { Projector } from '../../src/project/projector.ts'
import { SITE_DATABASE } from '../../src/project/rebuild.ts'
import type { Written } from '../../src/project/site-writer.ts'
import { Site } from '../../src/project/site.ts'
import { tracking } from '../../src/reads.ts'
import { SearchIndex } from '../../src/search/search-index.ts'
import { Frame } from '../../src/web/frame.ts'
import { makeEdit } from '../helpers/keys.ts'
import { policy } from '../helpers/policy.ts'
import { project } from '../helpers/projector.ts'
import { startStore } from '../helpers/store.ts'

/** What stands before a store and can lose the answers to what was written there. */
async function losing(t: ExecutionContext, url: string) {
  const target = new URL(url)
  const state = { loses: false, lost: 0 }
  const server = createServer((asked, answer) => {
    const { method, url: path, headers } = asked
    const forwarded = request({ host: target.hostname, port: target.port, method, path, headers })
    asked.pipe(forwarded)
    forwarded.on('response', (given) => {
      if (state.loses && path?.endsWith('/_bulk_docs') === true) {
        state.lost += 1
        given.resume()
        given.on('end', () => asked.socket.destroy())
        return
      }
      answer.writeHead(given.statusCode ?? 502, given.headers)
      given.pipe(answer)
    })
    forwarded.on('error', () => answer.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  t.teardown(() => server.closeAllConnections())
  const through = new URL(url)
  through.port = String((server.address() as AddressInfo).port)
  return { url: through.href, state }
}

test('what was written though the answer was lost is told of, at once', async (t) => {
  const store = await startStore(t)
  const { url, state } = await losing(t, store.url)
  await store.couch.ensureDatabase(SITE_DATABASE)
  const couch = connectCouch(url)
  t.teardown(() => couch[Symbol.asyncDispose]())
  const site = couch.database(SITE_DATABASE)
  const told: Written[] = []
  await using projector = new Projector({
    ledger: store.ledger,
    site,
    deployment: await deployDesignDoc(site),
    index: SearchIndex.open(':memory:'),
    policy: policy(store.key.publicKey),
    anchors: () => [store.key.publicKey],
    onWritten: (written) => told.push(written),
  })
  await projector.open()
  const edit = makeEdit(store.key)
  await store.ledger.database.bulkDocs([edit], { newEdits: false })
  state.loses = true
  await t.throwsAsync(projector.catchUp())
  t.true(state.lost > 0)
  t.not(await store.couch.database(SITE_DATABASE).get(edit.item), undefined, 'it was written')
  const ids = () => told.flatMap(({ documents }) => documents.map(({ id }) => id))
  t.true(ids().includes(edit.item))
  state.loses = false
  await projector.catchUp()
  t.true(told.some(({ names }) => names.includes('count:kind:article')))
})

test('a frame that cannot be read anew is given as it was, and nothing that has it is kept', async (t) => {
  const store = await startStore(t)
  await using projected = await project(store)
  let [design, version] = ['', 1]
  const deployment = await deployDesignDoc(projected.database)
  design = deployment.inForce()
  const site = new Site(projected.database, () => design)
  const frame = new Frame({ site, version: () => version })
  t.false((await tracking(() => frame.read())).reads.isUntold)
  version = 2
  design = 'gone'
  const { value, reads } = await tracking(() => frame.read())
  t.deepEqual(value, { menu: [], foot: [] })
  t.true(reads.isUntold)
})
