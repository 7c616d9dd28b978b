import { createServer, request } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import test from 'ava'
import type { ExecutionContext } from 'ava'
import * as fc from 'fast-check'
import { rangeOf } from '../../src/pages/store/range.ts'
import { servePage } from '../../src/pages/store/serve.ts'
import { compressForms } from '../../src/pages/store/stored-page.ts'
import { keptPage, LIFETIMES } from '../helpers/kept-page.ts'

const TEXT = Array.from({ length: 30_000 }, (_, number) => `${number} `).join('')

interface Answer {
  status: number
  headers: IncomingHttpHeaders
  body: Buffer
}

/** Asks for a large page with its compressed forms, over a real connection. */
async function served(t: ExecutionContext, text = TEXT) {
  const page = keptPage(' en /', text)
  await compressForms(page)
  const server = createServer((asked, response) => servePage(asked, response, page, LIFETIMES))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const ask = (headers: Record<string, string> = {}, method = 'GET') =>
    new Promise<Answer>((resolve, reject) => {
      const asking = request({ port, method, headers, agent: false }, (response) => {
        buffer(response).then(
          (body) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
          reject,
        )
      })
      asking.on('error', reject).end()
    })
  return { page, ask }
}

test('each browser gets the form that it takes, and 304 for what it has', async (t) => {
  const { page, ask } = await served(t)
  const plain = await ask()
  t.is(plain.body.toString(), TEXT)
  t.is(plain.headers.etag, `"${page.etag}"`)
  t.is(plain.headers['content-length'], String(TEXT.length))
  const br = await ask({ 'accept-encoding': 'gzip, deflate, br' })
  t.is(br.headers['content-encoding'], 'br')
  t.is(brotliDecompressSync(br.body).toString(), TEXT)
  const gzip = await ask({ 'accept-encoding': 'br;q=0, gzip' })
  t.is(gunzipSync(gzip.body).toString(), TEXT)
  t.is((await ask({ 'accept-encoding': 'zstd' })).headers['content-encoding'], undefined)
  for (const tag of [plain, br, gzip].map(({ headers }) => headers.etag ?? '')) {
    const again = await ask({ 'if-none-match': `"other", W/${tag}` })
    t.is(again.status, 304)
    t.is(again.body.length, 0)
    t.truthy(again.headers.etag)
  }
  t.is((await ask({ 'if-none-match': '*' })).status, 304)
  t.is((await ask({ 'if-none-match': '"other"', 'if-modified-since': new Date().toUTCString() })).status, 200)
  t.is((await ask({ 'if-modified-since': plain.headers['last-modified'] ?? '' })).status, 304)
  t.is((await ask({ 'if-modified-since': 'yesterday' })).status, 200)
  const head = await ask({}, 'HEAD')
  t.deepEqual([head.status, head.body.length, head.headers['content-length']], [200, 0, String(TEXT.length)])
})

test('parts of a large page are given, of its plain form; a small one is given whole', async (t) => {
  const { ask } = await served(t)
  const whole = await ask({ 'accept-encoding': 'br' })
  t.is(whole.headers['accept-ranges'], 'bytes')
  const part = await ask({ range: 'bytes=10-19', 'accept-encoding': 'br' })
  t.is(part.status, 206)
  t.is(part.body.toString(), TEXT.slice(10, 20))
  t.is(part.headers['content-range'], `bytes 10-19/${TEXT.length}`)
  t.is((await ask({ range: 'bytes=-5' })).body.toString(), TEXT.slice(-5))
  const none = await ask({ range: 'bytes=9999999-' })
  t.deepEqual([none.status, none.headers['content-range']], [416, `bytes */${TEXT.length}`])
  t.is((await ask({ range: 'bytes=0-1', 'if-range': part.headers.etag ?? '' })).status, 206)
  const others: Record<string, string>[] = [
    { range: 'bytes=0-1,4-5' },
    { range: 'lines=1-2' },
    { range: 'bytes=0-1', 'if-range': '"other"' },
  ]
  for (const headers of others) t.is((await ask(headers)).body.length, TEXT.length)
  t.is((await ask({ range: 'bytes=0-1', 'if-none-match': part.headers.etag ?? '' })).status, 304)
  const head = await ask({ range: 'bytes=0-9' }, 'HEAD')
  t.deepEqual([head.status, head.body.length, head.headers['content-length']], [206, 0, '10'])

  const small = await served(t, 'Small')
  const answer = await small.ask({ range: 'bytes=0-1' })
  t.deepEqual(
    [answer.status, answer.body.toString(), answer.headers['accept-ranges']],
    [200, 'Small', undefined],
  )
})

test('whatever part is asked for, it is inside the file', (t) => {
  const number = fc.option(fc.nat(200), { nil: '' })
  fc.assert(
    fc.property(number, number, fc.integer({ min: 1, max: 150 }), (from, to, bytes) => {
      const range = rangeOf({ range: `bytes=${from}-${to}` }, { bytes, etag: '""' })
      if (range === undefined || range === 'none') return
      t.true(0 <= range.first && range.first <= range.last && range.last < bytes)
      if (from !== '') t.is(range.first, Number(from))
    }),
  )
  t.pass()
})
