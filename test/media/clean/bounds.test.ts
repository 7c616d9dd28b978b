import { spawn } from 'node:child_process'
import { chmod, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import sharp from 'sharp'
import { HyperactiveError } from '../../../src/errors.ts'
import { runBounded } from '../../../src/media/clean/bounded.ts'
import { Cleaner } from '../../../src/media/clean/cleaner.ts'
import { ffmpegAt, findTools } from '../../../src/media/clean/tools.ts'
import { testFolder } from '../../helpers/folder.ts'
import { until } from '../../helpers/wait.ts'
import { bench, film, halves, pdf, PICTURE_IN, SOUND_IN } from './fixtures.ts'

const MIB = 1024 * 1024
const BOUNDS = { timeoutMs: 30_000, memoryBytes: 256 * MIB, writtenBytes: 8 * MIB }

/** A program that does what a shell script says. */
async function program(folder: string, name: string, script: string): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, `#!/bin/sh\n${script}\n`)
  await chmod(path, 0o755)
  return path
}

/** An ffmpeg that says it is one and then never ends, with a child of its own that does not either. */
async function hangingFfmpeg(folder: string): Promise<string> {
  const note = join(folder, 'pids')
  return program(
    folder,
    'hanging-ffmpeg',
    `case "$1" in -version) echo "ffmpeg version 0-hangs"; exit;; esac\nsleep 600 & echo "$$ $!" > ${note}.new; mv ${note}.new ${note}; while :; do :; done`,
  )
}

const processesOf = async (folder: string) =>
  (await readFile(join(folder, 'pids'), 'utf8')).trim().split(' ').map(Number)

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

test('an ffmpeg that hangs is ended after its time, with all that it started', async (t) => {
  const tools = await testFolder(t)
  const ffmpeg = await ffmpegAt({ ffmpeg: await hangingFfmpeg(tools) })
  t.is(ffmpeg?.version, '0-hangs')
  const { folder, refused } = await bench(t, { tools: { ffmpeg }, limits: { streamTimeoutMs: 1500 } })
  const song = await readFile(await film(folder, 'a.flac', ...SOUND_IN))
  const { code, message } = await refused(song)
  t.is(code, 'media_too_complex')
  t.regex(message, /longer than 2 seconds/)
  await until('both processes are gone', async () => !(await processesOf(tools)).some(isAlive))
})

test('aborting ends what runs, at once and without a trace', async (t) => {
  const tools = await testFolder(t)
  const ffmpeg = await ffmpegAt({ ffmpeg: await hangingFfmpeg(tools) })
  const { folder, work, clean } = await bench(t, { tools: { ffmpeg } })
  await film(folder, 'a.mp4', ...PICTURE_IN)
  const abort = new AbortController()
  const cleaning = clean('a.mp4', abort.signal)
  const pids = await until('ffmpeg runs', () => processesOf(tools))
  t.true(pids.every(isAlive))
  abort.abort(new Error('the visitor left'))
  await t.throwsAsync(cleaning, { message: 'the visitor left' })
  await until('both processes are gone', () => !pids.some(isAlive))
  t.deepEqual(await readdir(work), [])
  t.false((await readdir(folder)).includes('a.mp4'))
})

test('one that waits for its turn can be aborted, and the others go on', async (t) => {
  const { folder, work, clean } = await bench(t, { atOnce: 1 })
  const abort = new AbortController()
  await Promise.all(['a', 'b', 'c'].map((name) => halves().png().toFile(join(folder, name))))
  const first = clean('a')
  const second = clean('b', abort.signal)
  const third = clean('c')
  abort.abort()
  await t.throwsAsync(second, { name: 'AbortError' })
  t.is((await first).type, 'image/png')
  t.is((await third).type, 'image/png')
  t.is((await readdir(work)).length, 2)
  t.deepEqual(await readdir(folder), ['work'])
})

