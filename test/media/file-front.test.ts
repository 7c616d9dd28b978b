import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { once } from 'node:events'
import test from 'ava'
import { request } from 'undici'
import type { Draft } from '../../src/ledger/document.ts'
import { publishWithFiles } from '../helpers/files-of-items.ts'
import { startNodeHere } from '../helpers/node-here.ts'
import { until } from '../helpers/wait.ts'

const FILM = { type: 'video/mp4', extension: 'mp4' } as const
/** A cookie of nobody's session: its request goes the way of every request. */
const NOBODY = `hyperactive=${'n'.repeat(43)}`

async function ask(url: string, headers: Record<string, string> = {}, method: 'GET' | 'HEAD' = 'GET') {
  const answer = await request(url, { headers, method })
  return {
    status: answer.statusCode,
    headers: answer.headers,
    body: Buffer.from(await answer.body.arrayBuffer()),
  }
}

test('a file that is known is answered in front as it is behind: whole, in parts, and to who has it', async (t) => {
  const node = await startNodeHere(t, '')
  const bytes = randomBytes(1_500_000)
  const { files } = await publishWithFiles(node, [{ ...FILM, bytes, name: 'a talk.mov' }])
  const url = `${node.address}/files/${files[0]?.sha256 ?? ''}.mp4`
  // The first one makes it known.
  await ask(url)
  const etag = `"${files[0]?.sha256}"`
  for (const [headers, status] of [
    [{}, 200],
    [{ range: 'bytes=0-0' }, 206],
    [{ range: 'bytes=262143-262145' }, 206],
    [{ range: 'bytes=1000-1300000' }, 206],
    [{ range: 'bytes=-5' }, 206],
    [{ range: 'bytes=1499999-' }, 206],
    [{ range: 'bytes=0-9,20-29' }, 200],
    [{ range: 'bytes=1500000-' }, 416],
    [{ range: 'bytes=0-9', 'if-range': '"other"' }, 200],
    [{ range: 'bytes=0-9', 'if-range': etag }, 206],
    [{ 'if-none-match': etag }, 304],
    [{ 'if-none-match': `"x", W/${etag}` }, 304],
  ] as [Record<string, string>, number][]) {
    const said = JSON.stringify(headers)
    const front = await ask(url, headers)
    const behind = await ask(url, { ...headers, cookie: NOBODY })
    t.is(front.status, status, said)
    t.is(behind.status, status, said)
    t.true(front.body.equals(behind.body), said)
    for (const name of [
      'content-type',
      'content-range',
      'content-length',
      'etag',
      'content-disposition',
      'content-security-policy',
      'cache-control',
      'x-content-type-options',
      'accept-ranges',
      'referrer-policy',
    ])
      t.is(front.headers[name], behind.headers[name], `${said} ${name}`)
  }
  t.true((await ask(url)).body.equals(bytes))
  const head = await ask(url, {}, 'HEAD')
  t.is(head.headers['content-length'], '1500000')
  t.is(head.body.length, 0)
})

test('many read at once, some go in the middle, and everybody gets the right bytes', async (t) => {
  const node = await startNodeHere(t, '')
  const bytes = randomBytes(3_000_000)
  const { files } = await publishWithFiles(node, [{ ...FILM, bytes }])
  const path = `/files/${files[0]?.sha256 ?? ''}.mp4`
  await ask(node.address + path)
  const reads = Array.from({ length: 60 }, async (_, index) => {
    if (index % 3 === 0) {
      const { port, hostname } = new URL(node.address)
      const socket = connect(Number(port), hostname)
      socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`)
      await once(socket, 'data')
      socket.destroy()
      return
    }
    const first = index * 40_000
    const { body } = await ask(node.address + path, { range: `bytes=${first}-${first + 599_999}` })
    t.true(body.equals(bytes.subarray(first, first + 600_000)))
  })
  await Promise.all(reads)
})

test('what is hidden, or deleted from the store, is not answered from an open file', async (t) => {
  const node = await startNodeHere(t, '')
  const { ledger } = node.here.store
  const one = await publishWithFiles(node, [{ ...FILM, bytes: randomBytes(1000) }])
  const other = await publishWithFiles(node, [{ ...FILM, bytes: randomBytes(1000) }])
  const urlOf = ({ files }: typeof one) => `${node.address}/files/${files[0]?.sha256 ?? ''}.mp4`
  for (const url of [urlOf(one), urlOf(other), urlOf(one), urlOf(other)]) t.is((await ask(url)).status, 200)
  const { item } = one
  const draft: Draft = { type: 'decision', item, target: item, action: 'hide', reason: 'x', supersedes: [] }
  await ledger.append([{ draft }])
  await until('it is gone', async () => (await ask(urlOf(one))).status === 404)
  await node.here.media.blobs.delete(other.files[0]?.sha256 ?? '')
  t.not((await ask(urlOf(other))).status, 200)
})
