import { execFile, spawn } from 'node:child_process'
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
  mkdir,
  open,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'
import type { ExecutionContext } from 'ava'
import { PIECE_BYTES } from '../../../src/media/blobs/blob.ts'
import { allBlobs } from '../../../src/media/blobs/driver.ts'
import { FolderBlobs } from '../../../src/media/blobs/folder.ts'
import { scrub } from '../../../src/media/blobs/scrub.ts'
import { testFolder } from '../../helpers/folder.ts'
import { until } from '../../helpers/wait.ts'
import { manifestOf, numbered, pieceOf, streamOf } from './bytes.ts'
import { readAll, storeOf } from './places.ts'
import { startS3Server } from '../../mirrors/s3-server.ts'

const run = promisify(execFile)
const CHILD = join(import.meta.dirname, 'child.ts')
const MIB = 1024 * 1024

interface Child {
  process: ChildProcessWithoutNullStreams
  /** What it has told. */
  told: unknown[]
}

function start(t: ExecutionContext, args: string[], flags: string[] = [], before: string[] = []): Child {
  const node = [process.execPath, '--disable-warning=ExperimentalWarning', ...flags, CHILD, ...args]
  const [command = process.execPath, ...others] = [...before, ...node]
  const child = spawn(command, others)
  t.teardown(() => child.kill('SIGKILL'))
  const told: unknown[] = []
  let rest = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    // The last one may have been cut off.
    rest = lines.pop() ?? ''
    told.push(...lines.map((line) => JSON.parse(line) as unknown))
  })
  child.stderr.pipe(process.stderr)
  return { process: child, told }
}

async function kill({ process }: Child): Promise<void> {
  process.kill('SIGKILL')
  await once(process, 'close')
}

async function openFolder(t: ExecutionContext, folder: string, abandonedMs?: number): Promise<FolderBlobs> {
  const driver = await FolderBlobs.open(folder, abandonedMs === undefined ? {} : { abandonedMs })
  t.teardown(() => driver[Symbol.asyncDispose]())
  return driver
}

function pathOf(folder: string, sha256: string): string {
  return join(folder, 'whole', sha256.slice(0, 2), sha256.slice(2, 4), sha256)
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name)
}

test('a killed process loses nothing that it has told of, and leaves nothing half', async (t) => {
  const folder = await testFolder(t)
  const child = start(t, ['files', folder])
  await until('some files are written', () => child.told.length >= 5)
  await kill(child)
  const driver = await openFolder(t, folder)
  const found = await Array.fromAsync(scrub(driver, { bytesPerSecond: 1e12 }))
  t.true(found.every(({ state }) => state === 'sound'))
  const names = new Set(found.map(({ sha256 }) => sha256))
  t.deepEqual(
    child.told.filter((sha256) => !names.has(String(sha256))),
    [],
  )
  const incoming = join(folder, 'incoming')
  await writeFile(join(incoming, 'notes.txt'), 'somebody else’s')
  const left = (await readdir(incoming)).filter((name) => name !== 'notes.txt')
  for (const name of left) await utimes(join(incoming, name), 0, 0)
  await openFolder(t, folder)
  t.deepEqual(await readdir(incoming), ['notes.txt'])
})

test('pieces go on where a process was killed', async (t) => {
  const folder = await testFolder(t)
  const child = start(t, ['pieces', folder])
  await until('some pieces are written', () => child.told.length >= 6)
  await kill(child)
  const driver = await openFolder(t, folder)
  const told = child.told as { number: number; index: number }[]
  const last = Math.max(...told.map(({ number }) => number))
  for (let number = 0; number <= last + 1; number += 1) {
    const bytes = numbered(number)
    const manifest = manifestOf(bytes)
    const held = await driver.pieces(manifest)
    const lost = told.filter((each) => each.number === number && !held.has(each.index))
    t.deepEqual(lost, [])
    for (const index of manifest.pieces.keys())
      if (!held.has(index)) await driver.writePiece(manifest, index, pieceOf(bytes, index))
    t.true((await readAll(driver, manifest.sha256)).equals(bytes))
  }
  t.deepEqual(await readdir(join(folder, 'partial')), [])
})

