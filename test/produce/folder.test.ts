import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
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
