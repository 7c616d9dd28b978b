import { randomBytes } from 'node:crypto'
import { open, rm } from 'node:fs/promises'
import test from 'ava'
import type { ExecutionContext } from 'ava'
import { fetch } from 'undici'
import type { Draft } from '../../../src/ledger/document.ts'
import { PIECE_BYTES } from '../../../src/media/blobs/blob.ts'
import type { Times } from '../../../src/media/share/blob-network.ts'
import { rankOf } from '../../../src/media/share/rank.ts'
import { BlobNodes, PAIR, RING, topology } from '../../helpers/blob-nodes.ts'
import { blobPath, publishWithFiles } from '../../helpers/files-of-items.ts'
import { until } from '../../helpers/wait.ts'

const FILM = { type: 'video/mp4', extension: 'mp4' } as const

/** Writes over some bytes of a file. */
async function damage(path: string, position: number): Promise<void> {
  const handle = await open(path, 'r+')
  await handle.write(Buffer.from('damaged'), 0, 7, position)
  await handle.close()
}

test('where nobody keeps everything, a file is on as many nodes as it is to be, and has moved that often', async (t) => {
  const network = await BlobNodes.start(t, RING, {
    media: () => ({ keep: 'none', copies: 2 }),
    times: { graceMs: 0 },
  })
  const names = ['a', 'b', 'c', 'd']
  const bytes = randomBytes(2 * PIECE_BYTES)
  await until('all know each other', () =>
    names.every((name) => network.node(name).here.media.network.state.nodes === 3),
  )
  const before = network.carried
  const { files } = await publishWithFiles(network.node('a'), [{ ...FILM, bytes }])
  const { sha256 = '' } = files[0] ?? {}
  const holders = () => network.node('c').here.media.network.holders(sha256)
  await until('two have it', () => holders().length === 2)
  const keys = await Promise.all(names.map((name) => network.keyOf(name)))
  const rank = (key: string) => rankOf({ key, jurisdiction: undefined, keepsAll: false }, sha256)
  const sorted = keys.sort((one, other) => (rank(one) < rank(other) ? -1 : 1))
  const a = await network.keyOf('a')
  const next = sorted.find((key) => key !== a)
  t.deepEqual(holders().sort(), [a, next ?? ''].sort(), 'the next one by rank has fetched it')
  const having = await Promise.all(
    names.map(async (name) => ((await network.node(name).here.media.blobs.stat(sha256)) ? [name] : [])),
  )
  for (const name of names) await network.knows(name, sha256, having.flat())
  // Two hops at most, as the next one may be no neighbour.
  const moved = network.carried - before
  t.true(moved < 2.2 * bytes.length, String(moved))
})

/** Two that keep everything, and one between them that keeps nothing. */
function between(t: ExecutionContext, times: Partial<Times> = {}): Promise<BlobNodes> {
  return BlobNodes.start(t, topology(['c', 'a', 'both'], ['c', 'b', 'both']), {
    media: (name) => ({ keep: name === 'c' ? 'none' : 'all', copies: 2 }),
    times: { fitMs: 100, ...times },
  })
}

test('a node may drop a file only when enough others that come before it prove that they have it', async (t) => {
  const network = await between(t)
  const [a, b, c] = [network.node('a'), network.node('b'), network.node('c')]
  await until('all know each other', () => c.here.media.network.state.nodes === 2)
  const { files } = await publishWithFiles(a, [{ ...FILM, bytes: randomBytes(100_000) }])
  const { sha256 = '' } = files[0] ?? {}
  // Through the one between them, which does not keep it.
  await network.has('b', sha256)
  t.is(await c.here.media.blobs.stat(sha256), undefined)
  await c.here.media.network.fetch(sha256)
  await network.knows('c', sha256, ['a', 'b', 'c'])
  t.true(await c.here.media.network.mayDrop(sha256), 'two that keep everything have it')
  t.false(await a.here.media.network.mayDrop(sha256), 'who keeps everything comes before who does not')
  // By its statements b still has it.
  await rm(blobPath(b, sha256))
  t.false(await c.here.media.network.mayDrop(sha256))
})

test('what was fetched for nobody goes again when enough others have it', async (t) => {
  const network = await between(t, { graceMs: 0 })
  const [a, c] = [network.node('a'), network.node('c')]
  await until('all know each other', () => c.here.media.network.state.nodes === 2)
  const { files } = await publishWithFiles(a, [{ ...FILM, bytes: randomBytes(100_000) }])
  const { sha256 = '' } = files[0] ?? {}
  await network.has('b', sha256)
  await c.here.media.network.fetch(sha256)
  await until('it is gone', async () => !(await c.here.media.blobs.stat(sha256)))
  await network.knows('a', sha256, ['a', 'b'])
  t.deepEqual(a.here.media.network.underReplicated(10), [])
})