test('a process that was killed when all pieces had come is made up for', async (t) => {
  const folder = await testFolder(t)
  const bytes = randomBytes(PIECE_BYTES + 1000)
  const manifest = manifestOf(bytes)
  await (await openFolder(t, folder)).writePiece(manifest, 0, pieceOf(bytes, 0))
  const [place = ''] = await readdir(join(folder, 'partial'))
  const put = async (piece: Uint8Array) => {
    const file = await open(join(folder, 'partial', place, 'bytes'), 'r+')
    await file.write(piece, 0, piece.length, PIECE_BYTES)
    await file.close()
    await writeFile(join(folder, 'partial', place, '1'), '')
  }
  await put(Buffer.alloc(1000))
  const driver = await openFolder(t, folder)
  t.deepEqual(await driver.pieces(manifest), new Set([0]), 'a power cut may have taken one')
  t.is(await driver.stat(manifest.sha256), undefined)
  await put(pieceOf(bytes, 1))
  t.deepEqual(await driver.pieces(manifest), new Set([0, 1]))
  t.deepEqual(await driver.stat(manifest.sha256), manifest)
  t.true((await readAll(driver, manifest.sha256)).equals(bytes))
})

test('a full disk is told, and nothing half is left', async (t) => {
  const folder = await testFolder(t)
  const child = start(t, ['full', folder])
  const limit = (bytes: number | 'unlimited') =>
    run('prlimit', ['--pid', String(child.process.pid), `--fsize=${bytes}:`])
  await until('it is ready', () => child.told.length === 1)
  await limit(PIECE_BYTES + 5 * 1000)
  child.process.stdin.write('go on\n')
  await until('it has tried', () => child.told.length === 6)
  t.deepEqual(child.told.slice(1), ['blob_disk_full', 'blob_disk_full', 'false', 'blob_disk_full', [0]])
  t.deepEqual(await filesBelow(join(folder, 'whole')), [])
  t.deepEqual(await filesBelow(join(folder, 'incoming')), [])
  const [place = ''] = await readdir(join(folder, 'partial'))
  t.is((await stat(join(folder, 'partial', place, 'bytes'))).size, PIECE_BYTES, 'half a piece is taken back')
  await limit('unlimited')
  child.process.stdin.write('go on\n')
  await once(child.process, 'close')
  t.deepEqual(child.told.slice(6), ['false', 'false', 'true'])
  const bytes = Buffer.alloc(2 * PIECE_BYTES + 1000, 'x')
  const driver = await openFolder(t, folder)
  t.true((await readAll(driver, manifestOf(bytes).sha256)).equals(bytes))
})

test('a process that has too many files open is told to come again', async (t) => {
  const child = start(t, ['busy', await testFolder(t)])
  const limit = (files: number) => run('prlimit', ['--pid', String(child.process.pid), `--nofile=${files}:`])
  await until('it is ready', () => child.told.length === 1)
  await limit(3)
  child.process.stdin.write('go on\n')
  await until('it has tried', () => child.told.length === 3)
  await limit(1000)
  child.process.stdin.write('go on\n')
  await once(child.process, 'close')
  t.deepEqual(child.told.slice(1), ['blob_store_unreachable', 'blob_store_unreachable', 'written', 1])
})

test('so is a disk that is full indeed, and it goes on when there is room', async (t) => {
  const canMount = await run('unshare', ['-rm', 'true']).then(
    () => true,
    () => false,
  )
  if (!canMount) {
    t.log('this system lets nobody mount a small disk for one process')
    t.pass()
    return
  }
  const folder = await testFolder(t)
  // A disk of six megabytes, which this process alone sees.
  const mount = 'mount -t tmpfs -o size=6m tmpfs "$0" && exec "$@"'
  const child = start(t, ['full', folder], [], ['unshare', '-rm', 'sh', '-c', mount, folder])
  await until('it is ready', () => child.told.length === 1)
  child.process.stdin.write('go on\n')
  await until('it has tried', () => child.told.length === 6)
  t.deepEqual(child.told.slice(1), ['blob_disk_full', 'false', 'blob_disk_full', 'blob_disk_full', [1]])
  const seen = join(`/proc/${child.process.pid}/root`, folder)
  t.deepEqual(await filesBelow(join(seen, 'whole')), [])
  t.deepEqual(await filesBelow(join(seen, 'incoming')), [])
  t.deepEqual((await filesBelow(join(seen, 'partial'))).sort(), ['1', 'bytes'])
  const there = ['-t', String(child.process.pid), '-U', '-m', '--preserve-credentials']
  await run('nsenter', [...there, 'mount', '-o', 'remount,size=64m', folder])
  child.process.stdin.write('go on\n')
  await once(child.process, 'close')
  t.deepEqual(child.told.slice(6), ['false', 'false', 'true'])
})

