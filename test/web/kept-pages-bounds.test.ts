import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import test from 'ava'
import type { ExecutionContext } from 'ava'
import Koa from 'koa'
import { fetch } from 'undici'
import { KeptPages, mayKeep } from '../../src/web/kept-pages.ts'
import { publish } from '../helpers/forms.ts'
import { IN_MEMORY } from '../helpers/kept-page.ts'
import { crawl, keptNow, stalePages } from '../helpers/kept-pages.ts'
import { startNodeHere } from '../helpers/node-here.ts'

const MOST_BYTES = 300_000

test('the memory of kept pages is bounded while every address is asked for, that of what leads to them as well', async (t) => {
  const node = await startNodeHere(t, `pages: { memoryBytes: ${MOST_BYTES} }\n`)
  for (let number = 0; number < 25; number += 1) {
    const tags = `tag ${number}, river`
    await publish(node, {
      title: `Story ${number}`,
      tags,
      author: `Writer ${number}`,
      places: `Place ${number}`,
    })
  }
  const { store } = node.here.kept
  const found = await crawl(node, { ofASort: 60, most: 600 })
  t.true(found.size > 300)
  t.true(store.size > 5)
  t.true(store.bytes <= MOST_BYTES, `${store.bytes}`)
  const entries = store.dependencies
  for (let round = 0; round < 150; round += 1) {
    const day = new Date(Date.UTC(2001, 0, round)).toISOString().slice(0, 10)
    await node.html(`/calendar/${day}`)
    await node.html(`/tags/${round}${'x'.repeat(600)}/calendar`)
    t.true(store.bytes <= MOST_BYTES, `${store.bytes}`)
  }
  t.true(store.dependencies < entries * 2 + 200, `${store.dependencies} entries`)
  t.true(store.size < 100, `${store.size} pages`)
  t.deepEqual(await stalePages(node), [])
  store.clear()
  t.deepEqual([store.size, store.bytes, store.dependencies, keptNow(node).size], [0, 0, 0, 0])
})

/** A web server whose only page is kept. */
async function serve(t: ExecutionContext, kept: KeptPages): Promise<() => Promise<string>> {
  const app = new Koa()
  app.use(kept.keeping())
  app.use((ctx) => {
    mayKeep(ctx)
    ctx.body = 'A page.'
  })
  const server = createServer(kept.serving(app.callback()))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  return async () => (await fetch(`http://127.0.0.1:${port}/`)).text()
}

test('nothing is kept while older views answer, since nobody knows what a change touches in them', async (t) => {
  const kept = new KeptPages({
    ...IN_MEMORY,
    mostBytes: MOST_BYTES,
    language: 'en',
    url: undefined,
    views: {},
  })
  const switched = Promise.withResolvers<void>()
  kept.keepFrom(switched.promise)
  const read = await serve(t, kept)
  await read()
  t.is(kept.store.size, 0)
  switched.resolve()
  await switched.promise
  await read()
  t.is(kept.store.size, 1)
})
