import type { Socket } from 'node:net'
import test from 'ava'
import { listen } from '../../src/web/listen.ts'
import { startNodeWith } from '../helpers/config.ts'
import { formFields, publish, send } from '../helpers/forms.ts'
import type { TestNode } from '../helpers/node.ts'
import { askRaw, connectTo, sayRaw } from '../helpers/raw.ts'
import { until } from '../helpers/wait.ts'

const KEEPS = 'pages: { memoryBytes: 10000000 }\n'
const URL_SET = `${KEEPS}url: http://news.example\n`

/** Whether a page was answered from what is kept: its tag and time come from the store, whoever made it. */
async function isKept(node: TestNode, target: string, headers?: string[]): Promise<boolean> {
  await askRaw(node.address, target, headers)
  const { text } = await askRaw(node.address, target, headers)
  return /\r\netag: "[\w-]{22}"/i.test(text) && /vary: .*cookie/i.test(text)
}

test('thousands of slow connections shut out no reader, and are closed', async (t) => {
  const node = await startNodeWith(t, `${KEEPS}web: { connections: 1500 }\n`)
  const story = await publish(node, { title: 'Still read' })
  const slow: Socket[] = []
  t.teardown(() => {
    for (const socket of slow) socket.destroy()
  })
  const open = async (text: string) => {
    const socket = await connectTo(node.address)
    slow.push(socket)
    // What comes back is never read but by those that wait for the end.
    socket.resume()
    socket.write(text)
  }
  const half = `GET ${story.path} HTTP/1.1\r\nHost: a\r\nX-Slow: `
  const body = 'POST /publish/article HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\na'
  for (let number = 0; number < 2000; number += 100) {
    await Promise.all(Array.from({ length: 100 }, (_, at) => open(at % 4 === 0 ? body : half)))
    t.is((await node.page(story.path)).status, 200)
  }
  await until('there are no more than there may be', () => slow.filter((one) => one.closed).length >= 500)
  const halfOpen = () => slow.filter((_, at) => at % 4 !== 0).filter((socket) => !socket.closed).length
  await until('none is left that has not sent a request', () => halfOpen() === 0)
  t.true((await node.html(story.path)).includes('Still read'))
})

test('a body that does not come is not waited for, nor is a reader who does not read', async (t) => {
  let answered = 0
  const large = Buffer.alloc(20_000_000, 'a')
  const listening = await listen(
    (request, response) => {
      if (request.method === 'GET') {
        response.end(large)
        return
      }
      request.resume().on('end', () => response.end('whole'))
      request.on('close', () => (answered += 1))
    },
    { host: '127.0.0.1', port: 0, most: 20, bodyMs: 300 },
  )
  t.teardown(() => listening[Symbol.asyncDispose]())
  const head = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n'
  t.regex(await sayRaw(listening.address, `${head}Connection: close\r\n\r\nwhole`), /whole$/)
  t.is(await sayRaw(listening.address, `${head}\r\nwho`), '', 'closed without an answer')
  await until('both requests are over', () => answered === 2)

  const idle: Socket[] = []
  for (let number = 0; number < 20; number += 1) {
    const socket = await connectTo(listening.address)
    idle.push(socket)
    socket.pause().write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  }
  t.teardown(() => {
    for (const socket of idle) socket.destroy()
  })
  await until('there is room again', async () =>
    (await sayRaw(listening.address, `${head}Connection: close\r\n\r\nwhole`)).endsWith('whole'),
  )
})

test('tricks in paths get no file and no page of another address, and leave nothing', async (t) => {
  const node = await startNodeWith(t, URL_SET)
  const story = await publish(node, { title: 'A story', tags: 'river, Über' })
  const [, , item = ''] = story.path.split('/')
  const targets = [
    '/../../../../etc/passwd',
    '/%2e%2e/%2e%2e/%2e%2e/etc/passwd',
    '/..%2f..%2f..%2fetc%2fpasswd',
    '/%252e%252e%252fetc%252fpasswd',
    '/..\\..\\etc\\passwd',
    '/..%5c..%5cetc%5cpasswd',
    '/assets/../../package.json',
    '/assets/..%2f..%2fpackage.json',
    '/assets/%2e%2e/%2e%2e/node.key',
    '/%00',
    '/newswire%00.html',
    '/newswire/%2e%2e/hidden',
    '/articles/%00',
    '/%ff%fe',
    '/%',
    '/%c0%ae%c0%ae/etc/passwd',
    '//etc/passwd',
    '//evil.example/newswire',
    '/\\evil.example',
    `/${'a'.repeat(5000)}`,
    `/tags/${'%61'.repeat(300)}`,
    'http://evil.example/newswire',
    'file:///etc/passwd',
    '*',
    'evil.example:443',
  ]
  for (const target of targets) {
    const { status, text } = await askRaw(node.address, target)
    t.true(status >= 200 && status < 500, `${target.slice(0, 40)}: ${status}`)
    t.notRegex(text, /root:x:0|"name": "hyperactive"/, target)
    t.notRegex(text, /\r\nlocation: (?:\/\/|\\|\/\\|https?:\/\/evil)/i, target)
    t.false(await isKept(node, target), target.slice(0, 40))
  }
  // Other spellings of an address that there is are answered, and kept under none of them.
  const spellings = ['/%6eewswire', '/newswire/', '/tags/%72iver', `/articles/${item}/`, '/es/%6eewswire']
  for (const target of [...spellings, '/tags/%c3%bcber', 'http://news.example/newswire'])
    t.false(await isKept(node, target), target)
  t.is((await askRaw(node.address, '/NEWSWIRE')).status, 404)
  for (const target of ['/', '/newswire', '/tags/river', '/tags/%C3%BCber', '/es/newswire', story.path])
    t.true(await isKept(node, target), target)
})

