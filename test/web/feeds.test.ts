import test from 'ava'
import { XMLValidator } from 'fast-xml-parser'
import { parseFeed } from 'feedsmith'
import { formFields, publish, send } from '../helpers/forms.ts'
import { startNode } from '../helpers/node.ts'
import type { TestNode } from '../helpers/node.ts'

const FORMATS = ['atom', 'rss', 'json'] as const

/** The titles in a feed, by a parser that is not ours. */
async function titlesIn(node: TestNode, address: string): Promise<(string | undefined)[]> {
  const answer = await node.page(address)
  if (answer.status !== 200) return [`status ${answer.status}`]
  const { format, feed } = parseFeed(await answer.text())
  if (format === 'atom') return (feed.entries ?? []).map(({ title }) => title?.value)
  return format === 'rss' || format === 'json' ? (feed.items ?? []).map(({ title }) => title) : [format]
}

test('every listing has its feeds, and its page names them', async (t) => {
  const node = await startNode(t)
  const story = await publish(node, {
    title: 'Bread & <roses>',
    tags: 'bakery',
    places: 'Quay',
    author: 'Ana',
    body: 'See [the wire](/newswire).',
  })
  const group = await publish(node, { title: 'Bakers', summary: 'We bake.', open: 'yes' }, 'group')
  await publish(node, { title: 'By the bakers', group: group.item })
  await publish(node, { title: 'A song', address: 'https://e.example/song.ogg' }, 'link')
  const year = new Date().getUTCFullYear()
  const month = String(new Date().getUTCMonth() + 1).padStart(2, '0')
  const listings: Record<string, string[]> = {
    '/newswire': ['By the bakers', 'Bread & <roses>'],
    '/tags/bakery': ['Bread & <roses>'],
    '/places/quay': ['Bread & <roses>'],
    '/authors/Ana': ['Bread & <roses>'],
    '/languages/en': ['A song', 'By the bakers', 'Bakers', 'Bread & <roses>'],
    '/articles': ['By the bakers', 'Bread & <roses>'],
    '/links': ['A song'],
    '/groups': ['Bakers'],
    [`${group.path}/newswire`]: ['By the bakers'],
    [`/archive/${year}`]: ['By the bakers', 'Bread & <roses>'],
    [`/archive/${year}/${month}`]: ['By the bakers', 'Bread & <roses>'],
    '/features': [],
    '/media': [],
    '/latest': ['A song', 'By the bakers', 'Bakers', 'Bread & <roses>'],
    '/es/newswire': ['By the bakers', 'Bread & <roses>'],
  }
  for (const [path, titles] of Object.entries(listings)) {
    for (const format of FORMATS) {
      t.deepEqual(await titlesIn(node, `${path}/feed.${format}`), titles, `${path} ${format}`)
      t.true((await node.html(path)).includes(`href="${path}/feed.${format}"`), `${path} names ${format}`)
    }
  }
  const links = await (await node.page('/links/feed.rss')).text()
  t.regex(links, /<enclosure url="https:\/\/e\.example\/song\.ogg" length="0" type="audio\/ogg"\/>/)
  const full = await (await node.page('/newswire/feed.atom')).text()
  t.true(full.includes(`href="${node.address}/newswire"`))
  t.is((await node.page('/tags/Bakery/feed.rss')).headers.get('location'), '/tags/bakery/feed.rss')
  t.is((await node.page('/newswire.rss')).headers.get('location'), '/newswire/feed.rss')
  t.is((await node.page('/groups/none/newswire/feed.rss')).status, 404)
  t.is((await node.page(`${story.path}/feed.xyz`)).status, 404)
})

test('comments have a feed of their own, and stand in that of the latest changes', async (t) => {
  const node = await startNode(t)
  const { item, path } = await publish(node, { title: 'Asked' })
  const address = `/comments/${item}`
  const form = formFields(await node.html(address))
  await send(node, address, { ...form, title: 'An answer', body: 'Yes.', action: 'publish' })
  for (const format of FORMATS) {
    t.deepEqual(await titlesIn(node, `${path}/feed.${format}`), ['An answer'])
    t.deepEqual(await titlesIn(node, `/latest/feed.${format}`), ['An answer', 'Asked'])
  }
  t.true((await node.html(path)).includes(`href="${path}/feed.atom"`))
})

