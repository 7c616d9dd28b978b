import { randomBytes } from 'node:crypto'
import test from 'ava'
import { XMLParser, XMLValidator } from 'fast-xml-parser'
import { parseAtomFeed, parseJsonFeed, parseRssFeed } from 'feedsmith'
import type { GivenFile } from '../helpers/files-of-items.ts'
import { publishWithFiles } from '../helpers/files-of-items.ts'
import { madeFilm, madeSound, picture, pictureSizes } from '../helpers/invented-files.ts'
import { publishMade } from '../helpers/made-files.ts'
import { startNodeHere } from '../helpers/node-here.ts'
import type { NodeHere } from '../helpers/node-here.ts'

const flac = (texts: Partial<GivenFile> = {}): GivenFile => ({
  bytes: randomBytes(400),
  type: 'audio/flac',
  extension: 'flac',
  durationMs: 61_400,
  ...texts,
})
const mov = (): GivenFile => ({
  bytes: randomBytes(500),
  type: 'video/quicktime',
  extension: 'mov',
  durationMs: 9_000,
})

async function soundWithMade(node: NodeHere, fields: Record<string, unknown>, files: GivenFile[] = [flac()]) {
  const found = await publishWithFiles(node, files, { kind: 'audio', fields })
  for (const { sha256 } of found.files.slice(0, 1))
    await publishMade(node, { item: found.item, of: sha256 }, madeSound())
  return found
}

test('feeds name an item’s sound and film, or its picture, as files to be fetched', async (t) => {
  const node = await startNodeHere(t, '')
  const tags = ['river']
  const shown = await publishWithFiles(node, [picture({ alt: 'A "bridge"' })], {
    fields: { title: 'Seen', tags },
  })
  await publishMade(node, { item: shown.item, of: shown.files[0]?.sha256 ?? '' }, pictureSizes([640, 1280]))
  await soundWithMade(node, { title: 'Heard', tags })
  const film = await publishWithFiles(node, [mov(), picture()], {
    kind: 'video',
    fields: { title: 'Watched', tags },
  })
  await publishMade(node, { item: film.item, of: film.files[0]?.sha256 ?? '' }, madeFilm())
  const text = (format: string) => node.html(`/tags/river/feed.${format}`)

  const rss = parseRssFeed(await text('rss'))
  const named = (rss.items ?? []).map(({ title, enclosures = [] }) => [
    title,
    ...enclosures.map(({ type, length }) => [type, length]),
  ])
  t.deepEqual(named, [
    ['Watched', ['video/mp4', 300]],
    ['Heard', ['audio/mpeg', 210]],
    ['Seen', ['image/jpeg', 150]],
  ])
  const address = rss.items?.[1]?.enclosures?.[0]?.url ?? ''
  t.true(address.startsWith(`${node.address}/files/`) && address.endsWith('.mp3'))
  t.is((await node.page(address.replace(node.address, ''))).headers.get('content-type'), 'audio/mpeg')
  t.true(
    (rss.items?.[2]?.content?.encoded ?? '').includes('alt="A &#34;bridge&#34;" width="1280" height="800">'),
  )

  const atom = parseAtomFeed(await text('atom'))
  const links = (atom.entries ?? []).flatMap(({ links: all = [] }) =>
    all.filter(({ rel }) => rel === 'enclosure'),
  )
  t.deepEqual(
    links.map(({ type, length }) => [type, length]),
    [
      ['video/mp4', 300],
      ['audio/mpeg', 210],
      ['image/jpeg', 150],
    ],
  )
  const json = parseJsonFeed(JSON.parse(await text('json')))
  t.deepEqual(
    (json.items ?? []).map(({ attachments = [] }) =>
      attachments.map(({ mime_type, size_in_bytes }) => [mime_type, size_in_bytes]),
    ),
    [[['video/mp4', 300]], [['audio/mpeg', 210]], [['image/jpeg', 150]]],
  )
})

