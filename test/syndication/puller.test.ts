import test from 'ava'
import { policy } from '../helpers/policy.ts'
import { SearchIndex } from '../../src/search/search-index.ts'
import type { ExecutionContext } from 'ava'
import { heldDocuments } from '../../src/project/held.ts'
import { rebuildSite, SITE_DATABASE } from '../../src/project/rebuild.ts'
import { scope } from '../../src/project/site-rows.ts'
import { feedId, feedsOf } from '../../src/syndication/feed-documents.ts'
import { GuardedFetch } from '../../src/syndication/guarded-fetch.ts'
import type { GuardedFetchOptions } from '../../src/syndication/guarded-fetch.ts'
import { FeedPuller } from '../../src/syndication/puller.ts'
import type { FeedPullerOptions } from '../../src/syndication/puller.ts'
import { lookupTo, rss, startFeedServer } from '../helpers/feed-server.ts'
import { makeEdit } from '../helpers/keys.ts'
import { project } from '../helpers/projector.ts'
import { startStore } from '../helpers/store.ts'
import { until } from '../helpers/wait.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const START_MS = Date.UTC(2026, 10, 23, 7)

/** A puller over a store of its own; the clock stands until it is set, and the feeds are those in `named`. */
async function startPuller(
  t: ExecutionContext,
  fetch: GuardedFetchOptions = {},
  options: Partial<FeedPullerOptions> = {},
) {
  const store = await startStore(t)
  const site = await store.couch.ensureDatabase(SITE_DATABASE)
  const named: string[] = []
  const clock = { nowMs: START_MS }
  const make = () =>
    new FeedPuller({
      site,
      fetch: new GuardedFetch({ allow: (address) => address.startsWith('127.'), ...fetch }),
      feeds: async () => named.map((address) => ({ group: 'a', address })),
      now: () => clock.nowMs,
      ...options,
    })
  const puller = make()
  t.teardown(() => puller[Symbol.asyncDispose]())
  const feed = async (address: string) => (await feedsOf(site, [address]))[0]
  return { store, site, named, clock, make, puller, feed }
}

test('a feed is pulled, kept, and asked again after its time, with what it said of its version', async (t) => {
  let title = 'First'
  const server = await startFeedServer(t, ({ headers }, response) => {
    if (headers['if-none-match'] === `"${title}"`) response.writeHead(304).end()
    else response.setHeader('etag', `"${title}"`).end(rss([{ title }], 'News'))
  })
  const { named, clock, puller, feed, site } = await startPuller(t)
  named.push(server.origin)
  t.is(await puller.round(), 0)
  t.like(await feed(server.origin), {
    _id: feedId(server.origin),
    type: 'feed',
    address: server.origin,
    title: 'News',
    etag: '"First"',
    fetchedAt: '2026-11-23T07:00:00.000Z',
    failure: undefined,
  })

  clock.nowMs += 29 * MINUTE_MS
  await puller.round()
  t.is(server.requests.length, 1, 'not before its time')
  clock.nowMs += 8 * MINUTE_MS
  const revision = (await site.get(feedId(server.origin)))?._rev
  await puller.round()
  t.is(server.requests.length, 2)
  t.is(server.requests[1]?.headers['if-none-match'], '"First"')
  t.is((await site.get(feedId(server.origin)))?._rev, revision, 'nothing new is not written down')
  await puller.round()
  t.is(server.requests.length, 2, 'and waits its time again')

  title = 'Second'
  clock.nowMs += HOUR_MS
  await puller.round()
  const found = await feed(server.origin)
  t.like(found, { etag: '"Second"', fetchedAt: '2026-11-23T08:37:00.000Z' })
  t.deepEqual(
    found?.entries.map((entry) => entry.title),
    ['Second'],
  )
})