test('without ffmpeg and qpdf their files are refused, and the others are not', async (t) => {
  const { folder, refused, clean } = await bench(t, { tools: {} })
  const song = await readFile(await film(folder, 'a.mp3', ...SOUND_IN))
  const sound = await refused(song)
  t.is(sound.code, 'media_tool_missing')
  t.is(sound.status, 415)
  t.regex(sound.message, /ffmpeg is not installed/)
  const document = pdf(['<< /Type /Catalog /Pages 2 0 R >>', '<< /Type /Pages /Kids [] /Count 0 >>'])
  t.like(await refused(document), { code: 'media_tool_missing' })
  await halves().png().toFile(join(folder, 'a.png'))
  await using picture = await clean('a.png')
  t.is(picture.type, 'image/png')
})

test('programs are found, and what is none is not', async (t) => {
  const folder = await testFolder(t)
  const { ffmpeg, qpdf } = await findTools()
  t.regex(ffmpeg?.version ?? '', /^\d/)
  t.regex(qpdf?.version ?? '', /^\d/)
  t.is(await ffmpegAt({ ffmpeg: join(folder, 'nothing') }), undefined)
  const broken = await program(folder, 'broken', 'exit 3')
  t.is(await ffmpegAt({ ffmpeg: broken }), undefined)
  const old = await program(folder, 'qpdf', 'echo "qpdf version 10.6.3"')
  t.is((await findTools({ qpdf: old })).qpdf, undefined)
})

test('what a crash left is removed at the next start, and nothing else', async (t) => {
  const work = join(await testFolder(t), 'work')
  await mkdir(join(work, 'clean-abc123'), { recursive: true })
  await writeFile(join(work, 'clean-abc123', 'original'), 'PRIVATE')
  await writeFile(join(work, 'clean-abc123.jpg'), 'half')
  await writeFile(join(work, 'README'), 'kept')
  const cleaner = await Cleaner.open({ folder: work, tools: {} })
  t.truthy(cleaner)
  t.deepEqual(await readdir(work), ['README'])
})

test('a file that is not there is said to be so', async (t) => {
  const { work, clean } = await bench(t, { tools: {} })
  await t.throwsAsync(clean('nothing'), { code: 'ENOENT' })
  t.deepEqual(await readdir(work), [])
})

test('a file beyond the size for its type is refused', async (t) => {
  const { refused } = await bench(t, { tools: {}, limits: { imageBytes: 1000, textBytes: 100 } })
  const noise = { type: 'gaussian', mean: 128, sigma: 60 } as const
  const picture = await sharp({ create: { width: 99, height: 99, channels: 3, noise, background: 'red' } })
    .png()
    .toBuffer()
  t.like(await refused(picture), { code: 'media_too_large', status: 413 })
  t.like(await refused('Good morning.\n'.repeat(10)), { code: 'media_too_large' })
})

test('a program that writes without an end is ended', async (t) => {
  const folder = await testFolder(t)
  const run = (script: string) => runBounded('sh', ['-c', script], { folder, bounds: BOUNDS })
  const error = { instanceOf: HyperactiveError, code: 'media_too_complex' }
  await t.throwsAsync(run('exec dd if=/dev/zero of=one bs=1M'), error)
  await t.throwsAsync(
    run('i=0; while :; do i=$((i+1)); dd if=/dev/zero of=f$i bs=1M count=1 2>/dev/null; done'),
    error,
  )
  await t.throwsAsync(run('yes'), error)
})

test('a program that takes more memory than it may gets none', async (t) => {
  const folder = await testFolder(t)
  const script = 'const all = []; for (;;) all.push(Buffer.alloc(10_000_000, 1))'
  const bounds = { ...BOUNDS, memoryBytes: 1024 * MIB }
  const args = ['--max-old-space-size=8000', '-e', script]
  const { code, complaint } = await runBounded(process.execPath, args, { folder, bounds })
  t.is(code, 1)
  t.regex(complaint, /ERR_MEMORY_ALLOCATION_FAILED/)
})