test('a tag, a group and the kind audio have a podcast, whose episodes are sounds that programs play', async (t) => {
  const node = await startNodeHere(t, '')
  const group = await publishWithFiles(node, [picture()], {
    kind: 'group',
    fields: { title: 'Radio', summary: 'On air.', open: true },
  })
  const tags = ['river', 'night & day']
  const one = await soundWithMade(node, { title: 'One <sound>', summary: 'Short.', tags, group: group.item })
  const mp3 = {
    bytes: randomBytes(77),
    type: 'audio/mpeg',
    extension: 'mp3',
    caption: 'Part two',
    durationMs: 200,
  }
  await soundWithMade(node, { title: 'Two sounds', tags }, [flac({ caption: 'Part one' }), mp3])
  await publishWithFiles(node, [flac()], { kind: 'audio', fields: { title: 'Not made yet', tags } })
  await publishWithFiles(node, [picture()], { fields: { title: 'A text', tags } })
  for (const [path, titles] of [
    ['/audio/podcast.rss', ['Two sounds: Part one', 'Two sounds: Part two', 'One <sound>']],
    ['/tags/night%20%26%20day/podcast.rss', ['Two sounds: Part one', 'Two sounds: Part two', 'One <sound>']],
    [`/groups/${group.item}/podcast.rss`, ['One <sound>']],
  ] as const) {
    const answer = await node.page(path)
    t.is(answer.headers.get('content-type'), 'application/rss+xml; charset=utf-8')
    const text = await answer.text()
    t.true(XMLValidator.validate(text) === true, path)
    const { items = [], itunes, title } = parseRssFeed(text)
    t.deepEqual(
      items.map((item) => item.title),
      [...titles],
      path,
    )
    t.is(items.at(-1)?.itunes?.duration, 61)
    t.is(itunes?.explicit, undefined)
    t.deepEqual(itunes?.categories, [{ text: 'News' }])
    t.regex(title ?? '', / · /)
    const [enclosure] = items.at(-1)?.enclosures ?? []
    t.like(enclosure, { type: 'audio/mpeg', length: 210 })
    t.regex(enclosure?.url ?? '', new RegExp(`^${node.address}/files/\\w{64}\\.mp3$`))
    t.is(new Set(items.map(({ guid }) => guid?.value)).size, items.length)
  }
  const ofGroup = parseRssFeed(await node.html(`/groups/${group.item}/podcast.rss`))
  t.is(ofGroup.itunes?.image, `${node.address}/files/${group.files[0]?.sha256}.jpg`)
  t.is(ofGroup.description, 'On air.')
  t.true((await node.html('/tags/river')).includes('href="/tags/river/podcast.rss"'))
  t.true((await node.html(`/groups/${group.item}`)).includes(`href="/groups/${group.item}/podcast.rss"`))
  t.is((await node.page('/tags/nothing/podcast.rss')).status, 404)
  t.is((await node.page('/articles/podcast.rss')).status, 404)
  t.is((await node.page('/tags/River/podcast.rss')).headers.get('location'), '/tags/river/podcast.rss')
  t.true((await node.html(`/audio/${one.item}`)).includes('/oembed?url='))
})

test('a tag and the kinds of sound and film have a playlist', async (t) => {
  const node = await startNodeHere(t, '')
  const tags = ['river']
  await soundWithMade(node, { title: 'A sound', tags })
  const film = await publishWithFiles(node, [mov()], { kind: 'video', fields: { title: 'A film', tags } })
  await publishMade(node, { item: film.item, of: film.files[0]?.sha256 ?? '' }, madeFilm())
  const lines = async (path: string) => (await node.html(path)).split('\n')
  const [head, name, ...entries] = await lines('/tags/river/playlist.m3u')
  t.deepEqual([head, name], ['#EXTM3U', '#PLAYLIST:river'])
  t.deepEqual([entries[0], entries[2]], ['#EXTINF:3723,A film', '#EXTINF:61,A sound'])
  t.regex(entries[1] ?? '', new RegExp(`^${node.address}/files/\\w{64}\\.mp4$`))
  t.regex(entries[3] ?? '', /\.mp3$/)
  t.is((await lines('/audio/playlist.m3u')).length, 5)
  t.is((await lines('/videos/playlist.m3u')).length, 5)
  t.is((await node.page('/tags/nothing/playlist.m3u')).status, 404)
  t.true((await node.html('/tags/river')).includes('href="/tags/river/playlist.m3u"'))
})

