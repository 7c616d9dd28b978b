import { randomBytes } from 'node:crypto'
import test from 'ava'
import { request } from 'undici'
import type { Draft } from '../../src/ledger/document.ts'
import { hashInId } from '../../src/ledger/document.ts'
import { captionsFile, madeFilm, madeSound, picture, pictureSizes } from '../helpers/invented-files.ts'
import { publishWithFiles } from '../helpers/files-of-items.ts'
import { publishMade } from '../helpers/made-files.ts'
import { startNodeHere } from '../helpers/node-here.ts'
import type { NodeHere } from '../helpers/node-here.ts'

const PDF = { type: 'application/pdf', extension: 'pdf' } as const

/** The part of a page that is between two texts. */
function between(html: string, from: string, to: string): string {
  const start = html.indexOf(from)
  return start === -1 ? '' : html.slice(start, html.indexOf(to, start))
}

async function decide(node: NodeHere, item: string, action: string): Promise<void> {
  const draft: Draft = { type: 'decision', item, target: item, action, reason: 'x', supersedes: [] }
  const [decision] = await node.here.store.ledger.append([{ draft }])
  await node.here.projector.settled(decision?._id ?? '')
}

test('a picture stands in all its sizes, with its texts, above the text; the rest stands below', async (t) => {
  const node = await startNodeHere(t, '')
  const first = picture({
    alt: 'A bridge',
    caption: 'The bridge at noon.',
    credit: 'Ana',
    licence: 'CC BY 4.0',
  })
  const { item, files } = await publishWithFiles(node, [
    first,
    picture({ alt: 'A boat' }),
    picture({ alt: 'A gull' }),
    { ...PDF, bytes: randomBytes(2_500_000), name: 'minutes.docx' },
  ])
  const path = `/articles/${item}`
  const sha256 = files[0]?.sha256 ?? ''
  const plain = await node.html(path)
  const whole = between(plain, '<figure class="picture">', '</figure>')
  t.true(whole.includes(`<img src="/files/${sha256}.jpg" width="1600" height="1000" alt="A bridge"`))
  t.false(whole.includes('srcset'), 'nothing smaller was made yet')
  t.false(whole.includes('loading="lazy"'))
  t.regex(whole, /<figcaption>.*The bridge at noon\..*<bdi>Ana<\/bdi> · <bdi>CC BY 4\.0<\/bdi>/s)
  t.true(plain.indexOf('A bridge') < plain.indexOf('<div class="body"'))
  t.true(plain.indexOf('A boat') > plain.indexOf('<div class="body"'))
  const gallery = between(plain, '<ul class="gallery"', '</ul>')
  t.is(gallery.match(/loading="lazy"/g)?.length, 2)
  t.is(gallery.match(/<a href="\/files\//g)?.length, 2)
  const attached = between(plain, '<section class="attachments"', '</section>')
  t.true(attached.includes('download="minutes.pdf"') && attached.includes('2.5 MB'))

  await publishMade(node, { item, of: sha256 }, pictureSizes([320, 640]))
  const coarse = between(await node.html(path), '<figure class="picture">', '</figure>')
  t.false(
    coarse.includes('<source'),
    'what is much smaller than the picture is not offered where it stands large',
  )
  await publishMade(node, { item, of: sha256 }, pictureSizes([1280]))
  const sized = between(await node.html(path), '<figure class="picture">', '</figure>')
  t.regex(
    sized,
    /<source type="image\/avif" srcset="\/files\/\w{64}\.avif 320w, \/files\/\w{64}\.avif 640w, \/files\/\w{64}\.avif 1280w" sizes="/,
  )
  t.true(sized.indexOf('image/avif') < sized.indexOf('image/webp'))
  t.regex(
    sized,
    new RegExp(
      `<img src="/files/${sha256}.jpg" srcset="[^"]*\\.jpg 320w, [^"]*\\.jpg 640w, [^"]*\\.jpg 1280w, /files/${sha256}.jpg 1600w"`,
    ),
  )
})

test('a photo shows its pictures as the main thing, each with a link to the large one, and no script', async (t) => {
  const node = await startNodeHere(t, '')
  const { item } = await publishWithFiles(
    node,
    Array.from({ length: 60 }, () => picture()),
    { kind: 'photo' },
  )
  const html = await node.html(`/photos/${item}`)
  t.is(html.match(/<li><figure><a href="\/files\/\w{64}\.jpg">/g)?.length, 60)
  t.is(html.match(/loading="lazy"/g)?.length, 59)
  t.true(html.indexOf('class="gallery"') < html.indexOf('<div class="body"'))
  // Without an alternative text a link says at least which one it is of how many.
  t.true(html.includes('alt="Picture 60 of 60"'))
})

test('film and sound play with what was made of them, their captions are theirs, and only their pages may', async (t) => {
  const node = await startNodeHere(t, '')
  const film = {
    bytes: randomBytes(500),
    type: 'video/quicktime',
    extension: 'mov',
    width: 320,
    height: 180,
    durationMs: 3_723_400,
  }
  const { item, files } = await publishWithFiles(
    node,
    [
      film,
      captionsFile('Hi', { name: 'talk.vtt' }),
      captionsFile('¡Hola!', { name: 'talk.es.vtt' }),
      captionsFile('Oi', { name: 'talk.pt-BR.vtt' }),
    ],
    { kind: 'video' },
  )
  await publishMade(node, { item, of: files[0]?.sha256 ?? '' }, madeFilm())
  const page = await node.page(`/videos/${item}`)
  const html = await page.text()
  t.regex(page.headers.get('content-security-policy') ?? '', /; media-src 'self'(?:;|$)/)
  const video = between(html, '<video', '</video>')
  t.regex(
    video,
    /^<video controls preload="none"[^>]* poster="\/files\/\w{64}\.jpg" width="320" height="180">/,
  )
  t.deepEqual(
    [...video.matchAll(/<source src="\/files\/\w{64}\.(\w+)" type="([^"]+)">/g)].map(([, , type]) => type),
    ['video/mp4', 'video/webm', 'application/vnd.apple.mpegurl', 'video/quicktime'],
  )
  t.deepEqual(
    [
      ...video.matchAll(/<track kind="(\w+)" src="\/files\/\w{64}\.vtt" srclang="([^"]+)" label="([^"]+)">/g),
    ].map(([, kind, language, label]) => [kind, language, label]),
    [
      ['captions', 'en', 'English'],
      ['subtitles', 'es', 'Spanish'],
      ['subtitles', 'pt-BR', 'Brazilian Portuguese'],
    ],
  )
  t.true(html.includes('1:02:03'))
  t.false(html.includes('class="attachments"'), 'captions are no attachments')

  const sound = { bytes: randomBytes(400), type: 'audio/flac', extension: 'flac', durationMs: 61_000 }
  const talk = await publishWithFiles(node, [sound], { kind: 'audio' })
  await publishMade(node, { item: talk.item, of: talk.files[0]?.sha256 ?? '' }, madeSound())
  const heard = await node.html(`/audio/${talk.item}`)
  t.regex(heard, /<img class="wave" src="\/files\/\w{64}\.png" width="800" height="96" alt=""/)
  const audio = between(heard, '<audio controls preload="none"', '</audio>')
  t.deepEqual(
    [...audio.matchAll(/type="([^"]+)"/g)].map(([, type]) => type),
    ['audio/ogg', 'audio/mpeg', 'audio/flac'],
  )
  for (const path of ['/', '/newswire', '/media']) {
    const policy = (await node.page(path)).headers.get('content-security-policy') ?? ''
    t.false(policy.includes('media-src'), path)
  }
})

test('names and texts that people give are only ever text', async (t) => {
  const node = await startNodeHere(t, '')
  const evil = `"><script>alert(1)</script><img src=x onerror=alert(1)>`
  const { item } = await publishWithFiles(node, [
    picture({ alt: evil, caption: evil, credit: evil, licence: evil, name: evil }),
    { ...PDF, bytes: randomBytes(10), name: 'invoice\u202Efdp.exe', alt: evil },
    captionsFile('nobody’s', { name: `${evil}.es.vtt` }),
    { bytes: randomBytes(9), type: 'audio/mpeg', extension: 'mp3', name: evil, caption: evil },
  ])
  for (const path of [
    `/articles/${item}`,
    `/articles/${item}/embed`,
    '/newswire',
    '/',
    '/newswire/feed.rss',
  ]) {
    const html = await node.html(path)
    t.false(html.includes('<script>alert'), path)
    t.false(/<img src=x/.test(html), path)
    t.false(html.includes('\u202E'), path)
  }
  t.true((await node.html(`/articles/${item}`)).includes('download="invoicefdp.pdf"'))
  // Captions before any film are a file like any other.
  t.true((await node.html(`/articles/${item}`)).includes('.vtt" download="'))
})

test('a file whose media document is not here yet is left out until it comes', async (t) => {
  const node = await startNodeHere(t, '')
  const { ledger } = node.here.store
  const { item, author, files } = await publishWithFiles(node, [picture({ alt: 'Here' })])
  const [first] = files
  const missing = { file: '1'.repeat(64), media: '2'.repeat(40), caption: 'Not here' }
  const before = await node.here.site.anyItem(item)
  const fields = { ...before?.fields, files: [missing, { file: first?.sha256, media: first?.media }] }
  const [edit] = await ledger.append([
    { draft: { type: 'edit', item, kind: 'article', parents: [...(before?.heads ?? [])], fields }, author },
  ])
  await node.here.projector.settled(edit?._id ?? '')
  const html = await node.html(`/articles/${item}`)
  t.true(html.includes('alt="Here"'))
  t.false(html.includes('Not here'))
})

test('what is hidden shows no file to readers, and a version shows what readers still get', async (t) => {
  const node = await startNodeHere(t, '')
  const { ledger } = node.here.store
  const { item, author, files } = await publishWithFiles(node, [
    picture({ alt: 'Stays' }),
    picture({ alt: 'Goes' }),
  ])
  const before = await node.here.site.anyItem(item)
  const [version = ''] = before?.heads ?? []
  const fields = { ...before?.fields, files: [{ file: files[0]?.sha256, media: files[0]?.media }] }
  const draft: Draft = { type: 'edit', item, kind: 'article', parents: [version], fields }
  const [edit] = await ledger.append([{ draft, author }])
  await node.here.projector.settled(edit?._id ?? '')
  t.false((await node.html(`/articles/${item}`)).includes('Goes'))
  const old = await node.html(`/articles/${item}/versions/${version}`)
  t.true(old.includes('alt="Stays"'))
  t.false(old.includes('Goes'))
  t.true((await node.html(`/articles/${item}/versions/${hashInId(edit?._id ?? '')}`)).includes('alt="Stays"'))

  await decide(node, item, 'hide')
  const hidden = await node.html(`/articles/${item}`)
  t.false(hidden.includes('/files/'))
  t.false((await node.html(`/articles/${item}/versions/${version}`)).includes('/files/'))
  t.is((await request(`${node.address}/files/${files[0]?.sha256 ?? ''}.jpg`)).statusCode, 404)
})

test('listings show a small picture of each item, and say nothing twice', async (t) => {
  const node = await startNodeHere(t, '')
  const fields = { title: 'With a picture', tags: ['river'] }
  const { item, files } = await publishWithFiles(node, [picture({ alt: 'A bridge' })], { fields })
  const made = pictureSizes([320, 640])
  await publishMade(node, { item, of: files[0]?.sha256 ?? '' }, made)
  for (const path of ['/newswire', '/tags/river', '/languages/en']) {
    const html = await node.html(path)
    const cover = between(html, '<a class="cover"', '</a>')
    t.regex(
      cover,
      /tabindex="-1" aria-hidden="true"><img src="\/files\/\w{64}\.jpg" width="320" height="200" alt=""/,
      path,
    )
  }
  // The story that leads has it in all sizes.
  t.regex(await node.html('/'), /class="large-cover"[^]*?srcset="[^"]+ 640w, [^"]+ 1600w"/)
})
