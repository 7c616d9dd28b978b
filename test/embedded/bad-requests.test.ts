import { connect } from 'node:net'
import test from 'ava'
import { call, serveStore } from './store.ts'

test('malformed JSON, bytes that are not UTF-8 and wrong types are 400, and nothing is written', async (t) => {
  const { call, database } = await serveStore(t)
  const bad: (string | Uint8Array)[] = ['{', 'x', '"text"', '[]', Uint8Array.of(0x22, 0xff, 0x22), '{"a":']
  for (const body of bad) {
    for (const path of ['_bulk_docs', '_bulk_get', '_revs_diff', '_all_docs', '_all_docs/queries', '']) {
      const { status, body: answer } = await call('POST', `/ledger/${path}`, body)
      t.is(status, 400, `${path} ${String(body)}`)
      t.is(answer.error, 'bad_request')
    }
    t.is((await call('PUT', '/ledger/doc', body)).status, 400)
  }
  t.is((await database.info()).update_seq, 0)
})

test('a body in another type than JSON is a 415', async (t) => {
  const { call } = await serveStore(t)
  const { status, body } = await call('POST', '/ledger/_bulk_docs', '{}', { 'content-type': 'text/plain' })
  t.is(status, 415)
  t.is(body.error, 'bad_content_type')
})

test('a body above 64 MB is a 413, and a document above 8 MB too', async (t) => {
  const { call, url, database } = await serveStore(t)
  const { status, body } = await call('PUT', '/ledger/big', { text: 'x'.repeat(8_000_001) })
  t.is(status, 413)
  t.deepEqual(body, { error: 'document_too_large', reason: 'big' })
  t.is(
    (await call('POST', '/ledger/_bulk_docs', { docs: [{ _id: 'b', text: 'x'.repeat(8e6) }] })).status,
    413,
  )
  // The length is announced and the body never sent.
  const answer = await new Promise<string>((resolve, reject) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => {
      const head = ['POST /ledger/_bulk_docs HTTP/1.1', 'Host: x', 'Content-Type: application/json']
      head.push(`Authorization: Basic ${btoa('node:secret')}`, `Content-Length: ${65 * 1024 * 1024}`)
      socket.write(`${head.join('\r\n')}\r\n\r\n`)
    })
    socket.once('data', (data) => resolve(data.toString()))
    socket.once('error', reject)
    t.teardown(() => socket.destroy())
  })
  t.regex(answer, /^HTTP\/1.1 413 /)
  t.regex(answer, /"too_large"/)
  t.is((await database.info()).update_seq, 0)
})

test('unknown addresses are 404, known ones with another method 405 with Allow', async (t) => {
  const { url } = await serveStore(t)
  for (const [method, path, status] of [
    ['GET', '/ledger/_unknown', 404],
    ['GET', '/ledger/doc/attachment', 404],
    ['GET', '/ledger/_design/x/_unknown/y', 404],
    ['PUT', '/ledger/_all_docs', 405],
    ['DELETE', '/ledger/_changes', 405],
    ['GET', '/ledger/_bulk_docs', 405],
    ['PATCH', '/ledger', 405],
    ['POST', '/_up', 405],
    ['PUT', '/ledger/_unknown', 400],
  ] as const) {
    const answer = await call(url, method, path, method === 'GET' ? undefined : {})
    t.is(answer.status, status, `${method} ${path}`)
    t.is(typeof answer.body.reason, 'string')
    if (status === 405) t.truthy(answer.headers.get('allow'))
  }
})

test('malformed ids, revisions and parameters are 400', async (t) => {
  const { call } = await serveStore(t)
  for (const [method, path] of [
    ['PUT', '/ledger/_private'],
    ['PUT', '/ledger/doc?rev=nonsense'],
    ['PUT', '/ledger/doc?new_edits=maybe'],
    ['GET', '/ledger/doc?rev=1'],
    ['GET', '/ledger/doc?revs=perhaps'],
    ['GET', '/ledger/_all_docs?startkey={'],
    ['GET', '/ledger/_all_docs?limit=-1'],
    ['GET', '/ledger/_all_docs?keys=1'],
    ['GET', '/_uuids?count=x'],
    ['GET', '/_uuids?count=100000'],
  ] as const) {
    t.is((await call(method, path, method === 'GET' ? undefined : {})).status, 400, path)
  }
  const clash = await call('PUT', '/ledger/doc?rev=1-a', { _rev: '1-b' })
  t.is(clash.status, 400)
})

test('a hundred bad requests at once leave a store that works', async (t) => {
  const { call } = await serveStore(t)
  const { rev } = (await call('PUT', '/ledger/doc', {})).body
  const paths = [
    '/ledger/doc?open_revs=["1-x","9-y"]&latest=true',
    '/ledger/%zz',
    '/ledger/doc?rev=99-ffff&revs=true',
    '/%00/doc',
    '/ledger/_design/x/_view/y?startkey=[[[[',
  ]
  const requests = Array.from({ length: 100 }, (_, n) => call('GET', paths[n % paths.length] ?? '/'))
  for (const { status } of await Promise.all(requests)) t.true(status < 500)
  t.is((await call('PUT', `/ledger/doc?rev=${rev}`, {})).status, 201)
})
