import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import test from 'ava'
import type { ExecutionContext } from 'ava'
import type { Draft } from '../../../src/ledger/document.ts'
import { derivationsFile } from '../../../src/media/derive/derivations.ts'
import { JobFile } from '../../../src/media/derive/jobs.ts'
import type { Job } from '../../../src/media/derive/jobs.ts'
import { publishWithFiles } from '../../helpers/files-of-items.ts'
import type { GivenFile } from '../../helpers/files-of-items.ts'
import { testFolder } from '../../helpers/folder.ts'
import { startNodeHere } from '../../helpers/node-here.ts'
import type { NodeHere } from '../../helpers/node-here.ts'
import { join2, TestNode } from '../../helpers/node.ts'
import { until } from '../../helpers/wait.ts'
import { film } from '../clean/fixtures.ts'
import {
  derivationsOf,
  fakeFfmpeg,
  hangs,
  isAlive,
  photo,
  pidsIn,
  sortsOf,
  untilMade,
  untilState,
} from './fixtures.ts'

async function song(t: ExecutionContext): Promise<GivenFile> {
  const path = await film(await testFolder(t), 'a.mp3', '-f', 'lavfi', '-i', 'sine=duration=1')
  return { bytes: await readFile(path), type: 'audio/mpeg', extension: 'mp3', durationMs: 1000 }
}

function withFfmpeg(path: string): string {
  return `media: { tools: { ffmpeg: '${path}' } }`
}

async function workFolder(node: NodeHere): Promise<string[]> {
  return readdir(join(node.data, 'media-deriving'))
}

/** Where a folder keeps the bytes of a blob. */
function pathOf(node: NodeHere, sha256: string): string {
  return join(node.data, 'media', 'whole', sha256.slice(0, 2), sha256.slice(2, 4), sha256)
}

async function mediaDocuments(node: TestNode): Promise<number> {
  return (await node.ledgerIds()).filter((id) => id.includes(':media:')).length
}

test('what ffmpeg cannot do fails with what it said, and can be tried again by hand', async (t) => {
  const folder = await testFolder(t)
  const mended = join(folder, 'mended')
  const script = `[ -e ${mended} ] && exec $real "$@"; echo "the tape is torn" >&2; exit 1`
  const node = await startNodeHere(t, withFfmpeg(await fakeFfmpeg(folder, script)))
  const { item } = await publishWithFiles(node, [await song(t)])
  const job = await untilState(node, item, 'failed')
  t.is(job.code, 'derive_failed')
  t.regex(job.reason ?? '', /no Opus could be made of this file: the tape is torn/)
  t.deepEqual(await workFolder(node), [])
  t.is(await mediaDocuments(node), 1)
  await writeFile(mended, '')
  derivationsOf(node).retry(job.id)
  t.deepEqual(sortsOf(await untilMade(node, item)), ['sound audio/ogg', 'wave image/png'])
  const done = await untilState(node, item, 'done')
  t.is(done.reason, undefined)
  t.throws(() => derivationsOf(node).retry(job.id), { code: 'derive_unknown' })
  t.throws(() => derivationsOf(node).retry('nothing'), { code: 'derive_unknown' })
})

test('pictures do not wait for a film that takes hours; hiding it ends that', async (t) => {
  const folder = await testFolder(t)
  const node = await startNodeHere(t, withFfmpeg(await fakeFfmpeg(folder, hangs(folder))))
  const slow = await publishWithFiles(node, [await song(t)])
  const pids = await until('ffmpeg runs', () => pidsIn(folder))
  t.true(pids.every(isAlive))
  const quick = await publishWithFiles(node, [await photo(400, 300)])
  t.is((await untilMade(node, quick.item)).made.length, 3)
  const { item } = slow
  const hide: Draft = { type: 'decision', item, target: item, action: 'hide', reason: 'x', supersedes: [] }
  await node.here.store.ledger.append([{ draft: hide }])
  await until('all that ran is gone', () => !pids.some(isAlive))
  await until('nothing is left', async () => (await workFolder(node)).length === 0)
  t.deepEqual(
    derivationsOf(node)
      .list()
      .filter((job) => job.item === item),
    [],
  )
})

