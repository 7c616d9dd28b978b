import { randomBytes } from 'node:crypto'
import test from 'ava'
import { fetch, request } from 'undici'
import type { Draft } from '../../src/ledger/document.ts'
import { publishWithFiles } from '../helpers/files-of-items.ts'
import { startNodeHere } from '../helpers/node-here.ts'

const PDF = { type: 'application/pdf', extension: 'pdf' } as const

test('a file of an item is served under its digest, whole and in parts', async (t) => {
  const node = await startNodeHere(t, '')
  const bytes = randomBytes(300_000)
  const { files } = await publishWithFiles(node, [{ ...PDF, bytes, name: 'minutes.docx' }])
  const url = `${node.address}/files/${files[0]?.sha256 ?? ''}.pdf`
  const whole = await fetch(url)
  t.is(whole.status, 200)
  t.is(whole.headers.get('content-type'), 'application/pdf')
  t.is(whole.headers.get('content-length'), '300000')
  t.is(whole.headers.get('x-content-type-options'), 'nosniff')
  t.is(whole.headers.get('content-disposition'), 'attachment; filename="minutes.pdf"')
  t.true(Buffer.from(await whole.arrayBuffer()).equals(bytes))
  const etag = whole.headers.get('etag') ?? ''
  const ask = (headers: Record<string, string>, method = 'GET') => fetch(url, { headers, method })
  const part = await ask({ range: 'bytes=1000-1999' })
  t.is(part.status, 206)
  t.is(part.headers.get('content-range'), 'bytes 1000-1999/300000')
  t.true(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(1000, 2000)))
  const tail = await ask({ range: 'bytes=-10', 'if-range': etag })
  t.true(Buffer.from(await tail.arrayBuffer()).equals(bytes.subarray(-10)))
  t.is((await ask({ range: 'bytes=300000-' })).status, 416)
  // `fetch` would add that it wants no answer from a cache.
  t.is((await request(url, { headers: { 'if-none-match': etag } })).statusCode, 304)
  const head = await ask({}, 'HEAD')
  t.is(head.headers.get('content-length'), '300000')
  t.is(await head.text(), '')
})

test('what no item shows is not served: another name, a hidden item, a file that nobody names', async (t) => {
  const node = await startNodeHere(t, '')
  const bytes = randomBytes(1000)
  const { item, files } = await publishWithFiles(node, [{ ...PDF, bytes }])
  const { sha256 = '' } = files[0] ?? {}
  const status = async (path: string) => (await fetch(node.address + path)).status
  t.is(await status(`/files/${sha256}.pdf`), 200)
  t.is(await status(`/files/${sha256}.html`), 404)
  t.is(await status(`/files/${sha256}`), 404)
  t.is(await status(`/files/${'0'.repeat(64)}.pdf`), 404)
  t.is(await status(`/files/..%2f..%2fnode.key`), 404)
  const hide: Draft = { type: 'decision', item, target: item, action: 'hide', reason: 'x', supersedes: [] }
  const [decision] = await node.here.store.ledger.append([{ draft: hide }])
  await node.here.projector.settled(decision?._id ?? '')
  t.is(await status(`/files/${sha256}.pdf`), 404)
})

test('a media document that came before its edit counts when the edit comes', async (t) => {
  const node = await startNodeHere(t, '')
  const { item } = await publishWithFiles(node, [{ ...PDF, bytes: randomBytes(10) }])
  const document = await node.here.site.anyItem(item)
  t.is(Object.values(document?.media ?? {}).length, 1)
})
