import test from 'ava'
import { startNodeWith } from '../helpers/config.ts'
import { edit, publish } from '../helpers/forms.ts'
import { Listener } from '../helpers/listener.ts'
import { hasNginx, startNginx } from '../helpers/nginx.ts'
import { join2, startNode } from '../helpers/node.ts'
import type { TestNode } from '../helpers/node.ts'
import { setUp } from '../helpers/people.ts'
import { until } from '../helpers/wait.ts'

const behindNginx = hasNginx() ? test : test.skip

/** Where the script of a page is told. */
async function streamOf(node: TestNode, path: string): Promise<string> {
  const address = /data-live="([^"]+)"/.exec(await node.html(path))?.[1]
  if (address === undefined) throw new Error(`${path} names no stream`)
  return address
}

test('a stream says how many stories there are above those of its page, and nothing about them', async (t) => {
  const node = await startNode(t)
  const root = await setUp(node)
  const empty = await Listener.open(t, node, await streamOf(node, '/newswire'))
  const first = await publish(node, { title: 'Known already', tags: 'river' })
  await empty.told({ count: 1 })
  const listener = await Listener.open(t, node, await streamOf(node, '/newswire'))
  const river = await Listener.open(t, node, await streamOf(node, '/tags/river'))
  const home = await Listener.open(t, node, await streamOf(node, '/'))
  await listener.told({ count: 0 })
  t.is(listener.headers.get('cache-control'), 'no-store')
  t.is(listener.headers.get('x-accel-buffering'), 'no')
  t.is(listener.headers.get('set-cookie'), null)
  t.regex(listener.text, /^retry: \d{4,5}\n\n/)

  await edit(node, first, { title: 'Known and changed' })
  const second = await publish(node, { title: 'A secret title', tags: 'river' })
  await publish(node, { title: 'Another' })
  for (const both of [listener, home]) await both.told({ count: 2 })
  await empty.told({ count: 3 })
  await river.told({ count: 1 })
  t.true(listener.events.at(-1)?.id.startsWith('20'))
  t.false(/secret|Known/.test(listener.text))

  await root.send(`/moderate/${second.item}`, { action: 'hide', category: 'spam' })
  await listener.told({ count: 1 })
  await river.told({ count: 0 })
  await root.send(`/moderate/${second.item}`, { action: 'unhide' })
  await listener.told({ count: 2 })
})

test('who comes back is told what came meanwhile, also after a restart of the node and from a kept page', async (t) => {
  const node = await startNodeWith(t, 'pages: { memoryBytes: 10000000 }\n')
  await publish(node, { title: 'The first' })
  const page = await node.html('/newswire')
  t.is(await node.html('/newswire'), page, 'it is kept')
  const address = await streamOf(node, '/newswire')
  const listener = await Listener.open(t, node, address)
  await publish(node, { title: 'The second' })
  await listener.told({ count: 1 })
  const { id = '' } = listener.events.at(-1) ?? {}
  await node.stop()
  await until('the stream ends with the node', () => listener.hasEnded)
  await node.start()
  await publish(node, { title: 'The third' })
  const again = await Listener.open(t, node, address, { 'last-event-id': id })
  await again.told({ count: 2 })
  // A program that has no page is told from where it was told last.
  const program = await Listener.open(t, node, '/live/newswire', { 'last-event-id': id })
  await program.told({ count: 1 })
  const fresh = await Listener.open(t, node, '/live/newswire')
  await fresh.told({ count: 0 })
})

test('what comes from another node is counted, and a page far behind is told of more than fifty', async (t) => {
  const a = await startNode(t, { HYPERACTIVE_ABUSE_LIMITS: 'off' })
  const b = await startNode(t)
  await join2(a, b)
  const listener = await Listener.open(t, b, await streamOf(b, '/newswire'))
  t.is((await a.run('seed')).code, 0)
  await until('something has come', () => listener.events.length > 1)
  const publishing = Array.from({ length: 51 }, (_, number) => publish(a, { title: `Story ${number}` }))
  await Promise.all(publishing)
  await listener.told({ count: 50, more: true })
})