test('stopping the node ends what runs, and what was begun waits', async (t) => {
  const folder = await testFolder(t)
  const node = await startNodeHere(t, withFfmpeg(await fakeFfmpeg(folder, hangs(folder))))
  await publishWithFiles(node, [await song(t)])
  const pids = await until('ffmpeg runs', () => pidsIn(folder))
  await node.stop()
  await until('all that ran is gone', () => !pids.some(isAlive))
  t.deepEqual(await workFolder(node), [])
  using jobs = JobFile.reading(derivationsFile(node.data))
  t.like(jobs.list(['waiting'], 10), [{ crashes: 0 }])
})

test('of a damaged file nothing is made, until it is mended', async (t) => {
  const folder = await testFolder(t)
  const gate = join(folder, 'open')
  const script = `while ! [ -e ${gate} ]; do sleep 0.05; done; exec $real "$@"`
  const node = await startNodeHere(t, withFfmpeg(await fakeFfmpeg(folder, script)))
  // While one sound is being made, the next one waits.
  const first = await publishWithFiles(node, [await song(t)])
  await untilState(node, first.item, 'working')
  const given = { ...(await song(t)), name: 'second' }
  given.bytes = Buffer.concat([given.bytes, given.bytes])
  const second = await publishWithFiles(node, [given])
  const [{ sha256 } = { sha256: '' }] = second.files
  const bytes = Buffer.from(given.bytes)
  bytes.writeUInt8(bytes.readUInt8(100) ^ 1, 100)
  await writeFile(pathOf(node, sha256), bytes)
  await writeFile(gate, '')
  const job = await untilState(node, second.item, 'waiting', 'blob_damaged')
  t.true(job.dueMs > job.changedMs)
  await writeFile(pathOf(node, sha256), given.bytes)
  derivationsOf(node).retry(job.id)
  t.is((await untilMade(node, second.item)).made.length, 2)
})

test('a file that is deleted is waited for, unless it is being worked on already', async (t) => {
  const folder = await testFolder(t)
  const gate = join(folder, 'open')
  const script = `while ! [ -e ${gate} ]; do sleep 0.05; done; exec $real "$@"`
  const node = await startNodeHere(t, withFfmpeg(await fakeFfmpeg(folder, script)))
  const given = await song(t)
  const { item, files } = await publishWithFiles(node, [given])
  await until('it is being read', async () => (await workFolder(node)).length === 1)
  await until('ffmpeg has begun', async () => {
    const [name = ''] = await workFolder(node)
    return (await readdir(join(node.data, 'media-deriving', name))).includes('source')
  })
  // What works on it has a copy: this harms nothing.
  await node.here.media.blobs.delete(files[0]?.sha256 ?? '')
  const other = { ...given, bytes: Buffer.concat([given.bytes, given.bytes]) }
  const second = await publishWithFiles(node, [other])
  await node.here.media.blobs.delete(second.files[0]?.sha256 ?? '')
  await writeFile(gate, '')
  t.is((await untilMade(node, item)).made.length, 2)
  const job = await untilState(node, second.item, 'waiting', 'blob_missing')
  await node.here.media.blobs.write(Readable.from([other.bytes]))
  derivationsOf(node).retry(job.id)
  t.is((await untilMade(node, second.item)).made.length, 2)
})

test('without ffmpeg pictures are made, sound and film are offered as they are, and status says so', async (t) => {
  const node = await startNodeHere(t, withFfmpeg('/nowhere/ffmpeg'))
  const sound = await publishWithFiles(node, [await song(t)])
  const picture = await publishWithFiles(node, [await photo(400, 300)])
  await untilMade(node, picture.item)
  await untilState(node, picture.item, 'done')
  t.deepEqual(
    derivationsOf(node)
      .list()
      .map(({ item }) => item),
    [picture.item],
  )
  t.is((await node.page(`/files/${sound.files[0]?.sha256 ?? ''}.mp3`)).status, 200)
  const said = await until('it is written down', async () => {
    const { out } = await node.run('status')
    return out.includes('1 done') && out
  })
  t.regex(said, /made of files +1 done, 0 worked on, 0 waiting, 0 failed\n +ffmpeg is not installed/)
  const { out } = await node.run('status', '--json')
  t.like(JSON.parse(out), { derivations: { ffmpeg: null, done: 1, failed: 0 } })
})

