import { randomBytes } from 'node:crypto'
import { fstatSync, mkdirSync } from 'node:fs'
import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import test from 'ava'
import type { ExecutionContext } from 'ava'
import { PIECE_BYTES } from '../../../src/media/blobs/blob.ts'
import { FolderBlobs } from '../../../src/media/blobs/folder.ts'
import { scrub } from '../../../src/media/blobs/scrub.ts'
import { testFolder } from '../../helpers/folder.ts'
import { Random } from '../../helpers/random.ts'
import { manifestOf, pieceOf, streamOf } from './bytes.ts'
import { brokenDisk, inodeOf, Synchronised, watch } from './disk.ts'
import type { Luck } from './disk.ts'
import { readAll } from './places.ts'

const MANY = { bytesPerSecond: 1e12 }

test.afterEach.always(() => {
  watch.onSync = undefined
  watch.onRead = undefined
})

async function openFolder(t: ExecutionContext, folder: string): Promise<FolderBlobs> {
  const driver = await FolderBlobs.open(folder)
  t.teardown(() => driver[Symbol.asyncDispose]())
  return driver
}

function pathOf(folder: string, sha256: string): string {
  return join(folder, 'whole', sha256.slice(0, 2), sha256.slice(2, 4), sha256)
}

/** No change that was not synchronised has come to the disk; all have; and some. */
function lucks(): Luck[] {
  const random = new Random(7)
  const some = () => random.chance(0.5)
  return [() => false, () => true, some, some]
}

/** A folder as it is after power cuts before and after everything that is synchronised. */
async function withPowerCuts(
  t: ExecutionContext,
  work: (folder: string, told: { kept: Set<string>; gone: Set<string> }) => Promise<void>,
): Promise<void> {
  const root = await testFolder(t)
  const cuts = await testFolder(t)
  const disk = new Synchronised(root)
  t.teardown(() => disk.close())
  const told = { kept: new Set<string>(), gone: new Set<string>() }
  const after: { folder: string; kept: string[]; gone: string[] }[] = []
  const fortunes = lucks()
  watch.onSync = (fd, isDone) => {
    if (isDone) disk.took(fd)
    for (const luck of fortunes) {
      const folder = join(cuts, String(after.length))
      disk.cut(root, folder, luck)
      after.push({ folder: join(folder, 'media'), kept: [...told.kept], gone: [...told.gone] })
    }
  }
  await work(join(root, 'media'), told)
  watch.onSync = undefined
  t.true(after.length > 100)
  for (const { folder, kept, gone } of after) {
    const driver = await openFolder(t, folder)
    const found = await Array.fromAsync(scrub(driver, MANY))
    t.deepEqual(
      found.filter(({ state }) => state === 'damaged'),
      [],
    )
    const sound = new Set(found.filter(({ state }) => state === 'sound').map(({ sha256 }) => sha256))
    t.deepEqual(
      kept.filter((sha256) => !sound.has(sha256)),
      [],
      'what was told to be kept is there',
    )
    t.deepEqual(
      gone.filter((sha256) => found.some((one) => one.sha256 === sha256)),
      [],
      'what was told to be gone is not',
    )
  }
}

test.serial(
  'what was told to be kept outlasts a power cut, and what was told to be gone stays so',
  async (t) => {
    await withPowerCuts(t, async (folder, told) => {
      const driver = await openFolder(t, folder)
      const files = Array.from({ length: 4 }, () => randomBytes(3000))
      for (const [index, file] of files.entries()) {
        const manifest = manifestOf(file)
        // A process was killed before it had synchronised them.
        if (index < 2) mkdirSync(dirname(pathOf(folder, manifest.sha256)), { recursive: true })
        if (index % 2 === 0) await driver.write(streamOf(file))
        else t.true(await driver.writePiece(manifest, 0, file))
        told.kept.add(manifest.sha256)
      }
      await driver.write(streamOf(files[0] ?? Buffer.alloc(0)))
      for (const file of files.slice(0, 2)) {
        const { sha256 } = manifestOf(file)
        told.kept.delete(sha256)
        t.true(await driver.delete(sha256))
        told.gone.add(sha256)
      }
      const large = randomBytes(PIECE_BYTES + 10)
      const { sha256 } = manifestOf(large)
      t.false(await driver.writePiece(manifestOf(large), 1, pieceOf(large, 1)))
      t.true(await driver.delete(sha256))
      told.gone.add(sha256)
      await driver.write(streamOf(randomBytes(10)))
    })
  },
)