test('a feed with a date of change only is asked whether it has changed', async (t) => {
  const date = 'Mon, 23 Nov 2026 06:00:00 GMT'
  const server = await startFeedServer(t, ({ headers }, response) => {
    if (headers['if-modified-since'] === date) response.writeHead(304).end()
    else response.setHeader('last-modified', date).end(rss([{ title: 'One' }]))
  })
  const { named, clock, puller, feed } = await startPuller(t)
  named.push(server.origin)
  await puller.round()
  for (let hours = 0; hours < 7; hours += 1) {
    clock.nowMs += HOUR_MS
    await puller.round()
  }
  t.is(server.requests.length, 8)
  t.like(await feed(server.origin), {
    lastModified: date,
    fetchedAt: '2026-11-23T13:00:00.000Z',
    entries: [{ title: 'One' }],
  })
})

test('a new puller knows from the documents when feeds are due', async (t) => {
  const server = await startFeedServer(t)
  const { named, clock, puller, make } = await startPuller(t)
  named.push(`${server.origin}/a`)
  await puller.round()
  server.answer = (_, response) => response.writeHead(500).end()
  named.push(`${server.origin}/b`)
  await puller.round()
  t.is(server.requests.length, 2)
  clock.nowMs += 20 * MINUTE_MS
  await using later = make()
  await later.round()
  t.is(server.requests.length, 2)
  clock.nowMs += 20 * MINUTE_MS
  await later.round()
  await later.round()
  t.deepEqual(
    server.requests.map(({ url = '' }) => url).sort((a, b) => a.localeCompare(b)),
    ['/a', '/a', '/b', '/b'],
  )
})

test('what goes wrong is noted with what was known, tried again ever later, and forgotten when it is over', async (t) => {
  const server = await startFeedServer(t)
  const { named, clock, puller, feed } = await startPuller(t)
  named.push(server.origin)
  await puller.round()
  server.answer = (_, response) => response.writeHead(404).end()
  clock.nowMs += HOUR_MS
  await puller.round()
  const first = await feed(server.origin)
  t.like(first, {
    entries: [{ title: 'First' }],
    fetchedAt: '2026-11-23T07:00:00.000Z',
    failure: { code: 'feed_status_404', since: '2026-11-23T08:00:00.000Z', tries: 1 },
  })
  server.answer = (_, response) => response.end('<html>Gone fishing</html>')
  for (const hours of [1, 2, 3, 5]) {
    const { next = '' } = (await feed(server.origin))?.failure ?? {}
    const asked = server.requests.length
    clock.nowMs = Date.parse(next) - 1
    await puller.round()
    t.is(server.requests.length, asked, `not yet, ${hours}`)
    clock.nowMs += 1
    await puller.round()
    t.is(server.requests.length, asked + 1, `now, ${hours}`)
  }
  t.like((await feed(server.origin))?.failure, {
    code: 'feed_malformed',
    since: '2026-11-23T08:00:00.000Z',
    tries: 5,
  })
  t.true(clock.nowMs > START_MS + 8 * HOUR_MS)
  server.answer = (_, response) => response.end(rss([{ title: 'Back' }]))
  clock.nowMs += 24 * HOUR_MS
  await puller.round()
  const after = await feed(server.origin)
  t.false('failure' in (after ?? {}))
  t.is(after?.entries[0]?.title, 'Back')
})

test('a server that asks to be left alone is left alone', async (t) => {
  const server = await startFeedServer(t, (_, response) =>
    response.writeHead(429, { 'retry-after': '36000' }).end(),
  )
  const { named, clock, puller, feed } = await startPuller(t)
  named.push(server.origin)
  await puller.round()
  t.like(await feed(server.origin), { entries: [], failure: { code: 'feed_status_429' } })
  clock.nowMs += 9.9 * HOUR_MS
  await puller.round()
  t.is(server.requests.length, 1)
  clock.nowMs += 2.2 * HOUR_MS
  await puller.round()
  t.is(server.requests.length, 2)
})

