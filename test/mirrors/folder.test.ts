import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { watch } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { ExecutionContext } from 'ava'
import test from 'ava'
import type { FolderMirror } from '../../src/config/mirrors.ts'
import { HEAD } from '../../src/mirrors/manifest.ts'
import { mirrorFolder } from '../../src/mirrors/record.ts'
import { testFolder } from '../helpers/folder.ts'
import { until } from '../helpers/wait.ts'
import { pages } from './folder-site.ts'
import { CLEAN, distribute, factsOf, hashesBelow, mirrored, untilCurrent, verify } from './mirror.ts'
import type { Mirrored } from './mirror.ts'

const run = promisify(execFile)

function stick(folder: string): FolderMirror {
  return { name: 'stick', kind: 'folder', folder }
}

async function onStick(t: ExecutionContext) {
  const folder = join(await testFolder(t), 'site')
  await mkdir(folder)
  return { folder, all: await mirrored(t, [stick(folder)]) }
}

/** The same site sent by a process of its own, by way of another command if need be. */
async function sendApart(t: ExecutionContext, { site, data }: Mirrored, folder: string, by: string[] = []) {
  const program = join(import.meta.dirname, 'send-forever.ts')
  const node = [process.execPath, '--disable-warning=ExperimentalWarning', program]
  const [command, ...args] = [...by, ...node, site.folder, data, folder]
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  return child
}

test('deletions travel with the folders that are empty without them, and foreign files stay', async (t) => {
  const { folder, all } = await onStick(t)
  await all.site.change(pages(3))
  await writeFile(join(folder, 'theirs.txt'), 'x')
  distribute(t, all)
  await untilCurrent(all, 'stick')
  await all.site.change({ 'articles/1/index.html': undefined, 'articles/2/index.html': undefined })
  await untilCurrent(all, 'stick')
  t.deepEqual((await readdir(join(folder, 'articles'))).sort(), ['0'])
  t.is(await readFile(join(folder, 'theirs.txt'), 'utf8'), 'x')
  t.deepEqual(await verify(all, 'stick'), { ...CLEAN, files: 4, foreign: ['theirs.txt'] })
})

test('what is hidden is gone before anything new comes, and the manifest follows', async (t) => {
  const { folder, all } = await onStick(t)
  await all.site.change(pages(3))
  distribute(t, all)
  await untilCurrent(all, 'stick')
  const seen: string[] = []
  const watching = watch(folder, { recursive: true }, (_, name) => {
    if (name !== null && !name.endsWith('.new')) seen.push(name)
  })
  t.teardown(() => watching.close())
  await all.site.change({
    'new/index.html': 'n',
    'index.html': 'anew',
    'articles/1/index.html': undefined,
  })
  await untilCurrent(all, 'stick')
  await until('the last is seen', () => seen.includes(HEAD))
  const first = (path: string) => seen.indexOf(path)
  t.true(first('articles/1/index.html') < first('index.html'), seen.join(' '))
  t.true(first('articles/1/index.html') < first('new/index.html') || first('new/index.html') === -1)
  t.true(first('index.html') < first(HEAD))
})

test('a process killed half-way leaves nothing half, and the next one ends what it began', async (t) => {
  const { folder, all } = await onStick(t)
  await all.site.change(pages(1500))
  const child = await sendApart(t, all, folder)
  await until('it has begun', async () => (await readdir(folder)).includes('articles'), 30_000, 1)
  child.kill('SIGKILL')
  await once(child, 'close')
  const half = Object.entries(await hashesBelow(folder)).filter(([path]) => !path.endsWith('.new'))
  t.true(half.length < 1501, 'it was not done')
  for (const [path, hash] of half) if (hash !== all.site.hashes[path]) t.fail(`${path} is not whole`)

  // What the first process has sent without writing down that it was there is not of the site any more.
  const gone = Object.keys(pages(1500)).filter((path) => path !== 'index.html')
  await all.site.change(Object.fromEntries(gone.map((path) => [path, undefined])))
  distribute(t, all)
  await untilCurrent(all, 'stick')
  const found = await verify(all, 'stick')
  t.deepEqual([found.missing, found.wrong, found.foreign], [[], [], []])
  const rest = Object.keys(await hashesBelow(folder)).filter((path) => !path.endsWith('.new'))
  t.deepEqual(rest, ['index.html'])
})