test('a file much larger than the heap goes through in little memory', async (t) => {
  const child = start(t, ['large', await testFolder(t), String(300 * MIB)], ['--max-old-space-size=64'])
  const [status] = (await once(child.process, 'close')) as [number]
  t.is(status, 0)
  const [told] = child.told as { isSame: boolean; bytes: number; grown: number }[]
  t.like(told, { isSame: true, bytes: 300 * MIB })
  t.log(`grown by ${Math.round((told?.grown ?? 0) / MIB)} MiB`)
  t.true((told?.grown ?? Infinity) < 100 * MIB)
})

test('so it does to a bucket and back', async (t) => {
  const server = await startS3Server(t)
  const settings = JSON.stringify([storeOf(server), server.secrets.bucket])
  const args = ['large', await testFolder(t), String(100 * MIB), settings]
  const child = start(t, args, ['--max-old-space-size=64'])
  const [status] = (await once(child.process, 'close')) as [number]
  t.is(status, 0)
  const [told] = child.told as { isSame: boolean; bytes: number; grown: number }[]
  t.like(told, { isSame: true, bytes: 100 * MIB })
  t.log(`grown by ${Math.round((told?.grown ?? 0) / MIB)} MiB`)
  t.true((told?.grown ?? Infinity) < 100 * MIB)
})

test('files of others are left alone, and told of as nothing', async (t) => {
  const folder = await testFolder(t)
  const driver = await openFolder(t, folder)
  const bytes = randomBytes(5000)
  const { sha256 } = await driver.write(streamOf(bytes))
  const beside = join(pathOf(folder, sha256), '..')
  const other = 'f'.repeat(64)
  const theirs = [
    join(folder, 'README'),
    join(folder, 'whole', 'notes.txt'),
    join(beside, 'notes.txt'),
    join(beside, other),
    join(folder, 'partial', 'notes.txt'),
    join(folder, 'incoming', 'upload.new'),
  ]
  for (const path of theirs) {
    await writeFile(path, 'somebody else’s')
    await utimes(path, 0, 0)
  }
  const linked = randomBytes(5000)
  const linkName = manifestOf(linked).sha256
  await writeFile(join(folder, 'linked'), linked)
  await mkdir(join(pathOf(folder, linkName), '..'), { recursive: true })
  await symlink(join(folder, 'linked'), pathOf(folder, linkName))
  const again = await openFolder(t, folder)
  t.is(await again.stat(linkName), undefined, 'a link is no file')
  t.deepEqual(await Array.fromAsync(allBlobs(again)), [{ sha256, bytes: 5000, isWhole: true }])
  t.true(await again.delete(sha256))
  t.false(await again.delete(other))
  for (const path of theirs) t.is(await readFile(path, 'utf8'), 'somebody else’s')
  t.deepEqual(
    (await filesBelow(folder)).filter((name) => name.startsWith(sha256)),
    [],
  )
})