test('there is room for so many, the next is told when to come again, and one who leaves makes room', async (t) => {
  const node = await startNodeWith(t, 'live: { connections: 2, heartbeatMs: 100 }\n')
  const first = await Listener.open(t, node, '/live/newswire')
  const second = await Listener.open(t, node, '/live/media')
  const third = await node.page('/live/newswire')
  t.is(third.status, 503)
  t.is(third.headers.get('retry-after'), '300')
  t.true((await third.text()).startsWith('live_full'))
  t.is((await node.page('/newswire')).status, 200, 'everything else goes on')
  await until('it shows that it lives', () => first.text.includes('\n:\n'))
  first.close()
  await until('there is room again', async () => {
    try {
      await Listener.open(t, node, '/live/newswire')
      return true
    } catch {
      return false
    }
  })
  await node.stop()
  await until('the other one ends', () => second.hasEnded)
})

test('what is no listing of stories has no stream, and a place that is none is refused', async (t) => {
  const node = await startNode(t)
  await publish(node, { title: 'A story', tags: 'river' })
  for (const path of [
    '/live/hidden',
    '/live/groups',
    '/live/archive/2026',
    '/live/tags/none',
    '/live/nothing',
  ])
    t.is((await node.page(path)).status, 404, path)
  t.is((await node.page('/live/newswire?after=x')).status, 400)
  t.is((await node.page('/live/newswire', { method: 'POST' })).status, 405)
  const head = await node.page('/live/newswire', { method: 'HEAD' })
  t.is(head.status, 200)
  t.is(await head.text(), '')
  t.is((await node.page('/live/tags/River?after=')).headers.get('location'), '/live/tags/river?after=')
  // Pages of other listings, and all but the first page, run no script.
  const older = await node.page('/newswire?before=2030-01-01T00:00:00.000Z-0000_01m83yydzved5b913tktd3xrqc')
  for (const response of [older, await node.page('/groups'), await node.page('/latest')]) {
    t.false((response.headers.get('content-security-policy') ?? '').includes('connect-src'))
    t.false((await response.text()).includes('data-live'))
  }
  const policy = (await node.page('/newswire')).headers.get('content-security-policy') ?? ''
  t.true(policy.includes("connect-src 'self'"))
})

test('switched off, there is no stream and no script', async (t) => {
  const node = await startNodeWith(t, 'live: { on: false }\n')
  const page = await node.page('/newswire')
  t.false((page.headers.get('content-security-policy') ?? '').includes('script-src'))
  t.false(/data-live|<script/.test(await page.text()))
  t.is((await node.page('/live/newswire')).status, 404)
})

test('through workers events come at once, and who leaves a worker has left the node', async (t) => {
  const node = await startNodeWith(t, 'web: { workers: 1 }\nlive: { connections: 1 }\n')
  const listener = await Listener.open(t, node, await streamOf(node, '/newswire'))
  await publish(node, { title: 'A story' })
  await listener.told({ count: 1 })
  t.is((await node.page('/live/newswire')).status, 503)
  listener.close()
  const next = await until('there is room again', () =>
    Listener.open(t, node, '/live/newswire').catch(() => undefined),
  )
  await next.told({ count: 0 })
})

behindNginx('behind nginx events come at once', async (t) => {
  const node = await startNode(t)
  const nginx = await startNginx(t, node.address)
  const listener = await Listener.open(
    t,
    { address: `http://127.0.0.1:${nginx.port}` },
    await streamOf(node, '/newswire'),
  )
  await listener.told({ count: 0 })
  await publish(node, { title: 'A story' })
  await listener.told({ count: 1 })
  t.is(listener.headers.get('cache-control'), 'no-store')
})