test('a page says of its files what other sites and search engines take in', async (t) => {
  const node = await startNodeHere(t, '')
  const film = { ...mov(), caption: '</script><b>', credit: 'Ana' }
  const { item, files } = await publishWithFiles(node, [picture({ alt: 'A bridge' }), film, flac()])
  await publishMade(node, { item, of: files[0]?.sha256 ?? '' }, pictureSizes([640, 1280]))
  await publishMade(node, { item, of: files[1]?.sha256 ?? '' }, madeFilm())
  const html = await node.html(`/articles/${item}`)
  t.regex(html, new RegExp(`<meta property="og:image" content="${node.address}/files/\\w{64}\\.jpg">`))
  t.true(html.includes('<meta property="og:image:width" content="1280">'))
  t.true(html.includes('<meta name="twitter:card" content="summary_large_image">'))
  const [, data = ''] = /<script type="application\/ld\+json">([^<]*)<\/script>/.exec(html) ?? []
  const { image, video, audio } = JSON.parse(data) as Record<
    string,
    { '@type': string; contentUrl: string; duration?: string }[]
  >
  t.like(image?.[0], { '@type': 'ImageObject', contentUrl: `${node.address}/files/${files[0]?.sha256}.jpg` })
  t.like(video?.[0], {
    '@type': 'VideoObject',
    duration: 'PT9S',
    creditText: 'Ana',
    encodingFormat: 'video/mp4',
  })
  t.like(audio?.[0], { '@type': 'AudioObject', duration: 'PT61S' })
})

test('the API gives an item’s files, with everything that was made of them', async (t) => {
  const node = await startNodeHere(t, '')
  const { item, files } = await publishWithFiles(node, [picture({ alt: 'A bridge', caption: 'Noon.' })])
  await publishMade(node, { item, of: files[0]?.sha256 ?? '' }, pictureSizes([320]))
  const got = JSON.parse(await node.html(`/api/v1/items/${item}`)) as {
    files: { url: string; alt: string; caption: string; made: { as: string; url: string }[] }[]
  }
  t.like(got.files[0], {
    url: `${node.address}/files/${files[0]?.sha256}.jpg`,
    alt: 'A bridge',
    caption: 'Noon.',
  })
  t.deepEqual(
    got.files[0]?.made.map(({ as }) => as),
    ['w320', 'w320', 'w320'],
  )
  const list = JSON.parse(await node.html('/api/v1/newswire')) as { entries: { cover?: { url: string } }[] }
  t.regex(list.entries[0]?.cover?.url ?? '', /\/files\/\w{64}\.jpg$/)
})

const oembed = (node: NodeHere, url: string, more = '') =>
  node.page(`/oembed?url=${encodeURIComponent(url)}${more}`)