test('a file that was cut off is damaged, and read when all of it has come again', async (t) => {
  const folder = await testFolder(t)
  const driver = await openFolder(t, folder)
  const bytes = randomBytes(2 * PIECE_BYTES + 5000)
  const manifest = await driver.write(streamOf(bytes))
  const path = pathOf(folder, manifest.sha256)
  t.is((await stat(path)).mode & 0o777, 0o600)

  for (const size of [0, PIECE_BYTES + 5, bytes.length + 5]) {
    await truncate(path, size)
    await t.throwsAsync(driver.read(manifest.sha256), { code: 'blob_damaged' })
    await t.throwsAsync(driver.stat(manifest.sha256), { code: 'blob_damaged' })
    const [damage] = await Array.fromAsync(scrub(driver, { bytesPerSecond: 1e12 }))
    t.deepEqual(damage, { sha256: manifest.sha256, bytes: 0, state: 'damaged' })
    t.deepEqual(await driver.pieces(manifest), new Set(), 'all of them have to come')
    if (size > PIECE_BYTES)
      t.true(
        bytes.subarray(0, PIECE_BYTES).equals(await driver.readPiece(manifest, 0)),
        'what is right is given',
      )
    else await t.throwsAsync(driver.readPiece(manifest, 0), { code: 'blob_damaged' })
    for (const index of [2, 0]) {
      t.false(await driver.writePiece(manifest, index, pieceOf(bytes, index)))
      await t.throwsAsync(driver.read(manifest.sha256), { code: 'blob_damaged' }, 'never with holes in it')
    }
    await openFolder(t, folder)
    t.deepEqual(await driver.pieces(manifest), new Set([0, 2]))
    t.deepEqual(Buffer.from(await driver.readPiece(manifest, 2)), pieceOf(bytes, 2))
    t.true(await driver.writePiece(manifest, 1, pieceOf(bytes, 1)))
    t.true((await readAll(driver, manifest.sha256)).equals(bytes))
  }

  const { stream } = await driver.read(manifest.sha256)
  const reading = (async () => {
    for await (const _ of stream) await truncate(path, 5)
  })()
  await t.throwsAsync(reading, { code: 'blob_damaged' })
})

test('the list of a file’s pieces is made anew from the file', async (t) => {
  const folder = await testFolder(t)
  const driver = await openFolder(t, folder)
  const bytes = randomBytes(PIECE_BYTES + 5000)
  const manifest = await driver.write(streamOf(bytes))
  const path = pathOf(folder, manifest.sha256)
  const asks: (() => Promise<unknown>)[] = [
    async () => t.true((await readAll(driver, manifest.sha256)).equals(bytes)),
    async () => t.deepEqual(await driver.stat(manifest.sha256), manifest),
    async () => t.deepEqual(await driver.pieces(manifest), new Set([0, 1])),
    async () => t.true(await driver.writePiece(manifest, 1, pieceOf(bytes, 1))),
  ]
  for (const [index, text] of ['', '{', '{}', JSON.stringify(manifestOf(randomBytes(5)))].entries()) {
    await writeFile(`${path}.json`, text)
    await asks[index]?.()
    t.deepEqual(JSON.parse(await readFile(`${path}.json`, 'utf8')), manifest)
  }
  // Another process deleted the file while this one wrote it.
  for (const ask of asks) {
    await rm(`${path}.json`)
    await ask()
  }
  await rm(`${path}.json`)
  await symlink('/etc/hostname', `${path}.json`)
  await asks[0]?.()

  const lie = { ...manifestOf(randomBytes(bytes.length)), sha256: manifest.sha256 }
  await rm(`${path}.json`)
  await t.throwsAsync(driver.pieces(lie), { code: 'blob_bad_manifest' })
  await t.throwsAsync(driver.readPiece(lie, 0), { code: 'blob_bad_manifest' })

  for (const damage of ['!', '']) {
    await writeFile(path, damage)
    await rm(`${path}.json`)
    for (let turn = 0; turn < 2; turn += 1) {
      await t.throwsAsync(driver.read(manifest.sha256), { code: 'blob_damaged' })
      await t.throwsAsync(driver.stat(manifest.sha256), { code: 'blob_damaged' })
    }
    t.deepEqual(await driver.pieces(manifest), new Set())
    for (const index of [1, 0]) await driver.writePiece(manifest, index, pieceOf(bytes, index))
    t.true((await readAll(driver, manifest.sha256)).equals(bytes))
  }
})

test('a folder that cannot be used is told', async (t) => {
  const folder = await testFolder(t)
  await writeFile(join(folder, 'file'), '')
  await t.throwsAsync(FolderBlobs.open(join(folder, 'file', 'media')), { code: 'blob_store_unusable' })
  const driver = await openFolder(t, join(folder, 'deep', 'media'))
  const bytes = randomBytes(50)
  await run('rm', ['-r', join(folder, 'deep')])
  await t.throwsAsync(driver.write(streamOf(bytes)), { code: 'blob_store_unusable' })
  await t.throwsAsync(driver.read(manifestOf(bytes).sha256), { code: 'blob_missing' })
})
