import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import test from 'ava'
import { makeDocument } from '../../src/ledger/document.ts'
import type { Draft } from '../../src/ledger/document.ts'
import { makeItemId } from '../../src/ledger/item-id.ts'
import { bookFile, FileBook } from '../../src/media/keep/book.ts'
import { GRACE_MS } from '../../src/media/keep/keeper.ts'
import { setClock } from '../helpers/clock.ts'
import { keepFile, publishWithFiles } from '../helpers/files-of-items.ts'
import type { GivenFile } from '../helpers/files-of-items.ts'
import { testFolder } from '../helpers/folder.ts'
import { newKey } from '../helpers/keys.ts'
import type { NodeHere } from '../helpers/node-here.ts'
import { startNodeHere } from '../helpers/node-here.ts'

const HOUR_MS = 3_600_000

function file(bytes: number, type = 'image/jpeg', extension = 'jpg'): GivenFile {
  return { type, extension, bytes: randomBytes(bytes) }
}

async function append(node: NodeHere, draft: Draft): Promise<void> {
  const [document] = await node.here.store.ledger.append([{ draft }])
  await node.here.projector.settled(document?._id ?? '')
}

async function isHere(node: NodeHere, sha256: string): Promise<boolean> {
  return (await node.here.media.blobs.stat(sha256)) !== undefined
}

test.serial(
  'what files use adds up, by sorts, kinds and items, with what is missing and what nothing names',
  async (t) => {
    const node = await startNodeHere(t, '')
    const { keeper, blobs } = node.here.media
    t.is(keeper.book.usage(), undefined, 'nobody has looked yet')
    const photos = await publishWithFiles(node, [file(1000), file(2000)], { kind: 'photo' })
    const film = await publishWithFiles(node, [file(50_000, 'video/mp4', 'mp4')])
    const [photo = '', other = ''] = photos.files.map(({ sha256 }) => sha256)
    const small = { ...(await keepFile(node, file(300))), as: 'w320' }
    await append(node, { type: 'media', item: photos.item, of: photo, files: [small] })
    await keepFile(node, file(7))
    await blobs.delete(other)
    await keeper.look()
    t.like(keeper.book.usage(), {
      here: { files: 4, bytes: 51_307 },
      missing: { files: 1, bytes: 2000 },
      orphans: { files: 1, bytes: 7 },
      given: { files: 2, bytes: 51_000 },
      made: { files: 1, bytes: 300 },
      sorts: [
        { name: 'video', files: 1, bytes: 50_000 },
        { name: 'image', files: 2, bytes: 1300 },
      ],
      kinds: [
        { name: 'article', files: 1, bytes: 50_000 },
        { name: 'photo', files: 2, bytes: 1300 },
      ],
    })
    const items = [
      { item: film.item, files: 1, bytes: 50_000 },
      { item: photos.item, files: 2, bytes: 1300 },
    ]
    t.deepEqual(keeper.book.largestItems(10), items)
    t.deepEqual(keeper.book.largestItems(1), items.slice(0, 1))
    t.deepEqual(keeper.book.largestItems(10, items[0]), items.slice(1))
  },
)

test.serial('what nothing names goes a week after this node has first seen it, and not before', async (t) => {
  const node = await startNodeHere(t, '')
  const { keeper } = node.here.media
  const { sha256 } = await keepFile(node, file(100))
  const { files } = await publishWithFiles(node, [file(200)])
  let nowMs = Date.now()
  setClock(t, () => nowMs)
  // However long it lay there before.
  nowMs += 3 * GRACE_MS
  await keeper.look()
  t.deepEqual(await keeper.removeOrphans(), { files: 0, bytes: 0 })
  nowMs += GRACE_MS - HOUR_MS
  await keeper.look()
  t.deepEqual(await keeper.removeOrphans(), { files: 0, bytes: 0 })
  t.true(await isHere(node, sha256))
  nowMs += 2 * HOUR_MS
  await keeper.look()
  t.deepEqual(await keeper.removeOrphans({ dryRun: true }), { files: 1, bytes: 100 })
  t.true(await isHere(node, sha256), 'it was only said')
  t.deepEqual(await keeper.removeOrphans(), { files: 1, bytes: 100 })
  t.false(await isHere(node, sha256))
  t.true(await isHere(node, files[0]?.sha256 ?? ''))
  t.like(keeper.book.usage(), { here: { files: 1, bytes: 200 }, orphans: { files: 0, bytes: 0 } })
})

test.serial(
  'what an upload waits with is no orphan, and begins to be one when it does not wait any more',
  async (t) => {
    const node = await startNodeHere(t, '')
    const { keeper, hands } = node.here.media
    const { sha256 } = await keepFile(node, file(100))
    const waiting = new Set([sha256])
    hands.add({ isWaiting: (name) => waiting.has(name) })
    await keeper.look()
    t.is(keeper.book.usage()?.orphans.files, 0)
    t.deepEqual(await keeper.removeOrphans({ olderThanMs: 0 }), { files: 0, bytes: 0 })
    waiting.clear()
    await keeper.look()
    t.is(keeper.book.usage()?.orphans.files, 1)
    // An upload came with the same bytes since the last look.
    waiting.add(sha256)
    t.deepEqual(await keeper.removeOrphans({ olderThanMs: 0 }), { files: 0, bytes: 0 })
    waiting.clear()
    t.deepEqual(await keeper.removeOrphans({ olderThanMs: 0 }), { files: 1, bytes: 100 })
  },
)