test('other sites are told how to show a picture, a film, sound or a text (oEmbed)', async (t) => {
  const node = await startNodeHere(t, 'site: { name: "The <Wire>" }\n')
  const at = (path: string) => node.address + path
  const film = await publishWithFiles(node, [mov()], {
    kind: 'video',
    fields: { title: 'A "film" & <more>', author: 'Ana' },
  })
  await publishMade(node, { item: film.item, of: film.files[0]?.sha256 ?? '' }, madeFilm())
  const answer = await oembed(node, at(`/videos/${film.item}`))
  t.is(answer.headers.get('content-type'), 'application/json; charset=utf-8')
  const video = (await answer.json()) as Record<string, string | number>
  t.like(video, {
    version: '1.0',
    type: 'video',
    title: 'A "film" & <more>',
    author_name: 'Ana',
    provider_name: 'The <Wire>',
  })
  t.regex(
    String(video.html),
    /^<iframe src="[^"]+\/videos\/\w{26}\/embed" width="640" height="\d+" title="A &#34;film&#34; &#38; &#60;more&#62;"/,
  )
  t.like(video, { thumbnail_width: 320, thumbnail_height: 180 })
  const narrow = (await (
    await oembed(node, at(`/es/videos/${film.item}`), '&maxwidth=300&maxheight=200')
  ).json()) as {
    width: number
    height: number
  }
  t.true(narrow.width <= 300 && narrow.height <= 200)
  const xml = await (await oembed(node, at(`/videos/${film.item}`), '&format=xml')).text()
  t.is((new XMLParser().parse(xml) as { oembed: { type: string } }).oembed.type, 'video')

  const photo = await publishWithFiles(node, [picture()], { kind: 'photo' })
  await publishMade(node, { item: photo.item, of: photo.files[0]?.sha256 ?? '' }, pictureSizes([320, 640]))
  const seen = await (await oembed(node, at(`/photos/${photo.item}`), '&maxwidth=700')).json()
  t.like(seen, { type: 'photo', width: 640, height: 400 })
  const file = await (await oembed(node, at(`/files/${photo.files[0]?.sha256}.jpg`))).json()
  t.like(file, { type: 'photo', width: 1600, height: 1000 })
  const sound = await soundWithMade(node, { title: 'Heard' })
  const ofFile = (await (await oembed(node, at(`/files/${sound.files[0]?.sha256}.flac`))).json()) as {
    html: string
  }
  t.like(ofFile, { type: 'rich' })
  t.true(ofFile.html.includes(`/audio/${sound.item}/embed/${sound.files[0]?.sha256}"`))
  const text = await publishWithFiles(node, [])
  t.like(await (await oembed(node, at(`/articles/${text.item}`))).json(), {
    type: 'link',
    title: 'With files',
  })

  for (const [url, more, status] of [
    [`https://elsewhere.example/videos/${film.item}`, '', 404],
    [at('/videos/01m83yydzved5b913tktd3xrqc'), '', 404],
    [at('/newswire'), '', 404],
    [at(`/files/${'0'.repeat(64)}.jpg`), '', 404],
    [at(`/files/${photo.files[0]?.sha256}.png`), '', 404],
    ['javascript:alert(1)', '', 404],
    ['no address', '', 400],
    [at(`/videos/${film.item}`), '&format=html', 501],
  ] as const)
    t.is((await oembed(node, url, more)).status, status, `${url} ${more}`)
  t.is((await node.page('/oembed')).status, 400)
})

test('a page for frames may stand in them, and no other may', async (t) => {
  const node = await startNodeHere(t, '')
  const film = await publishWithFiles(node, [mov()], { kind: 'video' })
  const text = await publishWithFiles(node, [])
  const policy = async (path: string) => (await node.page(path)).headers.get('content-security-policy') ?? ''
  const framed = await policy(`/videos/${film.item}/embed`)
  t.true(
    framed.includes('frame-ancestors *') &&
      framed.includes("media-src 'self'") &&
      framed.includes("form-action 'none'"),
  )
  for (const path of [`/videos/${film.item}`, '/', `/articles/${text.item}`])
    t.true((await policy(path)).includes("frame-ancestors 'none'"), path)
  const html = await node.html(`/videos/${film.item}/embed`)
  t.deepEqual(
    [...html.matchAll(/(?:src|href)="(?:https?:)?\/\/([^/"]+)/g)]
      .map(([, host]) => host)
      .filter((host) => host !== new URL(node.address).host),
    [],
  )
  t.is((await node.page(`/articles/${text.item}/embed`)).status, 404)
  t.is((await node.page(`/videos/${film.item}/embed/${'0'.repeat(64)}`)).status, 404)
})