test('a header or a query holds no other header, and one that is too long is refused', async (t) => {
  const node = await startNodeWith(t, URL_SET)
  await publish(node, { title: 'A story', tags: 'river' })
  const injected = '%0d%0aSet-Cookie:%20hyperactive=evil%0d%0a%0d%0a<script>'
  const targets = [
    `/newswire?before=${injected}`,
    `/sign-in?to=/${injected}`,
    `/tags/River${injected}`,
    `/Feed.rss?${injected}`,
    `/tags/RIVER?${injected}`,
    `/newswire.rss?a=${injected}`,
    `/search?q=${injected}`,
  ]
  for (const target of targets) {
    const { text } = await askRaw(node.address, target)
    const [head = ''] = text.split('\r\n\r\n')
    t.notRegex(head, /^(?:set-cookie: hyperactive=evil|<script>)/im, target)
    t.notRegex(text, /<script>/i, target)
  }
  const host = `Host: ${new URL(node.address).host}`
  const long = [host, `Accept-Language: ${'de,'.repeat(20_000)}`]
  t.is((await askRaw(node.address, '/newswire', long)).status, 431)
  const many = [host, ...Array.from({ length: 300 }, (_, at) => `X-${at}: a`)]
  t.true((await askRaw(node.address, '/newswire', many)).status < 500)
  t.regex(await sayRaw(node.address, `GET / HTTP/1.1\r\n${host}\r\nX: a\rSet-Cookie: b\r\n\r\n`), / 400 /)
  t.regex(await sayRaw(node.address, `GET / HTTP/1.1\r\n${host}\r\n${host}\r\n\r\n`), / [24]00 /)
  t.is((await node.page('/newswire')).status, 200)
})

test('a forged host stays with whoever sent it', async (t) => {
  const forged = ['evil.example', 'evil.example:80', 'news.example.evil.example', 'e"><b>il', "e'il, b"]
  const named = await startNodeWith(t, URL_SET)
  await publish(named, { title: 'A story' })
  for (const host of forged)
    t.notRegex((await askRaw(named.address, '/newswire', [`Host: ${host}`])).text, /evil|<b>il/)
  t.notRegex(await named.html('/newswire'), /evil/)

  const unnamed = await startNodeWith(t, KEEPS)
  await publish(unnamed, { title: 'A story' })
  for (const host of forged) {
    for (const more of [[], ['X-Forwarded-Host: evil.example'], ['Forwarded: host=evil.example']]) {
      const { text } = await askRaw(unnamed.address, '/newswire', [`Host: ${host}`, ...more])
      t.notRegex(text, /<b>il/)
    }
  }
  for (const path of ['/newswire', '/newswire/feed.atom', '/']) t.notRegex(await unnamed.html(path), /evil/)
  // Nobody fills the store with hosts that they invent.
  for (let number = 0; number < 30; number += 1)
    await askRaw(unnamed.address, '/newswire', [`Host: h${number}.example`])
  t.false(await isKept(unnamed, '/newswire', ['Host: one-more.example']))
  t.true(await isKept(unnamed, '/newswire'))
})

test('parameters that nobody knows make no pages, and places that nobody was led to are not kept', async (t) => {
  const node = await startNodeWith(t, URL_SET)
  const story = await publish(node, { title: 'A story' })
  for (let number = 0; number < 24; number += 1) await publish(node, { title: `Story ${number}` })
  const form = formFields(await node.html(`/comments/${story.item}`))
  await send(node, `/comments/${story.item}`, { ...form, body: 'A remark.', action: 'publish' })

  const etag = async (target: string) => {
    const { text } = await askRaw(node.address, target)
    return /etag: (\S+)/i.exec(text)?.[1]
  }
  t.true(await isKept(node, '/newswire'))
  const first = await etag('/newswire')
  for (const query of ['utm_source=a', 'b=1&c=2', 'comments=x', 'Before=x', 'a=before=2', '&&&', 'q'])
    t.is(await etag(`/newswire?${query}`), first, query)

  const [, older = ''] = /href="(\/newswire\?before=[^"]+)"/.exec(await node.html('/newswire')) ?? []
  t.true(await isKept(node, older), 'the next page')
  const place = older.split('before=')[1] ?? ''
  const elsewhere = place.replace(/\.\d{3}Z/, (ms) => (ms === '.001Z' ? '.002Z' : '.001Z'))
  const day = '2020-01-01T00:00:00.000Z-0000'
  for (const query of [
    `before=${elsewhere}`,
    `after=${elsewhere}`,
    `before=${day}_${'a'.repeat(26)}`,
    `after=${day}_${'a'.repeat(26)}`,
    'before=x',
    'before=',
    'before',
    `before=${place}&before=${place}`,
    `%62efore=${place}`,
    `before=${place.replace('2', '%32')}`,
    `before=${place.replaceAll('%3A', ':')}`,
    `${'x&'.repeat(20)}before=${place}`,
    'after=%00',
  ])
    t.false(await isKept(node, `/newswire?${query}`), query)
  t.false(await isKept(node, `/moderation?before=${day}_${'a'.repeat(40)}`))

  t.true(await isKept(node, story.path))
  t.is(await etag(`${story.path}?before=${place}`), await etag(story.path), 'a story has no such pages')
  for (const query of [`comments=${day}_`, 'comments=x', `comments=${day}_${'0'.repeat(40)}`, 'comments=%00'])
    t.false(await isKept(node, `${story.path}?${query}`), query)
})
