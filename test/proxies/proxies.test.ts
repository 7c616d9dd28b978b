import { once } from 'node:events'
import { createServer as createSocketServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { appendFile, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import type { ExecutionContext } from 'ava'
import { loadConfig } from '../../src/config/config.ts'
import { changedKeys, surrogateKeys } from '../../src/pages/store/surrogate-keys.ts'
import { AddressFile } from '../../src/proxies/address-file.ts'
import { Addresses } from '../../src/proxies/addresses.ts'
import { readProxyStates } from '../../src/proxies/proxies.ts'
import { Proxy } from '../../src/proxies/proxy.ts'
import { Reads } from '../../src/reads.ts'
import { startNodeWith } from '../helpers/config.ts'
import { testFolder } from '../helpers/folder.ts'
import { edit, publish } from '../helpers/forms.ts'
import { freePort } from '../helpers/nginx.ts'
import { setUp } from '../helpers/people.ts'
import { listener, proxiesOf } from '../helpers/told.ts'
import type { Asked } from '../helpers/told.ts'
import { until } from '../helpers/wait.ts'

/** Whether it was told this key. */
function has({ headers }: Asked, key: string): boolean {
  return String(headers['surrogate-key']).split(' ').includes(key)
}

const NOTHING = { documents: [], rows: [], names: [] }
const changed = (...documents: string[]) => ({ ...NOTHING, documents })

function page(path: string, ...documents: string[]) {
  const reads = new Reads()
  for (const id of documents) reads.documents.add(id)
  const rest = {
    type: '',
    etag: '',
    changedMs: 0,
    status: 200,
    forms: {},
    body: Buffer.alloc(0),
    reads,
    asked: 0,
  }
  return { key: ` en ${path}`, headers: { 'surrogate-key': surrogateKeys(reads) }, ...rest }
}

test('a proxy is told the keys of what has changed, what is hidden first, and once more a little later', async (t) => {
  const { asked, port } = await listener(t)
  const { proxies } = await proxiesOf(
    t,
    `proxies: [{ url: 'http://127.0.0.1:${port}', method: BAN, secret: not-to-be-guessed }]`,
  )
  await proxies.start()
  await until('it begins with nothing', () => asked.length === 1)
  t.is(asked[0]?.headers['surrogate-key'], 'all')
  t.is(asked[0]?.line, 'BAN /')
  t.is(asked[0]?.headers['purge-secret'], 'not-to-be-guessed')
  proxies.changed(changed('a'), NOTHING)
  const many = Array.from({ length: 300 }, (_, index) => `edited ${index}`)
  proxies.changed(changed(...many), NOTHING)
  proxies.changed(changed('b', 'c'), changed('c'))
  const [hidden = ''] = changedKeys(changed('c'))
  await until('everything is told', () =>
    many.every((id) => asked.some((one) => has(one, changedKeys(changed(id))[0] ?? ''))),
  )
  t.true(asked.findIndex((one) => has(one, hidden)) <= 2, 'it waits for one request under way at most')
  await until('it is told again', () => asked.filter((one) => has(one, hidden)).length === 2)
  t.true(asked.every(({ headers }) => String(headers['surrogate-key']).length < 2000))
})

test('a proxy that knows addresses alone is told those of pages that were made of it, kept or not', async (t) => {
  const { asked, answers, port } = await listener(t)
  const { proxies, folder } = await proxiesOf(
    t,
    `proxies: [{ url: 'http://127.0.0.1:${port}', method: PURGE }]`,
  )
  await proxies.start()
  proxies.given(page('/newswire?before=x', 'a', 'b'))
  proxies.given(page('/articles/a', 'a'))
  proxies.given({ ...page('/de/articles/c', 'c'), key: 'a.example:81  /de/articles/c' })
  answers.status = 404
  proxies.changed(changed('b'), NOTHING)
  await until('it is told', () => asked.length > 0)
  t.deepEqual(
    asked.map(({ line, headers }) => [line, headers['accept-language']]),
    [['PURGE /newswire?before=x', 'en']],
  )
  proxies.changed(changed('c'), NOTHING)
  const other = await until('it is told', () => asked.find(({ line }) => line === 'PURGE /de/articles/c'))
  t.is(other.headers.host, 'a.example:81')
  t.is(other.headers['accept-language'], undefined)

  // The next process knows none of these pages, and purges them all.
  await proxies[Symbol.asyncDispose]()
  await appendFile(join(folder, 'proxied-addresses'), 'cut of')
  asked.length = 0
  const { proxies: next } = await proxiesOf(
    t,
    `proxies: [{ url: 'http://127.0.0.1:${port}', method: PURGE }]`,
    { data: folder },
  )
  await next.start()
  await until('all are purged', () => asked.some(({ line }) => line === 'PURGE /articles/a'))
  t.false(asked.some(({ line }) => line.includes('cut')))
})

test('a proxy that is away is tried again, lets go of everything then, and holds up no other', async (t) => {
  const port = await freePort()
  const there = await listener(t)
  const { proxies, folder } = await proxiesOf(
    t,
    `proxies:
  - { url: 'http://127.0.0.1:${port}', method: BAN }
  - { url: 'http://127.0.0.1:${there.port}', method: BAN }
`,
  )
  await proxies.start()
  const stateOf = async (at: number) => (await readProxyStates(folder))[at]
  await until('one is away', async () => (await stateOf(0))?.state === 'away')
  t.regex((await stateOf(0))?.reason ?? '', /ECONNREFUSED/)
  proxies.changed(changed('a'), NOTHING)
  await until('the other is told', () => there.asked.length === 2)
  t.is((await stateOf(1))?.state, 'told')

  const back = await listener(t, port)
  back.answers.status = 503
  await until('it is tried', () => back.asked.length > 0)
  t.is((await stateOf(0))?.state, 'away')
  back.answers.status = 200
  await until('it is told everything', () =>
    back.asked.some(({ headers }) => headers['surrogate-key'] === 'all'),
  )
  await until('it is told at once again', async () => (await stateOf(0))?.state === 'told')
})

test('what waits for a proxy is bounded, and what is hidden waits longest', async (t) => {
  for (const method of ['BAN', 'PURGE'] as const) {
    const { asked, port } = await listener(t)
    const proxy = new Proxy({
      url: `http://127.0.0.1:${port}`,
      method,
      secret: undefined,
      everything: () => (method === 'BAN' ? ['all'] : []),
      onState: () => undefined,
      onGone: () => undefined,
      mostWaiting: 4,
    })
    t.teardown(() => proxy[Symbol.asyncDispose]())
    proxy.tell([' en /one', ' en /two', ' en /three'])
    proxy.tell([' en /a', ' en /b', ' en /c'], { first: true })
    const kept = [' en /a', ' en /b', ' en /c', ' en /three']
    t.deepEqual([...proxy.waiting].sort(), method === 'BAN' ? ['all'] : kept)
    proxy.tell([' en /d', ' en /e'], { first: true })
    const [, ...later] = kept.filter((one) => !one.includes('three'))
    if (method === 'PURGE') t.deepEqual([...proxy.waiting].sort(), [...later, ' en /d', ' en /e'])
    proxy.start()
    await until('it is told', () =>
      method === 'BAN'
        ? asked.some((one) => has(one, 'all'))
        : asked.some(({ line }) => line === 'PURGE /e') && asked.some(({ line }) => line === 'PURGE /b'),
    )
    t.false(asked.some(({ line }) => line === 'PURGE /one'))
  }
})

test('an address that was purged for good, or counts for nobody, leaves the file of addresses', async (t) => {
  const { asked, answers, port } = await listener(t)
  const yaml = `proxies: [{ url: 'http://127.0.0.1:${port}', method: PURGE }]`
  const { proxies, folder } = await proxiesOf(t, yaml)
  const file = join(folder, 'proxied-addresses')
  const lines = async (path = file) => (await readFile(path, 'utf8')).split('\n').filter(Boolean)
  await writeFile(file, ' en /authors/Jane%20Doe\n en /authors/Jane%20Doe\n en /authors/cut')
  answers.status = 500
  await proxies.start()
  t.deepEqual(await lines(), [' en /authors/Jane%20Doe'], 'it is not purged yet')
  answers.status = 200
  proxies.given(page('/articles/a', 'a'))
  proxies.given(page('/articles/b', 'b'))
  await until('it is written', async () => (await lines()).length === 3)
  proxies.changed(changed('a'), NOTHING)
  const count = (line: string) => asked.filter((one) => one.line === line).length
  await until('it is purged for good', () => count('PURGE /articles/a') === 2)
  await proxies[Symbol.asyncDispose]()
  t.deepEqual(await lines(), [' en /articles/b'])

  const { proxies: others } = await proxiesOf(t, 'proxies: []', { data: folder })
  await others.start()
  await t.throwsAsync(stat(file), { code: 'ENOENT' }, 'no proxy is told addresses')
  await others[Symbol.asyncDispose]()

  const other = join(folder, 'other')
  let counted = [' en /a']
  const short = new AddressFile(other, () => counted, 1)
  short.add(' en /a')
  short.add(' en /b')
  await until('both are written', async () => (await lines(other)).length === 2)
  short.outdated()
  await until('what does not count leaves it soon', async () => (await lines(other)).length === 1)
  counted = []
  short.outdated()
  await short.closed()
  await t.throwsAsync(stat(other), { code: 'ENOENT' })
})

test('addresses are remembered up to a bound, and those that are not are purged', (t) => {
  const addresses = new Addresses(6)
  const [a, b, c] = [page('/a', 'x'), page('/b', 'x', 'y'), page('/c', 'z')]
  t.deepEqual(addresses.given(a), { isNew: true, forgotten: [] })
  t.deepEqual(addresses.given(a), { isNew: false, forgotten: [] })
  addresses.given(b)
  t.deepEqual(addresses.given(c), { isNew: true, forgotten: [' en /a'] })
  t.deepEqual(addresses.changed(changed('x')), [' en /b'])
  t.deepEqual(
    addresses.given(page('/c', 'w')),
    { isNew: false, forgotten: [] },
    'it is made of something else now',
  )
  t.deepEqual(addresses.changed(changed('z')), [])
  t.deepEqual(addresses.changed(changed('w')), [' en /c'])
  t.deepEqual(addresses.all(), [])
})

test('a proxy that takes no answer does not hold up publishing, and the status says so', async (t) => {
  const { port } = await silent(t)
  const node = await startNodeWith(
    t,
    `pages: { memoryBytes: 10000000 }\nproxies: [{ url: 'http://127.0.0.1:${port}', method: BAN, secret: not-to-be-guessed }]\n`,
  )
  const story = await publish(node, { title: 'First' })
  t.true((await node.html(story.path)).includes('First'))
  await edit(node, story, { title: 'Second' })
  t.true((await node.html(story.path)).includes('Second'))
  const said = await until('the status says it', async () => {
    const { out } = await node.run('status')
    return out.includes(' BAN away since ') && out
  })
  t.true(said.includes(`http://127.0.0.1:${port}`))
  const status = JSON.parse((await node.run('status', '--json')).out) as { proxies: { state: string }[] }
  t.is(status.proxies[0]?.state, 'away')
  const checked = await node.run('config', 'check')
  t.true(checked.out.includes('***'))
  t.false(checked.out.includes('not-to-be-guessed'))
  t.false(node.output.includes('not-to-be-guessed'))
})

/** Takes connections and never says anything. */
async function silent(t: ExecutionContext): Promise<AddressInfo> {
  const server = createSocketServer((socket) => socket.on('error', () => undefined).resume())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return server.address() as AddressInfo
}

test('what everybody may read may be kept by proxies, and nothing else', async (t) => {
  const { port } = await silent(t)
  const node = await startNodeWith(t, `proxies: [{ url: 'http://127.0.0.1:${port}', method: BAN }]\n`)
  const root = await setUp(node)
  const story = await publish(node, { title: 'A story' })
  const other = await publish(node, { title: 'Another' })
  const headersOf = async (path: string) => (await node.page(path)).headers
  for (const path of ['/', '/newswire', story.path, '/newswire/feed.atom', '/calendar', '/tags']) {
    const made = await headersOf(path)
    const kept = await headersOf(path)
    for (const headers of [made, kept]) {
      t.regex(headers.get('cache-control') ?? '', /s-maxage=\d+, .*stale-if-error=604800$/, path)
      t.regex(headers.get('vary') ?? '', /Cookie/, path)
      t.regex(headers.get('surrogate-key') ?? '', /^all [\w -]+$/, path)
    }
    t.is(made.get('surrogate-key'), kept.get('surrogate-key'))
  }
  const [key = ''] = changedKeys(changed(story.item))
  t.true((await headersOf(story.path)).get('surrogate-key')?.split(' ').includes(key))
  t.false((await headersOf(other.path)).get('surrogate-key')?.split(' ').includes(key))

  for (const path of [
    '/publish/article',
    `/comments/${story.item}`,
    '/nothing',
    '/search?q=x',
    '/livez',
    '/api/v1/items',
  ])
    t.notRegex((await headersOf(path)).get('cache-control') ?? '', /s-maxage|public/, path)
  const own = (await root.get(story.path)).headers
  t.is(own.get('cache-control'), 'no-store')
  t.is(own.get('surrogate-key'), null)
  const [, style = ''] = /href="(\/assets\/[^"]+\.css)"/.exec(await node.html('/')) ?? []
  t.is((await headersOf(style)).get('cache-control'), 'public, max-age=31536000, immutable')
})