test('a damaged file is mended from a peer, and given to readers as it should be meanwhile', async (t) => {
  const network = await BlobNodes.start(t, PAIR)
  const [a, b] = [network.node('a'), network.node('b')]
  const bytes = randomBytes(2 * PIECE_BYTES + 1000)
  const { item, files } = await publishWithFiles(a, [{ ...FILM, bytes }])
  const { sha256 = '' } = files[0] ?? {}
  await network.has('b', sha256)
  await network.knows('b', sha256, ['a', 'b'])
  await until('the item is here', () => b.here.site.item(item))
  await damage(blobPath(b, sha256), PIECE_BYTES + 100)
  const before = network.link('b', 'a').carried.answered
  await b.here.media.network.scrub()
  t.true(Buffer.from(await (await fetch(`${b.address}/files/${sha256}.mp4`)).arrayBuffer()).equals(bytes))
  t.is(b.here.media.network.state.scrub.mended, 1)
  t.true(network.link('b', 'a').carried.answered - before < PIECE_BYTES + 200_000, 'one piece has moved')
  await network.knows('a', sha256, ['a', 'b'])
})

test('a damaged file that nobody else has is told of, and does not count', async (t) => {
  const network = await BlobNodes.start(t, PAIR)
  const [a, b] = [network.node('a'), network.node('b')]
  network.link('a', 'b').cut()
  network.link('b', 'a').cut()
  const bytes = randomBytes(100_000)
  const { files } = await publishWithFiles(a, [{ ...FILM, bytes }])
  const { sha256 = '' } = files[0] ?? {}
  await network.knows('a', sha256, ['a'])
  await damage(blobPath(a, sha256), 5)
  await a.here.media.network.scrub()
  t.is(a.here.media.network.state.damaged[0]?.sha256, sha256)
  t.deepEqual(a.here.media.network.holders(sha256), [])
  await until(
    'it is among those that too few hold',
    () => a.here.media.network.underReplicated(10).length === 1,
  )
  t.is(b.here.media.network.state.damaged.length, 0)
})

test('a file that is erased while it comes does not come, and nothing of it stays', async (t) => {
  const network = await BlobNodes.start(t, topology(['b', 'a', 'both']))
  const [a, b] = [network.node('a'), network.node('b')]
  const link = network.link('b', 'a')
  link.slowness = { bytesPerSecond: 8_000_000 }
  const { files } = await publishWithFiles(a, [{ ...FILM, bytes: randomBytes(8 * PIECE_BYTES) }])
  const { sha256 = '' } = files[0] ?? {}
  const listed = async () => (await b.here.media.blobs.list()).blobs
  await until('some of it is here', async () => (await listed()).length === 1)
  await b.here.media.network.forget(sha256)
  t.deepEqual(await listed(), [])
  link.heal()
  const { files: others } = await publishWithFiles(a, [{ ...FILM, bytes: randomBytes(1000) }])
  await network.has('b', others[0]?.sha256 ?? '')
  t.deepEqual((await listed()).length, 1)
})

test('what goes to a peer and comes from it is bounded', async (t) => {
  const network = await BlobNodes.start(t, topology(['b', 'a', 'both']), {
    media: (name) => (name === 'b' ? { peerBytesPerSecond: 2_000_000 } : {}),
  })
  const begun = performance.now()
  const { files } = await publishWithFiles(network.node('a'), [{ ...FILM, bytes: randomBytes(4_000_000) }])
  await network.has('b', files[0]?.sha256 ?? '')
  const seconds = (performance.now() - begun) / 1000
  t.true(seconds > 1.8, String(seconds))
})

test('an item that is hidden keeps its files on every node', async (t) => {
  const network = await BlobNodes.start(t, PAIR)
  const a = network.node('a')
  const { item, files } = await publishWithFiles(a, [{ ...FILM, bytes: randomBytes(1000) }])
  const { sha256 = '' } = files[0] ?? {}
  const hide: Draft = { type: 'decision', item, target: item, action: 'hide', reason: 'x', supersedes: [] }
  await a.here.store.ledger.append([{ draft: hide }])
  await network.has('b', sha256)
  t.pass()
})