test('a full disk is told; nothing there is half, and it goes on when there is room', async (t) => {
  const canMount = await run('unshare', ['-rm', 'true']).then(
    () => true,
    () => false,
  )
  if (!canMount) {
    t.log('this system lets nobody mount a small disk for one process')
    t.pass()
    return
  }
  const { folder, all } = await onStick(t)
  await all.site.change({ 'index.html': 'x', 'large.html': 'x'.repeat(4_000_000) })
  // A disk of one megabyte, which this process alone sees.
  const mount = 'mount -t tmpfs -o size=1m tmpfs "$0" && exec "$@"'
  const child = await sendApart(t, all, folder, ['unshare', '-rm', 'sh', '-c', mount, folder])
  const { lastError = '' } = await until('it is full', () => {
    const facts = factsOf(all.data, 'stick')
    return facts.state === 'backing-off' && facts
  })
  t.regex(lastError, /ENOSPC/)
  const seen = join(`/proc/${child.pid}/root`, folder)
  t.deepEqual(await readdir(seen), ['index.html'])

  const there = ['-t', String(child.pid), '-U', '-m', '--preserve-credentials']
  await run('nsenter', [...there, 'mount', '-o', 'remount,size=64m', folder])
  await untilCurrent(all, 'stick')
  t.deepEqual(await hashesBelow(seen), all.site.hashes)
})

test('a folder that is not there is not made, and one where nobody may write is told; others go on', async (t) => {
  const { folder, all } = await onStick(t)
  const absent = join(await testFolder(t), 'not plugged in')
  all.mirrors.push(
    { name: 'absent', kind: 'folder', folder: absent },
    { name: 'closed', kind: 'folder', folder: '/proc' },
  )
  await all.site.change(pages(3))
  distribute(t, all)
  await untilCurrent(all, 'stick')
  t.deepEqual(await hashesBelow(folder), all.site.hashes)
  for (const [name, said] of [
    ['absent', /there is no folder/],
    ['closed', /does not take files/],
  ] as const) {
    await until(name, () => factsOf(all.data, name).state === 'backing-off')
    t.regex(factsOf(all.data, name).lastError ?? '', said)
  }
  t.false((await readdir(join(absent, '..'))).includes('not plugged in'))
  await mkdir(absent)
  await untilCurrent(all, 'absent')
  t.deepEqual(await hashesBelow(absent), all.site.hashes)
})

test('another stick in the place of the first gets everything; the first, when it is back, what changed', async (t) => {
  const { folder, all } = await onStick(t)
  await all.site.change(pages(3))
  let stop = distribute(t, all)
  await untilCurrent(all, 'stick')
  await stop()
  await rename(folder, `${folder}.first`)
  await mkdir(folder)
  stop = distribute(t, all)
  await until('it has all', async () => Object.keys(await hashesBelow(folder)).length === 4)
  await untilCurrent(all, 'stick')
  await stop()
  await rm(folder, { recursive: true })
  await rename(`${folder}.first`, folder)
  await all.site.change({ 'articles/0/index.html': undefined, 'index.html': 'anew' })
  distribute(t, all)
  await untilCurrent(all, 'stick')
  await until('what went meanwhile is gone', async () => Object.keys(await hashesBelow(folder)).length === 3)
  t.deepEqual(await hashesBelow(folder), all.site.hashes)
})

test('a node that has lost its record takes over what the manifest names', async (t) => {
  const { folder, all } = await onStick(t)
  await all.site.change(pages(3))
  const stop = distribute(t, all)
  await untilCurrent(all, 'stick')
  await stop()
  await rm(mirrorFolder(all.data, 'stick'), { recursive: true })
  await all.site.change({ 'articles/0/index.html': undefined })
  distribute(t, all)
  await untilCurrent(all, 'stick')
  t.deepEqual(await hashesBelow(folder), all.site.hashes, 'what was hidden meanwhile is gone')
  t.like(await verify(all, 'stick'), CLEAN)
})