test.serial('a disk that cannot write what it took has none of the pieces any more', async (t) => {
  const folder = await testFolder(t)
  const driver = await openFolder(t, folder)
  const bytes = randomBytes(PIECE_BYTES + 10)
  const manifest = manifestOf(bytes)
  t.false(await driver.writePiece(manifest, 0, pieceOf(bytes, 0)))
  // The system tells of it once: whoever synchronises again is told that all is well.
  let left = 1
  watch.onSync = () => {
    if (left > 0) throw ((left -= 1), brokenDisk('fsync'))
  }
  await t.throwsAsync(driver.writePiece(manifest, 1, pieceOf(bytes, 1)), { code: 'blob_store_unusable' })
  t.deepEqual(await driver.pieces(manifest), new Set())
  t.is(await driver.stat(manifest.sha256), undefined)
  left = 1
  await t.throwsAsync(driver.write(streamOf(bytes)), { code: 'blob_store_unusable' })
  t.deepEqual(await driver.list(), { blobs: [], next: undefined })
  for (const index of [0, 1]) await driver.writePiece(manifest, index, pieceOf(bytes, index))
  t.true((await readAll(driver, manifest.sha256)).equals(bytes))
})

test.serial('a place that the disk cannot read is a damaged piece, and the others are given', async (t) => {
  const folder = await testFolder(t)
  const driver = await openFolder(t, folder)
  const bytes = randomBytes(2 * PIECE_BYTES + 10)
  const manifest = await driver.write(streamOf(bytes))
  const other = await driver.write(streamOf(randomBytes(10)))
  const bad = inodeOf(pathOf(folder, manifest.sha256))
  const sector = PIECE_BYTES + 4096
  const broken = (fd: number, position: number, length: number) => {
    if (fstatSync(fd).ino !== bad || position > sector || position + length <= sector) return
    throw brokenDisk('read')
  }
  watch.onRead = broken
  const found = await Array.fromAsync(scrub(driver, MANY))
  const damage = found.find(({ sha256 }) => sha256 === manifest.sha256)
  t.like(damage, { state: 'damaged', damage: { manifest, pieces: [1] } })
  t.is(found.find(({ sha256 }) => sha256 === other.sha256)?.state, 'sound', 'and it goes on behind it')
  await t.throwsAsync(driver.readPiece(manifest, 1), { code: 'blob_damaged' })
  await t.throwsAsync(readAll(driver, manifest.sha256), { code: 'blob_damaged' })
  t.deepEqual(Buffer.from(await driver.readPiece(manifest, 2)), pieceOf(bytes, 2))

  // Without its list nothing says which piece it is: all of it has to come again, and comes beside it.
  await rm(`${pathOf(folder, manifest.sha256)}.json`)
  await t.throwsAsync(driver.stat(manifest.sha256), { code: 'blob_damaged' })
  t.deepEqual(await driver.pieces(manifest), new Set())
  for (const index of [0, 1, 2]) await driver.writePiece(manifest, index, pieceOf(bytes, index))
  t.true((await readAll(driver, manifest.sha256)).equals(bytes))
})

test.serial('pieces on their way are looked at again where the disk cannot read them', async (t) => {
  const folder = await testFolder(t)
  const bytes = randomBytes(2 * PIECE_BYTES + 10)
  const manifest = manifestOf(bytes)
  const before = await openFolder(t, folder)
  for (const index of [0, 1]) await before.writePiece(manifest, index, pieceOf(bytes, index))
  const [place = ''] = await readdir(join(folder, 'partial'))
  const bad = inodeOf(join(folder, 'partial', place, 'bytes'))
  watch.onRead = (fd, position, length) => {
    if (fstatSync(fd).ino === bad && position <= PIECE_BYTES && position + length > PIECE_BYTES)
      throw brokenDisk('read')
  }
  const driver = await openFolder(t, folder)
  await t.throwsAsync(driver.writePiece(manifest, 2, pieceOf(bytes, 2)), { code: 'blob_damaged' })
  t.deepEqual(await driver.pieces(manifest), new Set([0, 2]))
  watch.onRead = undefined
  t.true(await driver.writePiece(manifest, 1, pieceOf(bytes, 1)))
  t.true((await readAll(driver, manifest.sha256)).equals(bytes))
})

test.serial('pieces that are left of a blob that is whole go', async (t) => {
  const folder = await testFolder(t)
  const driver = await openFolder(t, folder)
  const bytes = randomBytes(PIECE_BYTES + 10)
  const manifest = manifestOf(bytes)
  await driver.writePiece(manifest, 0, pieceOf(bytes, 0))
  const [place = ''] = await readdir(join(folder, 'partial'))
  const aside = join(folder, 'aside')
  await rename(join(folder, 'partial', place), aside)
  await driver.write(streamOf(bytes))
  await rename(aside, join(folder, 'partial', place))
  const other = randomBytes(PIECE_BYTES + 10)
  await driver.writePiece(manifestOf(other), 0, pieceOf(other, 0))
  await mkdir(join(folder, 'partial', 'theirs'))
  const again = await openFolder(t, folder)
  const left = (await readdir(join(folder, 'partial'))).map((name) => name.slice(0, 64))
  t.deepEqual(left.sort(), [manifestOf(other).sha256, 'theirs'].sort())
  t.true((await readAll(again, manifest.sha256)).equals(bytes))
})
