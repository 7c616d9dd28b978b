import { randomBytes } from 'node:crypto'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { FileBook } from '../../src/media/keep/book.ts'
import { UploadRows } from '../../src/media/uploads/rows.ts'
import { GRACE_MS } from '../../src/media/keep/keeper.ts'
import { keepFile, publishWithFiles } from '../helpers/files-of-items.ts'
import type { GivenFile } from '../helpers/files-of-items.ts'
import { hyperactive, join2 } from '../helpers/node.ts'
import type { Ran, TestNode } from '../helpers/node.ts'
import { startNodeHere } from '../helpers/node-here.ts'
import { until } from '../helpers/wait.ts'

/** One line, ours, that says what is wrong. */
const LINE = /^hyperactive: [^\n]+\n$/

const picture = (bytes = 1000): GivenFile => ({
  type: 'image/jpeg',
  extension: 'jpg',
  bytes: randomBytes(bytes),
})

function json({ out }: Ran): unknown {
  return JSON.parse(out)
}

interface Listing {
  files: { sha256: string; state: string; orphanSince: string | null; item: string | null }[]
  next: string | null
}

async function damage({ data }: TestNode, sha256: string): Promise<void> {
  const path = join(data, 'media', 'whole', sha256.slice(0, 2), sha256.slice(2, 4), sha256)
  await using file = await open(path, 'r+')
  await file.write('!', 7)
}

test('files are listed with what has them, page by page, beside the node and without it', async (t) => {
  const node = await startNodeHere(t, '')
  const { item, files } = await publishWithFiles(node, [picture(), picture(2000)])
  const orphan = await keepFile(node, picture())
  const [missing = '', here = ''] = files.map(({ sha256 }) => sha256)
  await node.here.media.blobs.delete(missing)
  const list = async (...options: string[]) =>
    json(await node.run('media', 'list', '--json', ...options)) as Listing
  const names = async (...options: string[]) => (await list(...options)).files.map(({ sha256 }) => sha256)
  const all = [missing, here, orphan.sha256].sort()
  t.deepEqual(await names(), all)
  t.deepEqual(await names('--orphans'), [orphan.sha256])
  t.deepEqual(await names('--missing'), [missing])
  const first = await list('--limit', '2')
  t.deepEqual([first.files.length, first.next], [2, all[1]])
  t.deepEqual(await names('--after', all[1] ?? ''), [all[2]])
  const { out } = await node.run('media', 'list', '--limit', '2')
  t.true(out.endsWith(`there are more: --after ${all[1] ?? ''}\n`), out)
  t.regex(
    (await node.run('media', 'list')).out,
    new RegExp(`${here} {2}whole +2.0 kB {2}image/jpeg, article ${item}`),
  )
  await node.here.media.keeper.look()
  t.regex((await node.run('status')).out, /\n {2}nothing names 1 of them, 1\.0 kB, as of 2/)
  t.like(json(await node.run('status', '--json')), {
    files: { orphans: { files: 1 }, missing: { files: 1 } },
  })
  await node.stop()
  t.deepEqual(await names(), all)
  t.regex((await node.run('status')).out, /\nfiles {13}2 are here, 3\.0 kB; 1 are missing\n/)
  t.is((await node.run('media', 'list', '--after', 'f'.repeat(64))).out, 'no files\n')
})

test('all files, or one, are read and compared; what is damaged is named, and the exit code says so', async (t) => {
  const node = await startNodeHere(t, '')
  const { files } = await publishWithFiles(node, [picture(), picture()])
  const [one = '', other = ''] = files.map(({ sha256 }) => sha256)
  const sound = await node.run('media', 'verify')
  t.is(sound.code, 0)
  t.is(sound.out, '2 files read, 2.0 kB: all are what their names say\n')
  await damage(node, one)
  for (const args of [[], [one], [`${node.address}/files/${one}.jpg`]]) {
    const ran = await node.run('media', 'verify', '--json', ...args)
    t.is(ran.code, 1)
    t.deepEqual((json(ran) as { damaged: string[] }).damaged, [one])
  }
  t.is((await node.run('media', 'verify', other)).code, 0)
  await node.stop()
  const ran = await node.run('media', 'verify')
  t.is(ran.code, 1)
  t.true(ran.out.includes(`damaged  ${one}`))
  const absent = await node.run('media', 'verify', '0'.repeat(64))
  t.is(absent.code, 1)
  t.regex(absent.err, LINE)
})