test('nobody puts one page of a listing in the place of another', async (t) => {
  const node = await startNodeWith(t, 'pages: { memoryBytes: 10000000 }\n')
  const { item } = await publish(node, { title: 'A story' })
  const before = encodeURIComponent(`0001-01-01T00:00:00.000Z-0000_${item}`)
  for (const query of [`b%65fore=${before}`, `${'x&'.repeat(20)}before=${before}`]) {
    const answer = await node.page(`/newswire?${query}`)
    t.false((await answer.text()).includes('A story'), 'it is behind that place')
    t.notRegex(answer.headers.get('cache-control') ?? '', /s-maxage/)
    t.true((await node.html('/newswire')).includes('A story'))
    await publish(node, { title: 'Drops the listing' })
  }
})

test('a feed that is asked about with its tag is kept, too', async (t) => {
  const node = await startNodeWith(t, 'pages: { memoryBytes: 10000000 }\n')
  const story = await publish(node, { title: 'A story' })
  const feed = '/newswire/feed.atom'
  const etag = (await node.page(feed)).headers.get('etag') ?? ''
  const ask = () => node.page(feed, { headers: { 'if-none-match': etag } })
  await edit(node, story, { title: 'Another title' })
  t.is((await ask()).status, 200)
  const answer = await node.page(feed, { headers: { 'if-none-match': '"other"' } })
  t.is(answer.status, 200)
  const now = answer.headers.get('etag') ?? ''
  await publish(node, { title: 'Drops it' })
  const again = await node.page(feed)
  t.not(again.headers.get('etag'), now)
  const same = await node.page(feed, { headers: { 'if-none-match': again.headers.get('etag') ?? '' } })
  t.is(same.status, 304)
  t.regex(same.headers.get('cache-control') ?? '', /s-maxage/)
})

test('settings for proxies that cannot be meant are refused', async (t) => {
  const folder = await testFolder(t)
  const file = join(folder, 'config.yaml')
  for (const [yaml, message] of [
    [`proxies: [{ url: 'http://a.example/path', method: BAN }]`, /more than a host/],
    [`proxies: [{ url: 'http://name:word@a.example', method: BAN }]`, /more than a host/],
    [`proxies: [{ url: 'http://a.example', method: DELETE }]`, /method/],
    [`proxies: [{ url: 'http://a.example', method: BAN, secret: "a\\r\\nHeader: x" }]`, /secret/],
    ['pages: { cache: { leastSeconds: 100, mostSeconds: 10 } }', /more than mostSeconds/],
    ['pages: { cache: { listingSeconds: 61 } }', /listingSeconds/],
  ] as const) {
    await writeFile(file, yaml)
    t.throws(() => loadConfig({ config: file }, {}), { message }, yaml)
  }
})
