import { cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import sharp from 'sharp'
import { publishWithFiles } from '../helpers/files-of-items.ts'
import { testFolder } from '../helpers/folder.ts'
import { captionsFile } from '../helpers/invented-files.ts'
import { pictureFile } from '../helpers/made-files.ts'
import { startNodeHere } from '../helpers/node-here.ts'
import { until } from '../helpers/wait.ts'

test('an export has the files beside the texts, and an import takes them in again, cleaned', async (t) => {
  const folder = await testFolder(t)
  const [first, second] = [await startNodeHere(t, ''), await startNodeHere(t, '')]
  const seen = await pictureFile(
    { alt: 'A "bridge"', caption: 'At noon: so.', credit: 'Ana', licence: 'CC0', name: '../x/día.png' },
    { width: 300, height: 200 },
  )
  await publishWithFiles(first, [seen, captionsFile('Hi', { name: 'talk.es.vtt' })])
  const out = join(folder, 'out')
  const exported = await first.run('export', out)
  t.regex(exported.out, /1 items and 0 comments with 2 files/, exported.err)
  const text = (await readdir(join(out, 'articles'))).find((name) => name.endsWith('.md')) ?? ''
  const beside = join(out, 'articles', text.replace(/md$/, 'files'))
  t.deepEqual(await readdir(beside), ['01-día.jpg', '02-talk.es.vtt'])
  t.true((await readFile(join(beside, '01-día.jpg'))).equals(seen.bytes))
  // Nothing else is taken for a piece, and nothing of the folder is lost.
  const before = await readdir(out, { recursive: true })
  const imported = await second.run('import', out)
  t.regex(imported.out, /1 imported, 0 comments and 2 files, 0 here already, 0 skipped/, imported.err)
  t.deepEqual(await readdir(out, { recursive: true }), before)
  await until('it is shown', async () => (await second.html('/newswire')).includes('With files'))
  const [, path = ''] = /href="(\/articles\/[^"]+)"/.exec(await second.html('/newswire')) ?? []
  const html = await second.html(path)
  t.true(html.includes('alt="A &quot;bridge&quot;"') && html.includes('At noon: so.') && html.includes('CC0'))
  const [, file = ''] = /<img src="(\/files\/[^"]+)"/.exec(html) ?? []
  const answer = await second.page(file)
  t.is(answer.status, 200)
  t.like(await sharp(Buffer.from(await answer.arrayBuffer())).metadata(), {
    width: 300,
    height: 200,
    format: 'jpeg',
  })
  t.regex((await second.run('import', out)).out, /0 imported/)

  // Exported again after the file has gone from the node, it says so.
  const again = join(folder, 'again')
  await cp(out, again, { recursive: true })
  for (const { sha256 } of (await second.here.media.blobs.list()).blobs)
    await second.here.media.blobs.delete(sha256)
  const without = await second.run('export', again)
  t.regex(without.out, /not on this node: [0-9a-f]{64}/)
  t.deepEqual(
    (await readdir(join(again, 'articles'))).filter((name) => name.endsWith('.files')),
    [],
  )
})

test('files that are not there, lie elsewhere, or are not what they say stay out, and are told', async (t) => {
  const folder = join(await testFolder(t), 'site')
  const node = await startNodeHere(t, '')
  await mkdir(folder)
  await writeFile(join(folder, '..', 'secret.txt'), 'secret')
  await writeFile(join(folder, 'page.html'), '<!doctype html><script>1</script>')
  await writeFile(join(folder, 'good.txt'), 'good')
  await symlink('../secret.txt', join(folder, 'link.txt'))
  const names = ['../secret.txt', 'link.txt', 'none.jpg', 'page.html', 'good.txt', '/etc/hostname', '.']
  const entries = names.map((file) => `  - file: ${JSON.stringify(file)}`).join('\n')
  await writeFile(join(folder, '2020-01-02-a.md'), `---\ntitle: A\nfiles:\n${entries}\n---\nText`)
  const ran = await node.run('import', folder, '--json')
  const report = JSON.parse(ran.out) as { files: number; imported: object[]; skipped: { reason: string }[] }
  t.is(report.imported.length, 1)
  t.is(report.files, 1)
  t.deepEqual(
    report.skipped.map(({ reason }) => reason.replace(/:.*/s, '')).sort(),
    names.filter((name) => name !== 'good.txt').sort(),
  )
  t.false(JSON.stringify(report).includes('"secret"'))
  t.is((await node.here.media.blobs.list()).blobs.length, 1)
})
