import { createServer as createTlsServer } from 'node:https'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import test from 'ava'
import type { ExecutionContext } from 'ava'
import { readRetryAfter } from '../../src/syndication/answer-headers.ts'
import { GuardedFetch } from '../../src/syndication/guarded-fetch.ts'
import type { Fetched } from '../../src/syndication/guarded-fetch.ts'
import { lookupTo, startFeedServer } from '../helpers/feed-server.ts'

const LOOPBACK = { allow: (address: string) => address === '127.0.0.1' }
const TLS = join(import.meta.dirname, '../helpers/tls')

async function refused(t: ExecutionContext, getting: Promise<Fetched>, code: string, message?: string) {
  const error = (await t.throwsAsync(getting, undefined, message)) as Error & { code?: string }
  t.is(error.code, code, `${message ?? ''} ${error.message}`)
}

function textOf(t: ExecutionContext, fetched: Fetched): string {
  if (fetched.outcome !== 'fetched') return t.fail(fetched.outcome)
  return Buffer.from(fetched.bytes).toString()
}

test('an answer comes with its type and its validators, which are sent back next time', async (t) => {
  const server = await startFeedServer(t, ({ headers }, response) => {
    const { 'if-none-match': etag, 'if-modified-since': since } = headers
    if (etag === '"v1"' && since === 'Mon, 23 Nov 2026 07:00:00 GMT') {
      response.writeHead(304).end()
      return
    }
    response.setHeader('etag', '"v1"')
    response.setHeader('last-modified', 'Mon, 23 Nov 2026 07:00:00 GMT')
    response.setHeader('content-type', 'application/rss+xml; charset=utf-8')
    response.setHeader('set-cookie', 'who=you')
    response.end('text')
  })
  const fetch = new GuardedFetch(LOOPBACK)
  const address = `${server.origin}/feed?a=b#c`
  const first = await fetch.get(address)
  t.is(textOf(t, first), 'text')
  t.like(first, {
    outcome: 'fetched',
    address,
    contentType: 'application/rss+xml; charset=utf-8',
    etag: '"v1"',
    lastModified: 'Mon, 23 Nov 2026 07:00:00 GMT',
  })
  t.deepEqual(await fetch.get(address, first as object), { outcome: 'unchanged' })
  const [{ url, headers } = { url: '', headers: {} }, second] = server.requests
  t.is(url, '/feed?a=b')
  t.is(headers['user-agent'], 'Hyperactive feed reader')
  t.deepEqual(Object.keys(headers).sort(), ['accept', 'accept-encoding', 'connection', 'host', 'user-agent'])
  t.is(second?.headers.cookie, undefined, 'no cookie is kept')
})

test('validators that could not be sent back are not kept', async (t) => {
  const server = await startFeedServer(t, (_, response) => {
    response.setHeader('etag', `"${'x'.repeat(1000)}"`)
    response.setHeader('last-modified', 'caf\u00e9')
    response.end('text')
  })
  const found = await new GuardedFetch(LOOPBACK).get(server.origin)
  t.false('etag' in found)
  t.false('lastModified' in found)
})

test('only web addresses without a password are asked', async (t) => {
  const fetch = new GuardedFetch({ lookup: lookupTo('8.8.8.8') })
  for (const address of [
    '',
    '/feed',
    'ftp://e.org/',
    'file:///etc/passwd',
    'data:,x',
    'javascript:1',
    'http://',
  ])
    await refused(t, fetch.get(address), 'feed_bad_address', address)
  await refused(t, fetch.get('http://user:word@e.org/'), 'feed_bad_address')
  await refused(t, fetch.get('http://user@e.org/'), 'feed_bad_address')
})

test('an address of the own network is not connected to, however it is written', async (t) => {
  const server = await startFeedServer(t)
  const { port } = server
  const fetch = new GuardedFetch()
  const hosts = ['127.0.0.1', '127.1', '0x7f.1', '2130706433', '0177.0.0.1', '0.0.0.0', '[::1]', '[::]']
  const mapped = ['[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[64:ff9b::7f00:1]', '[fe80::1]', '127.0.0.1.']
  for (const host of [...hosts, ...mapped])
    for (const at of [`http://${host}:${port}/`, `http://${host}/`, `http://${host}:8080/`])
      await refused(t, fetch.get(at), 'feed_not_public', at)
  await refused(t, fetch.get(`http://localhost:${port}/`), 'feed_not_public')
  await refused(t, fetch.get('http://localhost:8080/'), 'feed_not_public')
  t.is(server.requests.length, 0)
})

test('a name that resolves to the own network is not connected to', async (t) => {
  const server = await startFeedServer(t)
  for (const address of ['127.0.0.1', '10.1.2.3', '::1', '::ffff:127.0.0.1', 'fd00::1', '169.254.169.254']) {
    const lookup = lookupTo(address)
    const fetch = new GuardedFetch({ lookup })
    await refused(t, fetch.get('http://feeds.example/'), 'feed_not_public', address)
    await refused(t, fetch.get(`http://feeds.example:${server.port}/`), 'feed_not_public', address)
    await refused(t, fetch.get('https://feeds.example/'), 'feed_not_public', address)
    t.deepEqual(lookup.names, Array(3).fill('feeds.example'))
  }
  t.is(server.requests.length, 0)
})