test('each kind of failure has its code', async (t) => {
  const server = await startFeedServer(t, ({ url }, response) => {
    if (url === '/large') response.end('x'.repeat(2000))
    else if (url === '/loop') response.writeHead(302, { location: '/loop' }).end()
    else if (url === '/inside') response.writeHead(302, { location: 'http://10.0.0.1/' }).end()
    else response.end('text')
  })
  const { named, puller, site } = await startPuller(t, { mostBytes: 1000 })
  named.push(...['/large', '/loop', '/inside', '/text'].map((path) => server.origin + path))
  named.push('http://10.0.0.1/feed', 'http://127.0.0.1:1/')
  let left = await puller.round()
  for (; left > 0; left = await puller.round()) t.true(left < 6)
  t.deepEqual(
    (await feedsOf(site, named)).map(({ failure }) => failure?.code),
    [
      'feed_too_large',
      'feed_redirects',
      'feed_not_public',
      'feed_malformed',
      'feed_not_public',
      'feed_unreachable',
    ],
  )
})

test('a server that says nothing is given up', async (t) => {
  const server = await startFeedServer(t, () => undefined)
  const { named, puller, feed } = await startPuller(t, { headersMs: 200, totalMs: 500 })
  named.push(server.origin)
  await puller.round()
  t.is((await feed(server.origin))?.failure?.code, 'feed_slow')
})

test('a round asks each host once, and no more than two at the same time', async (t) => {
  let open = 0
  let most = 0
  const answer: Parameters<typeof startFeedServer>[1] = (_, response) => {
    open += 1
    most = Math.max(most, open)
    response.on('close', () => (open -= 1))
    setImmediate(() => response.end(rss([{ title: 'One' }])))
  }
  const servers = await Promise.all([1, 2, 3, 4].map(() => startFeedServer(t, answer)))
  const { named, puller, site } = await startPuller(t)
  for (const { origin } of servers) named.push(`${origin}/a`, `${origin}/b`)
  t.is(await puller.round(), 4)
  t.deepEqual(
    servers.map(({ requests }) => requests.map(({ url }) => url)),
    servers.map(() => ['/a']),
  )
  t.is(await puller.round(), 0)
  for (const { requests } of servers) t.is(requests.length, 2)
  t.is((await feedsOf(site, named)).length, 8)
  t.true(most <= 2, String(most))
})

test('a feed that no group names any more is removed', async (t) => {
  const server = await startFeedServer(t)
  const { named, puller, site } = await startPuller(t)
  named.push(`${server.origin}/a`, `${server.origin}/b`, `${server.origin}/b`)
  await puller.round()
  await puller.round()
  t.is(server.requests.length, 2)
  t.is((await site.info()).doc_count, 2)
  named.shift()
  await puller.round()
  t.deepEqual(
    (await feedsOf(site, [`${server.origin}/a`, `${server.origin}/b`])).map(({ address }) => address),
    [`${server.origin}/b`],
  )
  named.unshift(`${server.origin}/a`)
  await puller.round()
  t.is(server.requests.length, 3, 'named again, it is pulled again')
})

test('no more than 500 feeds are kept, the first ones', async (t) => {
  const { named, puller, site } = await startPuller(t, { lookup: lookupTo('10.0.0.1') })
  for (let index = 0; index < 510; index += 1) named.push(`http://feeds-${index}.example/`)
  let left = await puller.round()
  t.is(left, 480)
  for (; left > 0; left = await puller.round());
  t.is((await site.info()).doc_count, 500)
  t.is((await feedsOf(site, named.slice(499, 501))).length, 1)
})