test('a link in the folder leads nothing out of it', async (t) => {
  const { folder, all } = await onStick(t)
  const outside = await testFolder(t)
  await writeFile(join(outside, 'index.html'), 'theirs')
  await symlink(outside, join(folder, 'articles'))
  await symlink(join(outside, 'index.html'), join(folder, 'index.html'))
  await all.site.change({ 'index.html': 'ours', 'articles/index.html': 'ours' })
  distribute(t, all)
  await until('it is refused', () => factsOf(all.data, 'stick').refused === 1)
  t.is(await readFile(join(outside, 'index.html'), 'utf8'), 'theirs')
  t.is(await readFile(join(folder, 'index.html'), 'utf8'), 'ours')
  await all.site.change({ 'articles/index.html': undefined })
  await untilCurrent(all, 'stick')
  t.is(await readFile(join(outside, 'index.html'), 'utf8'), 'theirs')
})

test('a folder that somebody has made in the place of a page stays, and keeps nothing waiting', async (t) => {
  const { folder, all } = await onStick(t)
  await mkdir(join(folder, 'a.html'))
  await writeFile(join(folder, 'a.html/theirs.txt'), 'x')
  await all.site.change({ ...pages(1), 'a.html': 'a' })
  distribute(t, all)
  await until('it is refused', () => factsOf(all.data, 'stick').refused === 1)
  await all.site.change({ 'a.html': undefined })
  await untilCurrent(all, 'stick')
  t.is(await readFile(join(folder, 'a.html/theirs.txt'), 'utf8'), 'x')
})

test('a manifest that leads out of the mirror, without an end, is not read but replaced', async (t) => {
  const { folder, all } = await onStick(t)
  await mkdir(join(folder, '.hyperactive'))
  await symlink('/dev/zero', join(folder, HEAD))
  await all.site.change(pages(1))
  distribute(t, all)
  await untilCurrent(all, 'stick')
  t.like(await verify(all, 'stick'), CLEAN)
})

test('names that could lead elsewhere are not sent, and told; a site without a front page is not sent at all', async (t) => {
  const { folder, all } = await onStick(t)
  await all.site.change({ 'a.html': 'a' })
  for (const path of ['../outside.html', '/outside.html', '-rf', 'a\nb.html'])
    all.site.files.set(path, { sha256: 'a'.repeat(64), bytes: 1 })
  distribute(t, all)
  await until('nothing is to be done', () => factsOf(all.data, 'stick').state === 'idle')
  t.deepEqual(await readdir(folder), [])
  await all.site.change({ 'index.html': 'x' })
  await until('they are told', () => factsOf(all.data, 'stick').refused === 4)
  t.deepEqual(Object.keys(await hashesBelow(folder)).sort(), ['a.html', 'index.html'])
  t.deepEqual(await readdir(join(folder, '..')), ['site'])
  await all.site.change({ 'index.html': undefined, 'a.html': undefined })
  await until('nothing is to be done', () => factsOf(all.data, 'stick').behind !== 0)
  t.deepEqual(Object.keys(await hashesBelow(folder)).sort(), ['a.html', 'index.html'])
})

test('a large site: a change writes its own files, and one small part of the manifest', async (t) => {
  const { folder, all } = await onStick(t)
  await all.site.change(pages(5000))
  distribute(t, all)
  await untilCurrent(all, 'stick')
  const { length } = await readdir(join(folder, '.hyperactive/files-2'))
  t.is(length, 256)
  await all.site.change({ 'articles/77/index.html': 'anew' })
  await untilCurrent(all, 'stick')
  const { stdout } = await run('find', [
    folder,
    '-newer',
    join(all.site.folder, 'articles/77/index.html'),
    '-type',
    'f',
  ])
  const written = stdout
    .trim()
    .split('\n')
    .map((path) => path.slice(folder.length + 1))
    .sort()
  t.is(written.length, 3, written.join(' '))
  t.true(written.includes('articles/77/index.html') && written.includes(HEAD))
  const part = written.find((path) => path.includes('files-2')) ?? ''
  t.true((await readFile(join(folder, part))).length < 8000)
})