test('it is switched off by a setting, and found again when it is on', async (t) => {
  const node = await startNodeHere(t, 'media: { derive: { on: false } }')
  const { item } = await publishWithFiles(node, [await photo(400, 300)])
  t.is(node.here.media.derivations, undefined)
  await node.stop()
  await node.writeConfig('')
  await node.start()
  t.is((await untilMade(node, item)).made.length, 3)
  await untilState(node, item, 'done')
  // A list that is lost is made anew, and says that there is nothing to do.
  await node.stop()
  for (const ending of ['', '-wal', '-shm']) await rm(derivationsFile(node.data) + ending, { force: true })
  await node.start()
  const again = await publishWithFiles(node, [await photo(500, 300)])
  await untilState(node, again.item, 'done')
  t.deepEqual(
    derivationsOf(node)
      .list()
      .map((job) => job.item),
    [again.item],
  )
  t.is(await mediaDocuments(node), 4)
})

test('another node lets the one that published it go first', async (t) => {
  const a = await startNodeHere(t, 'media: { derive: { on: false } }')
  const b = await startNodeHere(t, '')
  await join2(a, b)
  const given = await photo(400, 300)
  const { item } = await publishWithFiles(a, [given])
  const job = await untilState(b, item, 'waiting')
  t.is(job.dueMs - job.changedMs, 60 * 60 * 1000)
  // The time is up, and the file has been fetched.
  await b.here.media.blobs.write(Readable.from([given.bytes]))
  derivationsOf(b).retry(job.id)
  t.is((await untilMade(b, item)).made.length, 3)
})

test('a node that is killed takes what ran with it, and goes on after the next start', async (t) => {
  const here = await startNodeHere(t, 'media: { derive: { on: false } }')
  const { item, files } = await publishWithFiles(here, [await song(t)])
  await here.stop()
  const folder = await testFolder(t)
  const real = join(folder, 'real')
  const script = `[ -e ${real} ] && exec $real "$@"; ${hangs(folder)}`
  await here.writeConfig(withFfmpeg(await fakeFfmpeg(folder, script)))
  const node = new TestNode(join(here.data, '..'))
  t.teardown(() => node.remove())
  const job = (): Job | undefined => {
    using jobs = JobFile.reading(derivationsFile(node.data))
    return jobs.get(`${item}:${files[0]?.sha256 ?? ''}`)
  }
  await node.start()
  const pids = await until('ffmpeg runs', () => pidsIn(folder), 60_000)
  await node.kill()
  await until('what it had started is gone as well', () => !pids.some(isAlive))
  t.is(job()?.state, 'working')
  await writeFile(real, '')
  await node.start()
  const done = await until('it is done', () => job()?.state === 'done' && job(), 120_000)
  t.is(done.crashes, 1)
  t.is(await mediaDocuments(node), 2)
})

test('a file that the node ends over is left alone the third time, until somebody asks for it', async (t) => {
  const folder = await testFolder(t)
  const real = join(folder, 'real')
  const script = `[ -e ${real} ] && exec $real "$@"; ${hangs(folder)}`
  const node = await startNodeHere(t, withFfmpeg(await fakeFfmpeg(folder, script)))
  const { item } = await publishWithFiles(node, [await song(t)])
  const job = await untilState(node, item, 'working')
  await node.stop()
  {
    // As it stands when the node is killed the third time in the middle of it.
    using jobs = JobFile.open(derivationsFile(node.data))
    jobs.set(job, { state: 'working', changedMs: Date.now(), crashes: 2 })
  }
  await node.start()
  t.like(await untilState(node, item, 'failed'), { code: 'derive_gave_up', crashes: 3 })
  await writeFile(real, '')
  derivationsOf(node).retry(job.id)
  t.is((await untilMade(node, item)).made.length, 2)
})