test('of several addresses only those are connected to that may be', async (t) => {
  const inside = await startFeedServer(t, (_, response) => response.end('inside'), '127.0.0.1')
  const lookup = lookupTo('127.0.0.1', '127.0.0.2')
  const fetch = new GuardedFetch({ lookup, allow: (address) => address === '127.0.0.2' })
  // Nobody listens at 127.0.0.2.
  await refused(t, fetch.get(`http://feeds.example:${inside.port}/`), 'feed_unreachable')
  t.is(inside.requests.length, 0)
})

test('a name is resolved once for each connection, so that it cannot mean something else later', async (t) => {
  const server = await startFeedServer(t)
  const answers = ['127.0.0.2', '127.0.0.1']
  let asked = 0
  const fetch = new GuardedFetch({
    allow: (address) => address === '127.0.0.1',
    lookup: (_, __, callback) => {
      callback(null, [{ address: answers[asked++] ?? '127.0.0.2', family: 4 }])
    },
  })
  await refused(t, fetch.get(`http://feeds.example:${server.port}/`), 'feed_not_public')
  t.is(asked, 1)
  await fetch.get(`http://feeds.example:${server.port}/`)
  t.is(asked, 2)
  t.is(server.requests.length, 1)
})

test('other ports than those of web servers are refused', async (t) => {
  const fetch = new GuardedFetch({ lookup: lookupTo('8.8.8.8') })
  for (const port of [22, 25, 81, 5984, 6379, 9200])
    for (const host of ['8.8.8.8', 'feeds.example', '[2606:4700::1111]'])
      await refused(t, fetch.get(`http://${host}:${port}/`), 'feed_not_public', `${host}:${port}`)
})

test('redirects are followed, relative ones too, and the address that they lead to is told', async (t) => {
  const server = await startFeedServer(t, ({ url }, response) => {
    if (url === '/1') response.writeHead(301, { location: '2' }).end()
    else if (url === '/2') response.writeHead(307, { location: `${server.origin}/3` }).end('a body')
    else response.end('there')
  })
  const found = await new GuardedFetch(LOOPBACK).get(`${server.origin}/1`)
  t.is(textOf(t, found), 'there')
  t.like(found, { address: `${server.origin}/3` })
})

test('a redirect to the own network, or to no web address, is refused', async (t) => {
  const inside = await startFeedServer(t)
  let target = ''
  const outside = await startFeedServer(
    t,
    (_, response) => response.writeHead(302, { location: target }).end(),
    '127.0.0.2',
  )
  const fetch = new GuardedFetch({
    allow: (address) => address === '127.0.0.2',
    lookup: lookupTo('127.0.0.1'),
  })
  for (target of [`${inside.origin}/`, `http://localhost:${inside.port}/`, '//127.0.0.1/', 'http://[::1]/'])
    await refused(t, fetch.get(outside.origin), 'feed_not_public', target)
  for (target of ['file:///etc/passwd', 'ftp://e.org/', 'http://u:p@127.0.0.2/', 'http://['])
    await refused(t, fetch.get(outside.origin), 'feed_bad_address', target)
  t.is(inside.requests.length, 0)
})

test('more than five redirects are not followed', async (t) => {
  const server = await startFeedServer(t, ({ url = '' }, response) => {
    const left = Number(url.slice(1))
    if (left === 0) response.end('there')
    else response.writeHead(302, { location: `/${left - 1}` }).end()
  })
  const fetch = new GuardedFetch(LOOPBACK)
  t.is(textOf(t, await fetch.get(`${server.origin}/5`)), 'there')
  await refused(t, fetch.get(`${server.origin}/6`), 'feed_redirects')
})

test('another status is told, with how long the server wants to be left alone', async (t) => {
  let status = 404
  const headers: Record<string, string> = {}
  const server = await startFeedServer(t, (_, response) => response.writeHead(status, headers).end('no'))
  const fetch = new GuardedFetch(LOOPBACK)
  t.deepEqual(await fetch.get(server.origin), { outcome: 'refused', status: 404 })
  status = 503
  headers['retry-after'] = '7200'
  t.deepEqual(await fetch.get(server.origin), { outcome: 'refused', status: 503, retryAfterMs: 7_200_000 })
  status = 304
  t.like(
    await fetch.get(server.origin),
    { outcome: 'refused', status: 304 },
    'nobody asked whether it changed',
  )
})

test('Retry-After is seconds or a date', (t) => {
  const nowMs = Date.UTC(2026, 10, 23, 7)
  t.is(readRetryAfter('0', nowMs), 0)
  t.is(readRetryAfter('120', nowMs), 120_000)
  t.is(readRetryAfter('Mon, 23 Nov 2026 07:01:00 GMT', nowMs), 60_000)
  t.is(readRetryAfter('Mon, 23 Nov 2026 06:00:00 GMT', nowMs), 0)
  for (const bad of [undefined, '', '-1', '1e9', 'soon', '9'.repeat(400)])
    t.is(readRetryAfter(bad, nowMs), undefined)
})

