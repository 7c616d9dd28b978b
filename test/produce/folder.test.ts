import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { SiteFolder } from '../../src/produce/site-folder.ts'
import { testFolder } from '../helpers/folder.ts'
import { filesOf } from '../helpers/produced.ts'

const bytes = (text: string) => Buffer.from(text)

test('a folder with other things in it is refused, and left as it is', async (t) => {
  const path = await testFolder(t)
  await writeFile(join(path, 'letter.txt'), 'mine')
  await t.throwsAsync(SiteFolder.open(path), { code: 'produce_folder' })
  t.deepEqual(await readdir(path), ['letter.txt'])
  const file = join(path, 'letter.txt')
  await t.throwsAsync(SiteFolder.open(file), { code: 'produce_unwritable' })
  await t.throwsAsync(SiteFolder.open(join(file, 'below')), { code: 'produce_unwritable' })
})

test('a list of files that leads out of the folder, or is none, is not followed', async (t) => {
  const path = await testFolder(t)
  const outside = join(path, 'outside.html')
  const inside = join(path, 'site')
  await mkdir(inside)
  await writeFile(outside, 'mine')
  const file = { sha256: '0'.repeat(64), bytes: 4 }
  const list = {
    format: 1,
    files: { '../outside.html': file, '/etc/hosts': file, 'a/../../outside.html': file },
  }
  await writeFile(join(inside, '.hyperactive-site.json'), JSON.stringify(list))
  await writeFile(join(inside, '.hyperactive-site.journal'), '../outside.html\nhalf/of-a-na')
  const folder = await SiteFolder.open(inside)
  t.deepEqual(folder.names, ['half/of-a-na'])
  for (const name of folder.names) await folder.remove(name)
  t.is(await readFile(outside, 'utf8'), 'mine')
  await writeFile(join(inside, '.hyperactive-site.json'), 'no list')
  await t.throwsAsync(SiteFolder.open(inside), { code: 'produce_folder' })
})

test('what is the same is not written again; what is gone leaves no empty folder; other files stay', async (t) => {
  const path = await testFolder(t)
  const folder = await SiteFolder.open(path)
  t.true(await folder.write('a/b/index.html', bytes('one')))
  t.false(await folder.write('a/b/index.html', bytes('one')))
  t.true(await folder.write('a/b/index.html', bytes('two')))
  t.true(await folder.write('a/index.html', bytes('three')))
  await folder.save()
  await writeFile(join(path, 'CNAME'), 'news.example')
  const again = await SiteFolder.open(path)
  t.deepEqual([...again.files.keys()].sort(), ['a/b/index.html', 'a/index.html'])
  t.false(await again.write('a/index.html', bytes('three')))
  await rm(join(path, 'a/index.html'))
  t.true(await again.write('a/index.html', bytes('three')), 'a file that somebody has removed comes back')
  await again.remove('a/b/index.html')
  await again.remove('a/b/index.html')
  await again.save()
  t.deepEqual([...(await filesOf(path)).keys()], ['.hyperactive-site.json', 'CNAME', 'a/index.html'])
  t.deepEqual(await readdir(join(path, 'a')), ['index.html'])
})

test('after a crash nothing is taken for granted of what was being written', async (t) => {
  const path = await testFolder(t)
  const folder = await SiteFolder.open(path)
  await folder.write('one.html', bytes('one'))
  await folder.save()
  await folder.write('one.html', bytes('other'))
  await folder.write('two.html', bytes('two'))
  await writeFile(join(path, 'two.html.part'), 'tw')
  // No save: the process was killed here.
  const again = await SiteFolder.open(path)
  t.deepEqual(again.names.sort(), ['one.html', 'two.html'])
  t.deepEqual([...again.files.keys()], [])
  t.true(await again.write('one.html', bytes('one')))
  await again.remove('two.html')
  await again.save()
  t.deepEqual([...(await filesOf(path)).keys()], ['.hyperactive-site.json', 'one.html'])
  t.is(await readFile(join(path, 'one.html'), 'utf8'), 'one')
})

test('of two writes of one file the later one stays, whatever their lengths', async (t) => {
  const path = await testFolder(t)
  const folder = await SiteFolder.open(path)
  for (let round = 0; round < 200; round += 1) {
    const [first, last] = [bytes(`first ${round}`), bytes(`last ${round}`.padEnd(round * 100))]
    t.deepEqual(await Promise.all([folder.write('one.html', first), folder.write('one.html', last)]), [
      true,
      true,
    ])
    t.deepEqual(await readFile(join(path, 'one.html')), last)
    t.is(folder.files.get('one.html')?.bytes, last.length)
  }
})

test('what could not be put in its place is not taken for known', async (t) => {
  const path = await testFolder(t)
  const folder = await SiteFolder.open(path)
  await folder.write('one.html', bytes('one'))
  await rm(join(path, 'one.html'))
  await mkdir(join(path, 'one.html/below'), { recursive: true })
  await t.throwsAsync(folder.write('one.html', bytes('two')), { code: 'produce_unwritable' })
  t.deepEqual([[...folder.files.keys()], folder.names], [[], ['one.html']])
  await folder.keep()
  t.deepEqual((await SiteFolder.open(path)).names, ['one.html'])
  await rm(join(path, 'one.html'), { recursive: true })
  t.true(await folder.write('one.html', bytes('one')))
})

test('a change is kept by a few lines, not by a new list of all files', async (t) => {
  const path = await testFolder(t)
  const [list, journal] = ['.hyperactive-site.json', '.hyperactive-site.journal'].map((name) =>
    join(path, name),
  )
  if (list === undefined || journal === undefined) throw new Error('there are two')
  const folder = await SiteFolder.open(path)
  for (let number = 0; number < 30; number += 1) await folder.write(`${number}.html`, bytes(`${number}`))
  await folder.save()
  const { ino } = await stat(list)
  await folder.write('7.html', bytes('anew'))
  await folder.remove('8.html')
  await folder.write('new.html', bytes('new'))
  await folder.keep()
  t.is((await stat(list)).ino, ino, 'the list is the same file')
  t.true((await stat(journal)).size < 500)
  // The process was killed here, when one more file was being written.
  await writeFile(journal, '9.html\n10.ht', { flag: 'a' })
  const again = await SiteFolder.open(path)
  t.deepEqual([again.files.size, again.names.length], [29, 31])
  t.deepEqual(again.files.get('7.html'), folder.files.get('7.html'))
  t.true(again.files.has('new.html') && !again.names.includes('8.html') && !again.files.has('9.html'))
  t.false(await again.write('7.html', bytes('anew')))
  t.true(await again.write('9.html', bytes('9')), 'what was being written is written again')
  await again.remove('10.ht')
  await again.keep()
  const third = await SiteFolder.open(path)
  t.deepEqual(Object.fromEntries(third.files), Object.fromEntries(again.files))
  t.is(third.names.length, 30)

  for (let round = 0; round < 600; round += 1) {
    await third.write('7.html', bytes(`round ${round}`))
    await third.keep()
  }
  t.not((await stat(list)).ino, ino, 'what was said since is not kept for ever')
  t.true((await stat(journal)).size < 100_000)
  t.deepEqual(Object.fromEntries((await SiteFolder.open(path)).files), Object.fromEntries(third.files))
})
