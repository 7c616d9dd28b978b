import test from 'ava'
import type { Draft } from '../../src/ledger/document.ts'
import { publishWithFiles } from '../helpers/files-of-items.ts'
import { picture, pictureSizes, madeSound } from '../helpers/invented-files.ts'
import { keptNow, stalePages } from '../helpers/kept-pages.ts'
import { publishMade } from '../helpers/made-files.ts'
import { startNodeHere } from '../helpers/node-here.ts'
import type { NodeHere } from '../helpers/node-here.ts'

const KEEPS = 'pages: { memoryBytes: 100000000 }\n'

function pageAt(pages: ReturnType<typeof keptNow>, path: string) {
  return [...pages].find(([key]) => key.endsWith(` ${path}`))?.[1]
}

/** Reads pages until they are kept, does something, and tells which of them were made anew because of it. */
async function renewed(
  node: NodeHere,
  paths: readonly string[],
  change: () => Promise<unknown>,
): Promise<string[]> {
  for (const path of paths) await node.html(path)
  const before = keptNow(node)
  const notKept = paths.filter((path) => !pageAt(before, path))
  if (notKept.length > 0) throw new Error(`not kept: ${notKept.join(', ')}`)
  await change()
  await node.here.projector.drained()
  const now = keptNow(node)
  return paths.filter((path) => pageAt(before, path) !== pageAt(now, path))
}

test('what is made of a file later changes the pages that show it, and no other', async (t) => {
  const node = await startNodeHere(t, KEEPS)
  const fields = { title: 'With a picture', tags: ['river'] }
  const { item, files } = await publishWithFiles(node, [picture({ alt: 'A bridge' })], { fields })
  const other = await publishWithFiles(node, [picture()], { fields: { title: 'Another', tags: ['town'] } })
  const sha256 = files[0]?.sha256 ?? ''
  const own = [`/articles/${item}`, `/articles/${item}/embed`]
  const feeds = ['/tags/river/feed.rss']
  const lists = ['/tags/river']
  const others = [
    `/articles/${other.item}`,
    '/tags/town',
    '/tags',
    '/calendar',
    '/groups',
    '/tags/town/feed.rss',
  ]
  const all = [...own, ...feeds, ...lists, ...others]

  const large = await renewed(node, all, () => publishMade(node, { item, of: sha256 }, pictureSizes([1280])))
  t.deepEqual(large, [...own, ...feeds], 'a large size stands in no list')
  t.deepEqual(await stalePages(node), [])
  const small = await renewed(node, all, () => publishMade(node, { item, of: sha256 }, pictureSizes([320])))
  t.deepEqual(small, [...own, ...feeds, ...lists])
  t.true((await node.html('/tags/river')).includes('width="320"'))
  const again = await renewed(node, all, () => publishMade(node, { item, of: sha256 }, pictureSizes([320])))
  t.deepEqual(again, own, 'what another node has made as well is not shown, though the item knows of it')
  t.deepEqual(await stalePages(node), [])
})

test('podcasts, playlists and the front page show at once what was made, and not any more what was hidden', async (t) => {
  const node = await startNodeHere(t, KEEPS)
  const sound = { bytes: Buffer.from('sound'), type: 'audio/flac', extension: 'flac', durationMs: 1000 }
  const fields = { title: 'Heard', tags: ['river'] }
  const { item, files } = await publishWithFiles(node, [sound, picture()], { kind: 'audio', fields })
  const paths = ['/audio/podcast.rss', '/tags/river/playlist.m3u', '/']
  const of = files[0]?.sha256 ?? ''
  const made = await renewed(node, paths, () => publishMade(node, { item, of }, madeSound()))
  t.deepEqual(made, ['/audio/podcast.rss', '/tags/river/playlist.m3u', '/'])
  t.true((await node.html('/audio/podcast.rss')).includes('audio/mpeg'))
  t.deepEqual(await stalePages(node), [])
  const draft: Draft = { type: 'decision', item, target: item, action: 'hide', reason: 'x', supersedes: [] }
  const gone = await renewed(node, paths, () => node.here.store.ledger.append([{ draft }]))
  t.deepEqual(gone, paths)
  t.false((await node.html('/audio/podcast.rss')).includes('<item>'))
  t.is((await node.page('/tags/river/playlist.m3u')).status, 404)
})
