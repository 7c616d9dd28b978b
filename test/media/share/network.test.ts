import { randomBytes } from 'node:crypto'
import test from 'ava'
import { fetch } from 'undici'
import { PIECE_BYTES } from '../../../src/media/blobs/blob.ts'
import { BlobNodes, HUB, RING, topology } from '../../helpers/blob-nodes.ts'
import { publishWithFiles } from '../../helpers/files-of-items.ts'
import { until } from '../../helpers/wait.ts'

const FILM = { type: 'video/mp4', extension: 'mp4' } as const
const PICTURE = { type: 'image/jpeg', extension: 'jpg' } as const

test('a picture is on the peer by itself, and stays when the node where it was uploaded is gone', async (t) => {
  const network = await BlobNodes.start(t, topology(['a', 'b'], ['b', 'a'], ['b', 'c'], ['c', 'b']))
  const bytes = randomBytes(300_000)
  const { item, files } = await publishWithFiles(network.node('a'), [{ ...PICTURE, bytes }])
  const { sha256 = '' } = files[0] ?? {}
  await network.has('b', sha256)
  await network.node('a').stop()
  await network.has('c', sha256)
  for (const name of ['b', 'c']) {
    const node = network.node(name)
    await until('the item is here', () => node.here.site.item(item))
    const answer = await fetch(`${node.address}/files/${sha256}.jpg`)
    t.is(answer.status, 200)
    t.true(Buffer.from(await answer.arrayBuffer()).equals(bytes))
  }
})

test('nodes that are no direct peers know what each other holds, in a ring and over a hub', async (t) => {
  for (const shape of [RING, HUB]) {
    const network = await BlobNodes.start(t, shape)
    const names = shape.nodes
    const { files } = await publishWithFiles(network.node('a'), [{ ...PICTURE, bytes: randomBytes(100_000) }])
    const { sha256 = '' } = files[0] ?? {}
    for (const name of names) await network.has(name, sha256)
    for (const name of names) await network.knows(name, sha256, names)
    t.pass()
  }
})

test('a link that is cut in the middle of a large file costs one piece at most', async (t) => {
  const network = await BlobNodes.start(t, topology(['b', 'a', 'both']))
  const bytes = randomBytes(15 * PIECE_BYTES)
  const link = network.link('b', 'a')
  link.slowness = { bytesPerSecond: 20_000_000 }
  const { files } = await publishWithFiles(network.node('a'), [{ ...FILM, bytes }])
  const { sha256 = '' } = files[0] ?? {}
  await until('half of it has come', () => link.carried.answered > bytes.length / 2)
  link.cut()
  link.heal()
  await network.has('b', sha256)
  t.true(link.carried.answered < bytes.length + PIECE_BYTES + 500_000, String(link.carried.answered))
})

test('a node that is stopped while it fetches goes on where it was', async (t) => {
  const network = await BlobNodes.start(t, topology(['b', 'a', 'both']))
  const bytes = randomBytes(10 * PIECE_BYTES)
  const link = network.link('b', 'a')
  link.slowness = { bytesPerSecond: 20_000_000 }
  const { files } = await publishWithFiles(network.node('a'), [{ ...FILM, bytes }])
  const { sha256 = '' } = files[0] ?? {}
  await until('half of it has come', () => link.carried.answered > bytes.length / 2)
  await network.node('b').stop()
  link.heal()
  await network.node('b').start()
  await network.has('b', sha256)
  t.true(link.carried.answered < bytes.length + PIECE_BYTES + 500_000, String(link.carried.answered))
})

test('a reader gets a file that is not here, while it comes, and two readers cost one fetch', async (t) => {
  const network = await BlobNodes.start(t, topology(['b', 'a', 'both']), {
    media: (name) => ({ keep: name === 'b' ? 'none' : 'all', copies: 1 }),
  })
  const [a, b] = [network.node('a'), network.node('b')]
  const bytes = randomBytes(5 * PIECE_BYTES + 1000)
  const { item, files } = await publishWithFiles(a, [{ ...FILM, bytes }])
  const { sha256 = '' } = files[0] ?? {}
  await until('the item is here', () => b.here.site.item(item))
  await network.knows('b', sha256, ['a'])
  const url = `${b.address}/files/${sha256}.mp4`
  const before = network.link('b', 'a').carried.answered
  const head = await fetch(url, { method: 'HEAD' })
  t.is(head.headers.get('content-length'), String(bytes.length))
  const first = PIECE_BYTES * 4
  const range = { range: `bytes=${first}-${first + 999}` }
  const [whole, also, part] = await Promise.all([fetch(url), fetch(url), fetch(url, { headers: range })])
  t.deepEqual([whole.status, also.status, part.status], [200, 200, 206])
  t.true(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(first, first + 1000)))
  t.true(Buffer.from(await whole.arrayBuffer()).equals(bytes))
  t.true(Buffer.from(await also.arrayBuffer()).equals(bytes))
  const moved = network.link('b', 'a').carried.answered - before
  t.true(moved < bytes.length + 300_000, String(moved))
})

test('a reader of a file that does not come gets 503, and of one that stops a connection that is cut', async (t) => {
  const network = await BlobNodes.start(t, topology(['b', 'a', 'both']), {
    media: (name) => ({ keep: name === 'b' ? 'none' : 'all', copies: 1 }),
    times: { patienceMs: { first: 1000, next: 1000 } },
  })
  const [a, b] = [network.node('a'), network.node('b')]
  const { item, files } = await publishWithFiles(a, [{ ...FILM, bytes: randomBytes(6 * PIECE_BYTES) }])
  const { sha256 = '' } = files[0] ?? {}
  await until('the item is here', () => b.here.site.item(item))
  await network.knows('b', sha256, ['a'])
  const link = network.link('b', 'a')
  const url = `${b.address}/files/${sha256}.mp4`
  link.cut()
  const late = await fetch(url)
  t.is(late.status, 503)
  t.truthy(late.headers.get('retry-after'))
  t.is(late.headers.get('accept-ranges'), null)
  link.heal()
  link.slowness = { bytesPerSecond: 8_000_000 }
  const stopped = await until('it begins', async () => {
    const answer = await fetch(url)
    return answer.status === 200 && answer
  })
  link.blackHole()
  await t.throwsAsync(stopped.arrayBuffer())
})
