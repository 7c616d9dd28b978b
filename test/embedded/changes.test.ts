import { get } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { createInterface } from 'node:readline'
import test from 'ava'
import type { ExecutionContext } from 'ava'
import { until } from '../helpers/wait.ts'
import { AUTHORIZATION, serveStore } from './store.ts'
import type { TestStore } from './store.ts'

interface Line {
  id?: string
  last_seq?: number
}

/** Opens a feed and collects its lines as they come. */
async function openFeed(t: ExecutionContext, store: TestStore, query: string) {
  const request = get(`${store.url}/ledger/_changes?${query}`, { headers: { authorization: AUTHORIZATION } })
  request.on('error', () => {})
  t.teardown(() => request.destroy())
  const answer = await new Promise<IncomingMessage>((resolve) => {
    request.once('response', resolve)
  })
  const feed = { status: answer.statusCode, lines: [] as Line[], beats: 0, ended: false, request }
  answer.on('error', () => {})
  answer.once('end', () => {
    feed.ended = true
  })
  const lines = createInterface({ input: answer })
  // A feed that is cut off is what some tests are about.
  lines.on('error', () => {})
  lines.on('line', (line) => {
    if (line === '') feed.beats += 1
    else if (query.includes('continuous')) feed.lines.push(JSON.parse(line) as Line)
  })
  return feed
}

const listeners = (store: TestStore) => store.opened.events.listenerCount('written')

test('the normal feed gives every change once, in order, with documents and tombstones', async (t) => {
  const { database, call } = await serveStore(t)
  const first = await database.put({ _id: 'a' })
  await database.put({ _id: 'b' })
  await database.put({ _id: 'a', _rev: first.rev })
  const { rev } = await database.put({ _id: 'c' })
  await database.delete('c', rev)
  const { results, last_seq, pending } = await database.changes({ include_docs: true })
  t.deepEqual(
    results.map(({ id, seq, deleted }) => [id, seq, deleted]),
    [
      ['b', 2, undefined],
      ['a', 3, undefined],
      ['c', 5, true],
    ],
  )
  t.is(results[1]?.doc?._id, 'a')
  t.deepEqual([last_seq, pending], [5, 0])
  const some = await database.changes({ since: 2, limit: 1 })
  t.deepEqual([some.results.length, some.last_seq], [1, 3])
  t.true((some.pending ?? 0) > 0)
  t.deepEqual((await database.changes({ since: 'now' })).results, [])
  t.is((await call('GET', '/ledger/_changes?descending=true&limit=1')).body.results[0].id, 'c')
  t.is((await call('POST', '/ledger/_changes?since=0', {})).body.results.length, 3)
  t.is((await call('GET', '/ledger/_changes?limit=0')).body.results.length, 1)
})

test('a feed of many pages is whole, and goes on where a limit ended', async (t) => {
  const { database } = await serveStore(t)
  const ids = Array.from({ length: 1700 }, (_, index) => `d${index}`)
  await database.bulkDocs(ids.map((_id) => ({ _id })))
  const whole = await database.changes({ since: 0 })
  t.deepEqual(
    whole.results.map(({ id }) => id),
    ids,
  )
  t.deepEqual([whole.last_seq, whole.pending], [1700, 0])
  const long = await database.changes({ since: 0, feed: 'longpoll', timeout: 1000 })
  t.is(long.results.length, 1700)
  const first = await database.changes({ since: 0, limit: 1000 })
  const rest = await database.changes({ since: first.last_seq })
  t.deepEqual([first.pending, rest.results.length], [700, 700])
})

test('style=all_docs names every leaf', async (t) => {
  const { database } = await serveStore(t)
  const leaves = ['1-aa', '1-bb'].map((_rev) => ({ _id: 'doc', _rev }))
  await database.bulkDocs(leaves, { newEdits: false })
  const { results } = await database.changes({ style: 'all_docs' })
  t.deepEqual(results[0]?.changes.map(({ rev }) => rev).sort(), ['1-aa', '1-bb'])
})

test('a sequence number from before the files were lost begins again at zero', async (t) => {
  const { database } = await serveStore(t)
  await database.put({ _id: 'a' })
  t.is((await database.changes({ since: 1000 })).results.length, 1)
})