test('an entry from the future keeps the time at which it was first seen', async (t) => {
  let text = rss([{ title: 'Later', guid: '1', pubDate: 'Tue, 01 Jan 2199 00:00:00 GMT' }])
  const server = await startFeedServer(t, (_, response) => response.end(text))
  const { named, clock, puller, feed } = await startPuller(t)
  named.push(server.origin)
  await puller.round()
  clock.nowMs += HOUR_MS
  text = text.replace('Later', 'Much later')
  await puller.round()
  t.like((await feed(server.origin))?.entries[0], { title: 'Much later', date: '2026-11-23T07:00:00.000Z' })
})

test('feeds survive projecting, stand in no listing, and are pulled again after a rebuild', async (t) => {
  const server = await startFeedServer(t)
  const { store, named, puller, feed, site } = await startPuller(t)
  named.push(server.origin)
  await puller.round()
  const edits = [makeEdit(store.key), makeEdit(store.key)]
  await store.ledger.database.bulkDocs(edits, { newEdits: false })
  {
    await using running = await project(store)
    t.truthy(await feed(server.origin))
    t.is((await running.site.list(scope('newswire'), { limit: 5 })).rows.length, 2)
    for (const view of ['listing', 'changes', 'clashes', 'comments', 'calendar', 'alias', 'words']) {
      const design = (await site.allDocs({ startkey: '_design/', limit: 1 })).rows[0]?.key.slice(8) ?? ''
      const { rows } = await site.view(design, view, {})
      t.deepEqual(
        rows.filter(({ id }) => id.startsWith('feed:')),
        [],
        view,
      )
    }
    t.deepEqual(await heldDocuments(running.site.database, 10), [])
    t.is(await running.site.item(feedId(server.origin)), undefined)
  }
  // A start of the projector that fills its index reads past it.
  await using again = await project(store)
  t.is((await again.site.items(edits.map(({ item }) => item))).length, 2)

  using index = SearchIndex.open(':memory:')
  t.is(
    await rebuildSite(
      { couch: store.couch, ledger: store.ledger, index },
      { anchors: [store.key.publicKey], policy: policy(store.key.publicKey) },
    ),
    2,
  )
  t.is(await feed(server.origin), undefined)
  await puller.round()
  t.is((await feed(server.origin))?.title, 'A feed')
  t.is(server.requests.length, 2)
})

test('a puller that is stopped leaves what it was doing, and notes no failure', async (t) => {
  const server = await startFeedServer(t, () => {})
  const { named, puller, feed } = await startPuller(t)
  named.push(server.origin)
  puller.start()
  await until('the server is asked', () => server.requests.length > 0)
  await puller[Symbol.asyncDispose]()
  t.is(await feed(server.origin), undefined)
})

test('old revisions of feeds leave the store once enough was written', async (t) => {
  let count = 0
  const server = await startFeedServer(t, (_, response) => response.end(rss([{ title: `${(count += 1)}` }])))
  const { named, clock, puller, site } = await startPuller(t, {}, { compactAfterBytes: 600 })
  named.push(server.origin)
  const revisions: string[] = []
  for (let pulls = 0; pulls < 4; pulls += 1) {
    await puller.round()
    revisions.push((await site.get(feedId(server.origin)))?._rev ?? '')
    clock.nowMs += HOUR_MS
  }
  t.is(new Set(revisions).size, 4)
  const isThere = async (rev = '') => {
    const { results } = await site.bulkGet([{ id: feedId(server.origin), rev }])
    return results.some(({ docs }) => docs.some((found) => 'ok' in found))
  }
  await until('the first revision is gone', async () => !(await isThere(revisions[0])))
  t.true(await isThere(revisions[3]))
})

test('whoever shows a feed is told when it was pulled, and when it was dropped', async (t) => {
  const server = await startFeedServer(t)
  const told: string[] = []
  const { named, puller } = await startPuller(t, {}, { onWritten: (id) => told.push(id) })
  named.push(server.origin)
  await puller.round()
  t.deepEqual(told, [feedId(server.origin)])
  named.length = 0
  await puller.round()
  t.deepEqual(told, [feedId(server.origin), feedId(server.origin)])
})
