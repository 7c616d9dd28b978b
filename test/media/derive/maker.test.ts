import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { promisify } from 'node:util'
import test from 'ava'
import { FolderBlobs } from '../../../src/media/blobs/folder.ts'
import { ffmpegAt } from '../../../src/media/clean/tools.ts'
import { Maker } from '../../../src/media/derive/maker.ts'
import { testFolder } from '../../helpers/folder.ts'
import { until } from '../../helpers/wait.ts'
import { film, run } from '../clean/fixtures.ts'
import { fakeFfmpeg, hangs, isAlive, photo, pidsIn } from './fixtures.ts'

const execute = promisify(execFile)

test('an ffmpeg that hangs is ended when the time for a file is over, with all that it started', async (t) => {
  const folder = await testFolder(t)
  const ffmpeg = await ffmpegAt({ ffmpeg: await fakeFfmpeg(folder, hangs(folder)) })
  await using blobs = await FolderBlobs.open(join(folder, 'blobs'))
  const maker = await Maker.open({ blobs, tools: { ffmpeg }, folder: join(folder, 'work'), mostMs: 2000 })
  const bytes = await readFile(await film(folder, 'a.mp3', '-f', 'lavfi', '-i', 'sine=duration=1'))
  const manifest = await blobs.write(Readable.from([bytes]))
  const source = { ...manifest, type: 'audio/mpeg', extension: 'mp3', durationMs: 1000 }
  const making = maker.make(source, new AbortController().signal)
  await t.throwsAsync(making, { code: 'media_too_complex', message: /takes longer than 2 seconds/ })
  const pids = await pidsIn(folder)
  await until('all is gone', () => !pids.some(isAlive))
  t.deepEqual(await readdir(join(folder, 'work')), [])
  t.is((await blobs.list()).blobs.length, 1)
})

test('what ffmpeg writes without an end is bounded', async (t) => {
  const folder = await testFolder(t)
  const script = 'for last; do :; done; exec dd if=/dev/zero of="${last#file:}" bs=1M'
  const ffmpeg = await ffmpegAt({ ffmpeg: await fakeFfmpeg(folder, script) })
  await using blobs = await FolderBlobs.open(join(folder, 'blobs'))
  const maker = await Maker.open({ blobs, tools: { ffmpeg }, folder: join(folder, 'work'), mostMs: 60_000 })
  const bytes = await readFile(await film(folder, 'a.mp3', '-f', 'lavfi', '-i', 'sine=duration=1'))
  const manifest = await blobs.write(Readable.from([bytes]))
  const source = { ...manifest, type: 'audio/mpeg', extension: 'mp3', durationMs: 1000 }
  await t.throwsAsync(maker.make(source, new AbortController().signal), { code: 'media_too_complex' })
  t.deepEqual(await readdir(join(folder, 'work')), [])
})

test('what is no film, and what is no picture, is said to be so', async (t) => {
  const folder = await testFolder(t)
  await using blobs = await FolderBlobs.open(join(folder, 'blobs'))
  const tools = { ffmpeg: await ffmpegAt() }
  const maker = await Maker.open({ blobs, tools, folder: join(folder, 'work'), mostMs: 60_000 })
  const manifest = await blobs.write(Readable.from([Buffer.alloc(5000, 'no picture ')]))
  for (const [type, extension] of [
    ['image/jpeg', 'jpg'],
    ['video/mp4', 'mp4'],
    ['audio/ogg', 'ogg'],
  ] as const) {
    const making = maker.make({ ...manifest, type, extension }, new AbortController().signal)
    await t.throwsAsync(making, { code: 'media_unreadable' })
  }
  t.deepEqual(await readdir(join(folder, 'work')), [])
})

test('a picture is never decoded as another type than its document says', async (t) => {
  const folder = await testFolder(t)
  await using blobs = await FolderBlobs.open(join(folder, 'blobs'))
  const maker = await Maker.open({ blobs, tools: {}, folder: join(folder, 'work'), mostMs: 60_000 })
  const { bytes } = await photo(400, 300)
  const manifest = await blobs.write(Readable.from([bytes]))
  const making = maker.make(
    { ...manifest, type: 'image/png', extension: 'png' },
    new AbortController().signal,
  )
  await t.throwsAsync(making, { code: 'media_unreadable' })
})

test('a full disk is told as such, wherever it comes, and nothing is left on it', async (t) => {
  const canMount = await run('/', 'unshare', '-rm', 'true').then(
    () => true,
    () => false,
  )
  if (!canMount) {
    t.log('this system lets nobody mount a small disk for one process')
    t.pass()
    return
  }
  const folder = await testFolder(t)
  const { bytes } = await photo(1600, 1200)
  const kilobytes = Math.ceil(bytes.length / 1024)
  await using blobs = await FolderBlobs.open(join(folder, 'blobs'))
  const { sha256 } = await blobs.write(Readable.from([bytes]))
  const work = join(folder, 'work')
  await mkdir(work)
  const child = join(import.meta.dirname, 'on-a-small-disk.ts')
  const args = [
    process.execPath,
    '--disable-warning=ExperimentalWarning',
    child,
    folder,
    sha256,
    String(bytes.length),
  ]
  // Too small for the file itself, and then for what is made of it.
  for (const room of [kilobytes - 200, kilobytes + 200]) {
    const mount = `mount -t tmpfs -o size=${room}k tmpfs "$0" && exec "$@"`
    const { stdout } = await execute('unshare', ['-rm', 'sh', '-c', mount, work, ...args])
    t.deepEqual(JSON.parse(stdout), { code: 'blob_disk_full', left: [] })
  }
})
