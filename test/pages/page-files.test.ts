import { execFile } from 'node:child_process'
import { readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'
import type { ExecutionContext } from 'ava'
import * as fc from 'fast-check'
import { ColdPages } from '../../src/pages/store/cold-pages.ts'
import { filePath } from '../../src/pages/store/file-path.ts'
import { emptyFormer } from '../../src/pages/store/own-folder.ts'
import { PageFiles } from '../../src/pages/store/page-files.ts'
import { knownBytesOf } from '../../src/pages/store/page-store.ts'
import { compressForms } from '../../src/pages/store/stored-page.ts'
import { Reads } from '../../src/reads.ts'
import { testFolder } from '../helpers/folder.ts'
import { keptPage } from '../helpers/kept-page.ts'
import { until } from '../helpers/wait.ts'

const run = promisify(execFile)
const ON_FULL_DISK = join(import.meta.dirname, 'on-full-disk.ts')

async function filesIn(t: ExecutionContext, mostBytes = 1_000_000) {
  const folder = join(await testFolder(t), 'pages')
  const removed: string[] = []
  const files = new PageFiles({ folder, mostBytes, onRemoved: (key) => removed.push(key) })
  await files.open()
  t.teardown(() => files.close())
  const names = async () => {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
    const found = entries.filter((entry) => entry.isFile() && entry.name !== '.hyperactive-pages')
    return found.map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1)).sort()
  }
  const write = async (...pages: Parameters<PageFiles['write']>[0][]) => {
    for (const page of pages) files.write(page)
    await files.written()
  }
  return { folder, files, names, write, removed }
}

/** One that is made of a document. */
function page(name: string, untilMs = Infinity) {
  const reads = new Reads()
  reads.documents.add(name)
  reads.untilMs = untilMs
  return keptPage(` en /${name}`, `The page ${name}`, { reads })
}

test('a file that cannot be removed is said until it is gone, whatever else works meanwhile', async (t) => {
  const { folder, files, names, write } = await filesIn(t)
  await write(keptPage(' en /a', 'x'), keptPage(' en /b', 'x'))
  // A folder that leads to itself: nobody can say whether the file is gone.
  await rm(join(folder, 'en/a'), { recursive: true })
  await symlink('a', join(folder, 'en/a'))
  files.remove([' en /a', ' en /b'])
  await files.written()
  await write(keptPage(' en /c', 'x'))
  t.regex(files.state.problem ?? '', /3 old files cannot be removed: ELOOP/)
  t.deepEqual(await names(), ['en/c/index.html'])
  await rm(join(folder, 'en/a'))
  await until('it is known to be gone', () => files.state.problem === undefined)
  t.pass()
})

test('no folder stays whose name is of what was in it', async (t) => {
  const { folder, files, write } = await filesIn(t)
  await write(keptPage(' en /authors/Jane%20Doe', 'x'), keptPage(' en /authors/Joe', 'x'))
  files.remove([' en /authors/Jane%20Doe'])
  await files.written()
  t.deepEqual(await readdir(join(folder, 'en/authors')), ['Joe'])
  files.remove([' en /authors/Joe'])
  await files.written()
  t.deepEqual(await readdir(folder), ['.hyperactive-pages'])
})

test('what was kept before goes also from a folder that is not used any more, and nothing else does', async (t) => {
  const { folder, write } = await filesIn(t)
  await write(keptPage(' en /a', 'x'))
  await emptyFormer(folder)
  t.deepEqual(await readdir(folder), ['.hyperactive-pages'])
  const other = await testFolder(t)
  await writeFile(join(other, 'letter.txt'), 'Mine')
  await emptyFormer(other)
  t.deepEqual(await readdir(other), ['letter.txt'])
})

test('a page lies where a web server looks for its language and address', (t) => {
  const html = { type: 'text/html; charset=utf-8' }
  t.is(filePath({ key: ' en /', ...html }), 'en/index.html')
  t.is(filePath({ key: ' en /newswire', ...html }), 'en/newswire/index.html')
  t.is(filePath({ key: '  /de/newswire', ...html }), 'any/de/newswire/index.html')
  t.is(filePath({ key: ' es /tags/r%C3%ADo', ...html }), 'es/tags/río/index.html')
  t.is(filePath({ key: ' en /newswire/feed.atom', type: 'application/atom+xml' }), 'en/newswire/feed.atom')
  for (const key of [
    ' en /newswire?before=1',
    'host.example en /newswire',
    ' en /..',
    ' en /tags/..%2F..%2Fetc',
    ' en /tags/.hidden',
    ' en /tags/a%00b',
    ' en //x',
    ' en /newswire/',
    ' en /tags/feed.atom',
    ` en /tags/${'x'.repeat(300)}`,
    ' en /tags/%ff',
  ])
    t.regex(filePath({ key, ...html }), /^_\/[0-9a-f]{64}$/, key)
})

test('whatever an address is, its file is in the folder, and of no other page', (t) => {
  const parts = fc.array(
    fc.constantFrom('.', '..', '/', '%2f', '%2e', '\\', 'a', '%00', 'é', '?', 'index.html'),
  )
  fc.assert(
    fc.property(parts, fc.constantFrom('text/html', 'application/rss+xml'), (names, type) => {
      const path = filePath({ key: ` en /${names.join('')}`, type })
      t.is(join('/pages', path), `/pages/${path}`)
      t.regex(path, /^(?:en|_)\/[^/]/)
      t.false(path.includes('\0') || path.includes('\\'))
    }),
  )
  t.pass()
})