test('a long poll answers at the next write, or with nothing when its time is over', async (t) => {
  const store = await serveStore(t)
  const { database } = store
  await database.put({ _id: 'a' })
  t.is((await database.changes({ feed: 'longpoll', since: 0 })).results.length, 1)
  const waiting = database.changes({ feed: 'longpoll', since: 'now' })
  await until('somebody waits', () => listeners(store) === 1)
  await database.put({ _id: 'b' })
  t.deepEqual(
    (await waiting).results.map(({ id }) => id),
    ['b'],
  )
  const nothing = await database.changes({ feed: 'longpoll', since: 'now', timeout: 50 })
  t.deepEqual(nothing, { results: [], last_seq: 2, pending: 0 })
  t.is(listeners(store), 0)
})

test('two hundred long polls wait at once, all are answered, and none leaves a listener', async (t) => {
  const store = await serveStore(t)
  const polls = Array.from({ length: 200 }, () => openFeed(t, store, 'feed=longpoll&since=now'))
  const feeds = await Promise.all(polls)
  await until('all wait', () => listeners(store) === 200)
  await store.database.put({ _id: 'a' })
  await until('all are answered', () => feeds.every(({ ended }) => ended))
  t.is(listeners(store), 0)
})

test('a long poll or continuous feed is cancelled when its client goes', async (t) => {
  const store = await serveStore(t)
  const feeds = await Promise.all([
    openFeed(t, store, 'feed=longpoll&since=now&heartbeat=20'),
    openFeed(t, store, 'feed=longpoll&since=now&timeout=60000'),
    openFeed(t, store, 'feed=continuous&since=now&heartbeat=20'),
    openFeed(t, store, 'feed=continuous&since=now&timeout=60000'),
  ])
  await until('all wait', () => listeners(store) === feeds.length)
  for (const { request } of feeds) request.destroy()
  await until('none waits', () => listeners(store) === 0)
  t.is((await store.call('PUT', '/ledger/after', {})).status, 201)
})

test('a HEAD request for a waiting feed leaves nothing behind', async (t) => {
  const store = await serveStore(t)
  t.is((await store.call('HEAD', '/ledger/_changes?feed=longpoll&since=now')).status, 200)
  await until('none waits', () => listeners(store) === 0)
  t.pass()
})

test('a continuous feed gives changes as they come, and newlines while there are none', async (t) => {
  const store = await serveStore(t)
  await store.database.put({ _id: 'before' })
  const feed = await openFeed(t, store, 'feed=continuous&since=0&heartbeat=20&include_docs=true')
  await until('the first change comes', () => feed.lines.length === 1)
  await until('the heart beats', () => feed.beats >= 2)
  await store.database.bulkDocs([{ _id: 'after' }, { _id: 'later' }])
  await until('the next changes come', () => feed.lines.length === 3)
  t.deepEqual(
    feed.lines.map(({ id }) => id),
    ['before', 'after', 'later'],
  )
  t.false(feed.ended)
})

test('a continuous feed ends with last_seq at its limit and at its timeout', async (t) => {
  const store = await serveStore(t)
  await store.database.bulkDocs([{ _id: 'a' }, { _id: 'b' }])
  const limited = await openFeed(t, store, 'feed=continuous&since=0&limit=1')
  await until('it ends', () => limited.ended)
  t.deepEqual(
    limited.lines.map(({ id, last_seq }) => [id, last_seq]),
    [
      ['a', undefined],
      [undefined, 1],
    ],
  )
  const timed = await openFeed(t, store, 'feed=continuous&since=0&timeout=30')
  await until('it ends', () => timed.ended)
  t.is(timed.lines.at(-1)?.last_seq, 2)
  t.is(listeners(store), 0)
})

test('a feed ends when its database is deleted', async (t) => {
  const store = await serveStore(t)
  const feed = await openFeed(t, store, 'feed=continuous&since=now&heartbeat=20')
  await until('it waits', () => listeners(store) === 1)
  const closed = new Promise((resolve) => {
    feed.request.once('close', resolve)
  })
  await store.call('DELETE', '/ledger')
  await closed
  t.is(listeners(store), 0)
})

test('what a feed cannot do is a 400', async (t) => {
  const { call } = await serveStore(t)
  for (const query of [
    'feed=x',
    'since=x',
    'limit=x',
    'heartbeat=0',
    'timeout=x',
    'filter=_view',
    'include_docs=1',
  ]) {
    t.is((await call('GET', `/ledger/_changes?${query}`)).status, 400, query)
  }
})