test('a server that never sends its headers is given up', async (t) => {
  const server = await startFeedServer(t, () => {})
  const fetch = new GuardedFetch({ ...LOOPBACK, headersMs: 100, totalMs: 60_000 })
  await refused(t, fetch.get(server.origin), 'feed_slow')
})

test('a body that drips is given up after the whole time', async (t) => {
  const server = await startFeedServer(t, (_, response) => {
    const drip = setInterval(() => response.write('x'), 10)
    response.on('close', () => clearInterval(drip))
  })
  const fetch = new GuardedFetch({ ...LOOPBACK, headersMs: 60_000, totalMs: 200 })
  await refused(t, fetch.get(server.origin), 'feed_slow')
})

test('a name server that never answers is given up', async (t) => {
  const fetch = new GuardedFetch({ lookup: () => {}, headersMs: 100, totalMs: 60_000 })
  await refused(t, fetch.get('http://feeds.example/'), 'feed_slow')
})

test('a fetch ends when the node stops', async (t) => {
  const stop = new AbortController()
  const server = await startFeedServer(t, () => stop.abort(new Error('stopping')))
  await t.throwsAsync(new GuardedFetch(LOOPBACK).get(server.origin, {}, stop.signal), { message: 'stopping' })
  await t.throwsAsync(new GuardedFetch(LOOPBACK).get(server.origin, {}, stop.signal), { message: 'stopping' })
  t.is(server.requests.length, 1)
})

test('compressed answers are read', async (t) => {
  const encoders = { gzip: gzipSync, 'x-gzip': gzipSync, deflate: deflateSync, br: brotliCompressSync }
  let encoding: keyof typeof encoders = 'gzip'
  const server = await startFeedServer(t, (_, response) => {
    response.setHeader('content-encoding', encoding)
    response.end(encoders[encoding]('packed'))
  })
  for (encoding of Object.keys(encoders) as (typeof encoding)[])
    t.is(textOf(t, await new GuardedFetch(LOOPBACK).get(server.origin)), 'packed', encoding)
})

test('what is too large is given up, unpacked size included', async (t) => {
  const zeros = Buffer.alloc(64 * 1024 * 1024)
  const bombs = { gzip: gzipSync(zeros), br: brotliCompressSync(zeros) }
  let sent = 0
  const server = await startFeedServer(t, ({ url }, response) => {
    if (url === '/announced') response.setHeader('content-length', String(3 * 1024 * 1024))
    if (url === '/gzip' || url === '/br') {
      const encoding = url.slice(1) as keyof typeof bombs
      response.setHeader('content-encoding', encoding)
      response.end(bombs[encoding])
      return
    }
    const more = () => {
      sent += 1
      if (!response.destroyed) response.write(Buffer.alloc(65_536), () => setImmediate(more))
    }
    more()
  })
  const fetch = new GuardedFetch(LOOPBACK)
  t.true(bombs.gzip.length < 1024 * 1024)
  for (const path of ['/endless', '/announced', '/gzip', '/br'])
    await refused(t, fetch.get(server.origin + path), 'feed_too_large', path)
  t.true(sent < 1000, `it took ${sent} pieces`)
})

test('an answer that is cut off, damaged or packed in an unknown way is an error', async (t) => {
  const packed = gzipSync('packed '.repeat(1000))
  const server = await startFeedServer(t, ({ url, socket }, response) => {
    if (url === '/cut') {
      response.setHeader('content-length', '100')
      response.write('begin', () => socket.destroy())
      return
    }
    if (url === '/garbage') {
      socket.end('this is not HTTP\r\n\r\n')
      return
    }
    if (url === '/headers') {
      for (let index = 0; index < 100; index += 1) response.setHeader(`x-${index}`, 'x'.repeat(1000))
      response.end()
      return
    }
    const encoding = { '/twice': 'gzip, gzip', '/odd': 'zstd', '/proto': '__proto__' }[url ?? ''] ?? 'gzip'
    response.setHeader('content-encoding', encoding)
    response.end(url === '/half' ? packed.subarray(0, 20) : Buffer.from('not packed at all'))
  })
  const fetch = new GuardedFetch(LOOPBACK)
  await refused(t, fetch.get(`${server.origin}/cut`), 'feed_unreachable')
  for (const path of ['/garbage', '/headers', '/half', '/damaged', '/twice', '/odd', '/proto'])
    await refused(t, fetch.get(server.origin + path), 'feed_bad_answer', path)
})

test('who does not answer, or whose certificate nobody vouches for, is unreachable', async (t) => {
  const fetch = new GuardedFetch(LOOPBACK)
  await refused(t, fetch.get('http://127.0.0.1:1/'), 'feed_unreachable')
  const [key, cert] = await Promise.all(
    ['key.pem', 'certificate.pem'].map((name) => readFile(join(TLS, name))),
  )
  const server = createTlsServer({ key: key!, cert: cert! }, (_, response) => response.end('text'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  await refused(
    t,
    fetch.get(`https://127.0.0.1:${(server.address() as AddressInfo).port}/`),
    'feed_unreachable',
  )
})