test('a page is on disk with its compressed forms, and gone when it does not hold any more', async (t) => {
  const { folder, files, names, write } = await filesIn(t)
  const news = keptPage(' en /newswire', 'A news. '.repeat(500))
  await compressForms(news)
  await write(news, keptPage(' en /', 'Home'))
  const ours = ['', '.br', '.gz'].map((ending) => `en/newswire/index.html${ending}`)
  t.deepEqual(await names(), ['en/index.html', ...ours])
  t.deepEqual(await readFile(join(folder, 'en/newswire/index.html.br')), news.forms.br)
  t.true(files.has(news))
  t.is(files.state.files, 2)
  t.deepEqual(await files.read(news), news)

  // A shorter one has no compressed forms, and none of the longer one's stay.
  const shorter = keptPage(' en /newswire', 'Short')
  await write(shorter)
  t.false(files.has(news))
  t.deepEqual(await names(), ['en/index.html', 'en/newswire/index.html'])
  files.remove([news.key])
  await files.written()
  t.deepEqual(await names(), ['en/index.html'])

  // One that is dropped before or while it is written does not come either.
  files.write(news)
  files.remove([news.key])
  await files.written()
  t.deepEqual(await names(), ['en/index.html'])
  await files.clear()
  t.deepEqual(await names(), [])
  t.deepEqual(files.state, { files: 0, bytes: 0 })
})

test('there are as many bytes as there may be, and the oldest files go first', async (t) => {
  const { files, names, write, removed } = await filesIn(t, 250)
  for (const name of ['a', 'b', 'c']) await write(keptPage(` en /${name}`, 'x'.repeat(100)))
  t.deepEqual(await names(), ['en/b/index.html', 'en/c/index.html'])
  t.deepEqual(removed, [' en /a'])
  t.is(files.state.bytes, 200)
})

test('a file that somebody has changed is not given out, and goes', async (t) => {
  const { folder, files, names, write } = await filesIn(t)
  const news = keptPage(' en /newswire', 'A page.')
  await write(news)
  await writeFile(join(folder, 'en/newswire/index.html'), 'A forged page.')
  t.is(await files.read(news), undefined)
  await files.written()
  t.deepEqual(await names(), [])
})

test('what an earlier run has left is removed at the start', async (t) => {
  const { folder, names, write } = await filesIn(t)
  await write(keptPage(' en /newswire', 'A page.'))
  await new PageFiles({ folder, mostBytes: 1000 }).open()
  t.deepEqual(await names(), [])
})

test('a folder with files of somebody else is left as it is', async (t) => {
  const folder = await testFolder(t)
  await writeFile(join(folder, 'letter.txt'), 'Mine')
  const opening = new PageFiles({ folder, mostBytes: 1000 }).open()
  await t.throwsAsync(opening, { code: 'pages_folder_taken', message: /pages\.folder/ })
  t.deepEqual(await readdir(folder), ['letter.txt'])
})

test('a disk that takes nothing is said, leaves no half file, and costs no other page', async (t) => {
  const { folder, names } = await filesIn(t)
  const program = [process.execPath, '--disable-warning=ExperimentalWarning', ON_FULL_DISK, folder]
  const { stdout } = await run('prlimit', ['--fsize=50000:', ...program])
  const { problem, ...kept } = JSON.parse(stdout) as { problem?: string }
  t.deepEqual(kept, { small: true, large: false })
  t.regex(problem ?? '', /EFBIG/)
  t.deepEqual(await names(), ['en/a/index.html'])
})

test('a page in whose place something else stands goes without a file, and others do not', async (t) => {
  const { files, names, write } = await filesIn(t)
  const atom = { type: 'application/atom+xml' }
  await write(keptPage(' en /a.xml', 'x', atom))
  await write(keptPage(' en /a.xml/b.xml', 'x', atom), keptPage(' en /c', 'x'))
  t.deepEqual(await names(), ['en/a.xml', 'en/c/index.html'])
  t.is(files.state.problem, undefined)
})

test('a page that left the memory comes back from disk, unless what it was made of has changed', async (t) => {
  const { files, names, write } = await filesIn(t)
  const cold = new ColdPages({ files, mostBytes: 2.5 * knownBytesOf(page('a')) })
  const [a, b, c, d] = [page('a'), page('b', 1000), page('c'), page('d')]
  await write(a, b)
  cold.add(a)
  cold.add(b)
  cold.add(c)
  t.is(cold.size, 2, 'one without a file is forgotten')
  t.deepEqual(await cold.take(a.key, 500), a)
  t.is(cold.size, 1)
  t.is(await cold.take(b.key, 1000), undefined, 'it has stopped being true by itself')
  await write(b, c, d)
  for (const each of [b, c, d]) cold.add(each)
  t.is(cold.size, 2)
  t.false(files.has(b), 'the one that was asked for longest ago goes, with its file')
  cold.changed({ documents: ['c'], rows: [], names: [] })
  t.is(await cold.take(c.key), undefined)
  await files.written()
  t.deepEqual(await names(), ['en/a/index.html', 'en/d/index.html'])
  const taking = cold.take(d.key)
  cold.changed({ documents: ['d'], rows: [], names: [] })
  t.is(await taking, undefined, 'a change counts that comes while it is read')
})