test('a program sees nothing of our environment, and is niced', async (t) => {
  const folder = await testFolder(t)
  process.env['HYPERACTIVE_TEST_SECRET'] = 'PRIVATE'
  const { output } = await runBounded('sh', ['-c', 'env; echo "nice $(nice)"; pwd'], {
    folder,
    bounds: BOUNDS,
  })
  delete process.env['HYPERACTIVE_TEST_SECRET']
  t.false(output.includes('PRIVATE'))
  t.regex(output, /nice 19/)
  t.true(output.includes(folder))
})

test('when the node is killed, what reads a file ends at once, and the next start removes the file', async (t) => {
  const tools = await testFolder(t)
  const folder = await testFolder(t)
  const ffmpeg = await hangingFfmpeg(tools)
  await film(folder, 'a.mp4', ...PICTURE_IN)
  const script = `
    import { Cleaner } from ${JSON.stringify(join(import.meta.dirname, '../../../src/media/clean/cleaner.ts'))}
    const tools = { ffmpeg: { ffmpeg: ${JSON.stringify(ffmpeg)}, ffprobe: ${JSON.stringify(ffmpeg)}, version: '0' } }
    const cleaner = await Cleaner.open({ folder: ${JSON.stringify(join(folder, 'work'))}, tools })
    await cleaner.clean(${JSON.stringify(join(folder, 'a.mp4'))})`
  const node = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit' })
  t.teardown(() => node.kill('SIGKILL'))
  const pids = await until('ffmpeg runs', () => processesOf(tools))
  t.true(pids.every(isAlive))
  node.kill('SIGKILL')
  await until('both processes are gone', () => !pids.some(isAlive))
  t.false((await readdir(folder)).includes('a.mp4'))
  await Cleaner.open({ folder: join(folder, 'work'), tools: {} })
  t.deepEqual(await readdir(join(folder, 'work')), [])
})

test('what a program leaves behind does not hold it up', async (t) => {
  const folder = await testFolder(t)
  const { code, output } = await runBounded('sh', ['-c', 'sleep 600 & echo $!'], { folder, bounds: BOUNDS })
  t.is(code, 0)
  await until('it is gone', () => !isAlive(Number(output)))
})

test('aborting while the folder is looked at ends it, too', async (t) => {
  const folder = await testFolder(t)
  const abort = new AbortController()
  const running = runBounded('sh', ['-c', 'echo > began'], { folder, bounds: BOUNDS, signal: abort.signal })
  abort.abort(new Error('the visitor left'))
  await t.throwsAsync(running, { message: 'the visitor left' })
  t.deepEqual(await readdir(folder), [])
})

test('an original is gone also where there is no room to work on it', async (t) => {
  const { folder, work, clean } = await bench(t, { tools: {} })
  await halves().png().toFile(join(folder, 'a.png'))
  await rm(work, { recursive: true })
  await t.throwsAsync(clean('a.png'), { code: 'ENOENT' })
  t.deepEqual(await readdir(folder), [])
})

test('a full disk is not taken for a damaged file', async (t) => {
  const tools = await testFolder(t)
  const full = await program(
    tools,
    'full-ffmpeg',
    'case "$1" in -version) echo "ffmpeg version 0-full"; exit;; esac\nexec dd if=/dev/zero of=/dev/full count=1',
  )
  const ffmpeg = await ffmpegAt({ ffmpeg: full })
  const { folder, refused } = await bench(t, { tools: { ffmpeg } })
  const song = await readFile(await film(folder, 'a.flac', ...SOUND_IN))
  t.like(await refused(song), { code: 'media_no_room', status: 507 })
})

test('what a library complains of is for the log, not for who sent the file', async (t) => {
  const { refused } = await bench(t)
  const image = '/Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceRGB /BitsPerComponent 8'
  const document = pdf([
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Resources << /XObject << /A 4 0 R >> >> >>',
    [`<< /Type /XObject ${image} /Filter [/FlateDecode /DCTDecode] >>`, 'not packed'],
  ])
  const { code, message, cause } = await refused(document)
  t.is(code, 'media_unreadable')
  t.regex(String(cause), /header check/)
  t.notRegex(message, /header check/)
})