test('what nothing names is removed; a dry run changes nothing, and what waits in a form stays', async (t) => {
  const node = await startNodeHere(t, '')
  await publishWithFiles(node, [picture()])
  const { sha256 } = await keepFile(node, picture(3000))
  const waiting = await keepFile(node, picture())
  const { blobs, hands } = node.here.media
  hands.add({ isWaiting: (name) => name === waiting.sha256 })
  const before = await blobs.list()
  const ledger = await node.ledgerIds()
  const dry = await node.run('media', 'prune', '--orphans', '--dry-run')
  t.is(dry.out, '1 file with 3.0 kB would go\n', dry.err)
  t.is(
    (await node.run('media', 'prune')).out,
    '0 files with 0 B removed\n',
    'it is no week since it was noticed',
  )
  t.deepEqual(await blobs.list(), before)
  t.deepEqual(await node.ledgerIds(), ledger)
  t.deepEqual(json(await node.run('media', 'prune', '--orphans', '--json')), {
    files: 1,
    bytes: 3000,
    dryRun: false,
  })
  t.is(await blobs.stat(sha256), undefined)
  t.not(await blobs.stat(waiting.sha256), undefined)
})

test('without the node nothing is removed that waits in a form', async (t) => {
  const node = await startNodeHere(t, '')
  const [waits, orphan] = [await keepFile(node, picture()), await keepFile(node, picture())]
  await node.stop()
  {
    using rows = UploadRows.open(join(node.data, 'uploads', 'uploads.sqlite'))
    const given = { id: 'x', form: 'y', name: 'z', state: 'coming', size: 1000, madeMs: Date.now() } as const
    rows.add(given)
    rows.ready('x', waits)
  }
  t.is((await node.run('media', 'prune')).out, '0 files with 0 B removed\n')
  t.is((await node.run('media', 'prune', '--orphans')).out, '1 file with 1.0 kB removed\n')
  await node.start()
  t.not(await node.here.media.blobs.stat(waits.sha256), undefined)
  t.is(await node.here.media.blobs.stat(orphan.sha256), undefined)
})

test('what was noticed a week ago goes without being asked for all of it', async (t) => {
  const node = await startNodeHere(t, '')
  const [fresh, old] = [await keepFile(node, picture()), await keepFile(node, picture())]
  await node.here.media.keeper.look()
  await node.stop()
  {
    using book = FileBook.open(node.data)
    book.touch(old.sha256, Date.now() - GRACE_MS)
  }
  t.is((await node.run('media', 'prune')).out, '1 file with 1.0 kB removed\n')
  await node.start()
  t.not(await node.here.media.blobs.stat(fresh.sha256), undefined)
  t.is(await node.here.media.blobs.stat(old.sha256), undefined)
})

test('what is missing or damaged comes from a peer', async (t) => {
  const [a, b] = [await startNodeHere(t, ''), await startNodeHere(t, '')]
  await join2(a, b)
  const { files } = await publishWithFiles(a, [picture(), picture()])
  const [missing = '', damaged = ''] = files.map(({ sha256 }) => sha256)
  const { blobs } = b.here.media
  for (const sha256 of [missing, damaged])
    await until('it is there', async () => (await blobs.stat(sha256)) !== undefined)
  await blobs.delete(missing)
  await damage(b, damaged)
  const all = await b.run('media', 'fetch')
  t.is(all.out, '1 file of 1 here now\n', all.err)
  t.not(await blobs.stat(missing), undefined)
  const one = await b.run('media', 'fetch', `${b.address}/files/${damaged}.jpg`)
  t.is(one.code, 0, one.out)
  t.is((await b.run('media', 'verify')).code, 0)
})

test('fetching takes a running node, and says of each file what has come of it', async (t) => {
  const node = await startNodeHere(t, '')
  const { files } = await publishWithFiles(node, [picture()])
  t.is((await node.run('media', 'fetch')).out, 'nothing is missing\n')
  const { sha256 = '' } = files[0] ?? {}
  await node.here.media.blobs.delete(sha256)
  const ran = await node.run('media', 'fetch', '--json')
  t.is(ran.code, 1, 'there is nobody to fetch it from')
  const [one] = (json(ran) as { files: { sha256: string; problem: string | null }[] }).files
  t.is(one?.sha256, sha256)
  t.is(typeof one?.problem, 'string')
  await node.stop()
  const stopped = await node.run('media', 'fetch')
  t.is(stopped.code, 1)
  t.regex(stopped.err, /start it first/)
})

test('bad arguments are told in one line and exit with 2', async (t) => {
  for (const args of [
    ['list', '--limit', '0'],
    ['list', '--limit', 'many'],
    ['list', '--after', 'nonsense'],
    ['verify', 'nonsense'],
    ['verify', 'f'.repeat(63)],
    ['verify', `../${'f'.repeat(64)}`],
    ['fetch', 'F'.repeat(64)],
    ['prune', '--everything'],
    ['polish'],
  ]) {
    const { code, out } = await hyperactive(['media', ...args])
    t.is(code, 2, args.join(' '))
    t.is(out, '')
  }
})
