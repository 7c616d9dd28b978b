import { createHash, randomBytes } from 'node:crypto'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import type { Draft } from '../../src/ledger/document.ts'
import { publishWithFiles } from '../helpers/files-of-items.ts'
import { testFolder } from '../helpers/folder.ts'
import { unescapeHtml } from '../helpers/forms.ts'
import { captionsFile, madeFilm, picture, pictureSizes } from '../helpers/invented-files.ts'
import { publishMade } from '../helpers/made-files.ts'
import { startNodeHere } from '../helpers/node-here.ts'
import type { NodeHere } from '../helpers/node-here.ts'
import { filesOf, produce, watch } from '../helpers/produced.ts'
import { until } from '../helpers/wait.ts'

/** Everything that a browser loads for the pages of a folder, by where it lies. */
function loadedBy(files: ReadonlyMap<string, string>): Set<string> {
  const found = new Set<string>()
  for (const [path, html] of files) {
    if (!path.endsWith('.html')) continue
    const single = html.matchAll(/<(?:img|source|track|video|audio)\b[^>]*?\s(?:src|poster)="([^"]*)"/g)
    const sets = html.matchAll(/\ssrcset="([^"]*)"/g)
    const all = [...single].map(([, one = '']) => one)
    for (const [, set = ''] of sets) all.push(...set.split(', ').map((size) => size.split(' ')[0] ?? ''))
    for (const one of all) found.add(new URL(unescapeHtml(one), `http://x/${path}`).pathname.slice(1))
  }
  return found
}

async function publishAll(node: NodeHere) {
  const bytes = randomBytes(700_000)
  const shown = await publishWithFiles(node, [picture({ alt: 'A bridge', bytes }), picture()], {
    fields: { title: 'With pictures' },
  })
  await publishMade(node, { item: shown.item, of: shown.files[0]?.sha256 ?? '' }, pictureSizes([320, 640]))
  const film = { bytes: randomBytes(900_000), type: 'video/quicktime', extension: 'mov' }
  const watched = await publishWithFiles(node, [film, captionsFile('Hi')], { kind: 'video' })
  const part = createHash('sha256').update('one part').digest('hex')
  const made = madeFilm().map((file) =>
    file.as === 'hls'
      ? { ...file, bytes: Buffer.from(`#EXTM3U\n#EXT-X-MAP:URI="${part}.mp4"\n#EXTINF:4,\n${part}.mp4\n`) }
      : file,
  )
  const parts = { bytes: Buffer.from('one part'), type: 'video/mp4', extension: 'mp4', as: 'hls-film' }
  await publishMade(node, { item: watched.item, of: watched.files[0]?.sha256 ?? '' }, [...made, parts])
  return { shown, watched, bytes, part }
}

test('a produced site has every file that its pages show, byte for byte, and none of what is hidden', async (t) => {
  const node = await startNodeHere(t, '')
  const { shown, watched, bytes, part } = await publishAll(node)
  const out = join(await testFolder(t), 'out')
  const report = await produce(node, out, '--site', 'https://news.example')
  t.deepEqual(report.failed, [])
  const files = await filesOf(out)
  const loaded = loadedBy(files)
  t.deepEqual(
    [...loaded].filter((path) => !files.has(path)),
    [],
  )
  const named = [...files.keys()].filter((path) => path.startsWith('files/'))
  t.is(named.length, 2 + 6 + 2 + 4 + 1)
  for (const path of named) {
    const content = await readFile(join(out, path))
    t.is(createHash('sha256').update(content).digest('hex'), path.slice(6, 70))
  }
  t.true(named.includes(`files/${part}.mp4`), 'what a playlist names')
  t.true((await readFile(join(out, `files/${shown.files[0]?.sha256}.jpg`))).equals(bytes))
  const page = files.get(`videos/${watched.item}/index.html`) ?? ''
  t.false(page.includes('oembed'))
  t.regex(
    files.get(`articles/${shown.item}/index.html`) ?? '',
    /og:image" content="https:\/\/news\.example\/files\//,
  )
  t.true((files.get('videos/playlist.m3u') ?? '').includes('https://news.example/files/'))
  t.is((await produce(node, out, '--site', 'https://news.example')).written, 0)

  const { item } = shown
  const draft: Draft = { type: 'decision', item, target: item, action: 'hide', reason: 'x', supersedes: [] }
  const [decision] = await node.here.store.ledger.append([{ draft }])
  await node.here.projector.settled(decision?._id ?? '')
  await produce(node, out, '--site', 'https://news.example')
  t.is((await readdir(join(out, 'files'))).length, named.length - 8)
})

test('a file that is not on this node, or is damaged, keeps nothing else out, and is told', async (t) => {
  const node = await startNodeHere(t, '')
  const { shown, watched } = await publishAll(node)
  const gone = shown.files[0]?.sha256 ?? ''
  await node.here.media.blobs.delete(gone)
  const damaged = watched.files[0]?.sha256 ?? ''
  const place = join(node.data, 'media/whole', damaged.slice(0, 2), damaged.slice(2, 4), damaged)
  await writeFile(place, randomBytes(900_000))
  const out = join(await testFolder(t), 'out')
  const ran = await node.run('produce', '--all', '--out', out, '--json')
  const report = JSON.parse(ran.out) as { missing: string[]; failed: unknown[] }
  t.deepEqual(report.missing.sort(), [`/files/${damaged}.mov`, `/files/${gone}.jpg`].sort())
  const files = await filesOf(out)
  t.true(files.has(`articles/${shown.item}/index.html`))
  t.false(files.has(`files/${gone}.jpg`))
  t.false(files.has(`files/${damaged}.mov`))
  t.false([...files.keys()].some((path) => path.endsWith('.part')))
})

test('a site that is kept current gets what is made later, and loses what is hidden', async (t) => {
  const node = await startNodeHere(t, '')
  const { item, files } = await publishWithFiles(node, [picture()])
  const out = join(await testFolder(t), 'out')
  await watch(t, node, out)
  const has = async (count: number) => (await readdir(join(out, 'files')).catch(() => [])).length === count
  t.true(await has(1))
  await publishMade(node, { item, of: files[0]?.sha256 ?? '' }, pictureSizes([1280]))
  await until('what was made is there', () => has(4))
  const draft: Draft = { type: 'decision', item, target: item, action: 'hide', reason: 'x', supersedes: [] }
  await node.here.store.ledger.append([{ draft }])
  await until('nothing of it is there', () => has(0))
})