test.serial('a file that only a document names which is held, or not projected yet, stays', async (t) => {
  const node = await startNodeHere(t, '')
  const { keeper } = node.here.media
  const { ledger } = node.here.store
  const [strange, fresh] = [await keepFile(node, file(100)), await keepFile(node, file(100))]
  await keeper.look()
  t.is(keeper.book.usage()?.orphans.files, 2)
  // Somebody who is no member; what peers send of strangers is stored, and on no page.
  const stranger = newKey()
  const item = makeItemId(newKey().publicKey, Date.now())
  const document = makeDocument({ type: 'media', item, files: [strange] }, ledger.clock.now(), stranger)
  await ledger.database.bulkDocs([document], { newEdits: false })
  await node.here.projector.settled(document._id)
  t.is(await node.here.site.file(strange.sha256), undefined)
  // Not waited for.
  const own = makeItemId(newKey().publicKey, Date.now())
  await ledger.append([{ draft: { type: 'media', item: own, files: [fresh] } }])
  t.deepEqual(await keeper.removeOrphans({ olderThanMs: 0 }), { files: 0, bytes: 0 })
  await node.here.projector.drained()
  await keeper.look()
  t.is(keeper.book.usage()?.orphans.files, 0)
  for (const { sha256 } of [strange, fresh]) t.true(await isHere(node, sha256))
})

test.serial('pieces of a file that nothing names any more are an orphan, and go', async (t) => {
  const node = await startNodeHere(t, '')
  const { keeper, blobs } = node.here.media
  const bytes = randomBytes(5 * 1024 * 1024)
  const { pieces } = await keepFile(node, { ...file(1), bytes })
  for (const { sha256 } of (await blobs.list()).blobs) await blobs.delete(sha256)
  const manifest = { sha256: 'b'.repeat(64), bytes: bytes.length, pieces }
  await blobs.writePiece(manifest, 0, bytes.subarray(0, 4 * 1024 * 1024))
  await keeper.look()
  t.is(keeper.book.orphans(10)[0]?.sha256, manifest.sha256)
  t.is((await keeper.removeOrphans({ olderThanMs: 0 })).files, 1)
  t.deepEqual((await blobs.list()).blobs, [])
})

test('a book that is damaged, or of another version, is made anew; two processes read and write one', async (t) => {
  const data = await testFolder(t)
  await writeFile(bookFile(data), 'no database at all, whatever its name says; '.repeat(50))
  {
    using book = FileBook.open(data)
    t.is(book.usage(), undefined)
    book.leave(['c'.repeat(64)])
    using beside = FileBook.open(data)
    t.deepEqual(beside.leaving(10), ['c'.repeat(64)])
  }
  {
    using again = FileBook.open(data)
    t.deepEqual(again.leaving(10), ['c'.repeat(64)])
    again.left(['c'.repeat(64)])
    t.deepEqual(again.leaving(10), [])
    again.beginLook()
  }
  const later = new DatabaseSync(bookFile(data))
  later.exec('PRAGMA user_version = 99')
  later.close()
  using anew = FileBook.open(data)
  t.is(anew.beginLook(), 1)
})

test('what a page asks of 100,000 files is a few rows', async (t) => {
  using book = FileBook.open(await testFolder(t))
  const look = book.beginLook()
  const names = Array.from({ length: 100_000 }, (_, index) => index.toString(16).padStart(64, '0'))
  for (let from = 0; from < names.length; from += 1000) {
    const seen = names.slice(from, from + 1000).map((sha256, index) => ({
      sha256,
      bytes: 1000 + from + index,
      state: 'whole' as const,
      isOrphan: index % 100 === 0,
      ...(index % 100 === 0
        ? {}
        : {
            named: {
              sha256,
              isShown: true,
              item: `item ${Math.floor((from + index) / 10)}`,
              media: '',
              kind: 'photo',
              type: 'image/jpeg',
              extension: 'jpg',
              bytes: 1000,
            },
          }),
    }))
    book.note(look, seen, 0)
  }
  book.endLook(look, 1)
  const begun = performance.now()
  t.like(book.usage(), { here: { files: 100_000 }, orphans: { files: 1000 } })
  t.is(book.largestItems(50).length, 50)
  t.is(book.orphans(50, { after: names[50_000] ?? '' }).length, 50)
  const tookMs = performance.now() - begun
  t.log(`${tookMs.toFixed(1)} ms`)
  // A safety net, far above what it takes.
  t.true(tookMs < 500)
})
