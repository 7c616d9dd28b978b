import test from 'ava'
import sharp from 'sharp'
import type { Draft } from '../../../src/ledger/document.ts'
import { publishWithFiles } from '../../helpers/files-of-items.ts'
import { startNodeHere } from '../../helpers/node-here.ts'
import { bytesOf, derivationsOf, photo, sortsOf, untilMade, untilState } from './fixtures.ts'

test('a photo is made smaller in three formats, and served', async (t) => {
  const node = await startNodeHere(t, '')
  const { item, files } = await publishWithFiles(node, [await photo(1500, 1000)])
  const file = await untilMade(node, item)
  const formats = ['image/avif', 'image/jpeg', 'image/webp']
  const widths = ['w1280', 'w320', 'w640']
  t.deepEqual(
    sortsOf(file),
    widths.flatMap((as) => formats.map((type) => `${as} ${type}`)),
  )
  for (const { sha256, as, type, width, height, extension } of file.made) {
    const bytes = await bytesOf(node, sha256)
    const found = await sharp(bytes).metadata()
    t.is(`w${found.width}`, as)
    t.is(found.height, Math.round((found.width * 1000) / 1500))
    t.deepEqual([width, height], [found.width, found.height])
    t.is(found.format === 'heif' ? 'image/avif' : `image/${found.format}`, type)
    t.is(found.exif ?? found.xmp ?? found.iptc ?? found.icc, undefined)
    const answer = await node.page(`/files/${sha256}.${extension}`)
    t.is(answer.status, 200)
    t.is(answer.headers.get('content-type'), type)
  }
  const [bySize] = [...file.made].sort((a, b) => b.bytes - a.bytes)
  t.true((bySize?.bytes ?? 0) < file.bytes)
  const document = await node.here.site.anyItem(item)
  t.is(document?.listing.cover?.small?.width, 320)
  const made = Object.values(document?.media ?? {}).filter(({ of }) => of === files[0]?.sha256)
  t.deepEqual(
    made.map(({ node: signer }) => signer),
    [node.here.store.ledger.node],
  )
  await untilState(node, item, 'done')
  t.like(derivationsOf(node).counts(), { done: 1, waiting: 0, working: 0, failed: 0 })
})

test('nothing is made of a picture that is small already, nor of a document', async (t) => {
  const node = await startNodeHere(t, '')
  const pdf = { bytes: Buffer.from('%PDF-1.7'), type: 'application/pdf', extension: 'pdf' }
  const small = await publishWithFiles(node, [await photo(320, 200), pdf])
  const larger = await publishWithFiles(node, [await photo(400, 200)])
  t.deepEqual(sortsOf(await untilMade(node, larger.item)), [
    'w320 image/avif',
    'w320 image/jpeg',
    'w320 image/webp',
  ])
  t.false(
    derivationsOf(node)
      .list()
      .some(({ item }) => item === small.item),
  )
})

test('a transparent picture stays so, and is no JPEG; one that is only called so is', async (t) => {
  const node = await startNodeHere(t, '')
  const circle = Buffer.from(
    '<svg width="500" height="400"><circle cx="200" cy="200" r="150" fill="red"/></svg>',
  )
  const png = { type: 'image/png', extension: 'png', width: 500, height: 400 }
  const clear = await publishWithFiles(node, [{ ...png, bytes: await sharp(circle).png().toBuffer() }])
  const opaque = await sharp(circle).flatten({ background: 'white' }).ensureAlpha().png().toBuffer()
  const full = await publishWithFiles(node, [{ ...png, bytes: opaque }])
  const made = await untilMade(node, clear.item)
  t.deepEqual(sortsOf(made), ['w320 image/avif', 'w320 image/webp'])
  for (const { sha256 } of made.made) {
    const [, , , alpha] = await sharp(await bytesOf(node, sha256))
      .extract({ left: 0, top: 0, width: 1, height: 1 })
      .raw()
      .toBuffer()
    t.is(alpha, 0)
  }
  t.is((await untilMade(node, full.item)).made.length, 3)
})

function frame(background: string): Promise<Buffer> {
  return sharp({ create: { width: 400, height: 300, channels: 3, background } })
    .png()
    .toBuffer()
}

test('a moving picture goes on moving, as WebP', async (t) => {
  const node = await startNodeHere(t, '')
  const frames = await Promise.all(['red', 'green', 'blue'].map(frame))
  const bytes = await sharp(frames, { join: { animated: true } })
    .webp({ delay: [100, 200, 300] })
    .toBuffer()
  const { item } = await publishWithFiles(node, [
    { bytes, type: 'image/webp', extension: 'webp', width: 400, height: 300 },
  ])
  const { made } = await untilMade(node, item)
  t.like(made, [{ as: 'w320', type: 'image/webp', width: 320, height: 240 }])
  t.is(made.length, 1)
  const found = await sharp(await bytesOf(node, made[0]?.sha256 ?? '')).metadata()
  t.deepEqual([found.pages, found.delay], [3, [100, 200, 300]])
})

test('nothing is made of what readers do not get, until they do', async (t) => {
  const node = await startNodeHere(t, 'moderation: { publishing: review }')
  const { item } = await publishWithFiles(node, [await photo(400, 300)])
  const shown = (await node.here.site.anyItem(item))?.standing
  t.true(shown?.hidden)
  t.deepEqual(derivationsOf(node).list(), [])
  const approve: Draft = { type: 'decision', item, target: item, action: 'approve', supersedes: [] }
  await node.here.store.ledger.append([{ draft: approve }])
  t.is((await untilMade(node, item)).made.length, 3)
})

test('what was made of a file counts for another item with the same one', async (t) => {
  const node = await startNodeHere(t, '')
  const one = await photo(400, 300)
  const first = await publishWithFiles(node, [one])
  const made = await untilMade(node, first.item)
  await untilState(node, first.item, 'done')
  const second = await publishWithFiles(node, [one])
  const again = await untilMade(node, second.item)
  t.deepEqual(again.made, made.made)
  t.not(again.media, made.media)
})