test('a feed is asked again for nothing, and leads on to what is older', async (t) => {
  const node = await startNode(t)
  for (let number = 0; number < 22; number++) await publish(node, { title: `Story ${number}` })
  const first = await node.page('/newswire/feed.json')
  const headers = { 'cache-control': 'max-age=0', 'if-none-match': first.headers.get('etag') ?? '' }
  t.is((await node.page('/newswire/feed.json', { headers })).status, 304)
  const since = {
    'cache-control': 'max-age=0',
    'if-modified-since': first.headers.get('last-modified') ?? '',
  }
  t.is((await node.page('/newswire/feed.json', { headers: since })).status, 304)
  const { items, next_url: next } = (await first.json()) as { items: unknown[]; next_url: string }
  t.is(items.length, 20)
  t.deepEqual(await titlesIn(node, next.replace(node.address, '')), ['Story 1', 'Story 0'])
  await publish(node, { title: 'Another' })
  t.is((await node.page('/newswire/feed.json', { headers })).status, 200)
})

test('crawlers get sitemaps, a news sitemap and robots.txt, and no hidden item', async (t) => {
  const node = await startNode(t)
  const story = await publish(node, { title: 'Shown & <seen>' })
  const other = await publish(node, { title: 'Taken away' })
  t.is((await node.run('decide', other.item, 'hide')).code, 0)
  const group = await publish(node, { title: 'Bakers', summary: 'We bake.' }, 'group')
  const robots = await (await node.page('/robots.txt')).text()
  t.true(robots.includes(`Sitemap: ${node.address}/sitemap.xml`))
  const index = await (await node.page('/sitemap.xml')).text()
  t.true(XMLValidator.validate(index) === true)
  const files = [...index.matchAll(/<loc>([^<]*)<\/loc>/g)].map(([, address = '']) =>
    address.replace(node.address, ''),
  )
  const maps = await Promise.all(
    [...files, '/sitemap-news.xml'].map(async (file) => (await node.page(file)).text()),
  )
  for (const map of maps) t.true(XMLValidator.validate(map) === true)
  const all = maps.join('\n')
  t.true(all.includes(`<loc>${node.address}${story.path}</loc>`))
  t.true(all.includes(`<loc>${node.address}${group.path}</loc>`))
  t.false(all.includes(other.item))
  t.true(maps.at(-1)?.includes('<news:title>Shown &amp; &lt;seen&gt;</news:title>'))
  for (const address of ['/sitemap/2026-13.xml', '/sitemap/terms.xml', '/sitemap/x.xml'])
    t.is((await node.page(address)).status, 404, address)
})

test('a page says what it is: canonical address, card, structured data that cannot break out', async (t) => {
  const node = await startNode(t)
  const title = 'A </script><script>alert(1)</script> & more'
  const story = await publish(node, { title, author: 'Ana', tags: 'a' })
  const html = await node.html(`/es${story.path}`)
  t.true(html.includes(`<link rel="canonical" href="${node.address}${story.path}">`))
  t.regex(html, /<meta property="og:title" content="A &lt;\/script&gt;/)
  const data = /<script type="application\/ld\+json">(.*?)<\/script>/.exec(html)?.[1] ?? ''
  t.like(JSON.parse(data), { '@type': 'NewsArticle', headline: title, author: { name: 'Ana' } })
  const event = {
    title: 'Assembly',
    start: '2031-05-06',
    startTime: '19:00',
    zone: 'Europe/Madrid',
    venue: 'Yard',
  }
  const { path } = await publish(node, event, 'event')
  const about = /<script type="application\/ld\+json">(.*?)<\/script>/.exec(await node.html(path))?.[1] ?? ''
  t.like(JSON.parse(about), {
    '@type': 'Event',
    startDate: '2031-05-06T17:00:00.000Z',
    location: { name: 'Yard' },
  })
  t.regex(await node.html('/newswire'), /<link rel="alternate" hreflang="ar" href="[^"]*\/ar\/newswire">/)
})
