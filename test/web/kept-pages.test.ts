import test from 'ava'
import { startNodeWith } from '../helpers/config.ts'
import { edit, formFields, publish, send } from '../helpers/forms.ts'
import { setUp } from '../helpers/people.ts'

const KEEPS = 'pages: { memoryBytes: 10000000 }\n'

test('kept pages show at once what was published, edited, commented on, hidden and renamed', async (t) => {
  const node = await startNodeWith(t, KEEPS)
  const root = await setUp(node)
  const story = await publish(node, { title: 'First title', tags: 'river', body: 'A text.' })
  const other = await publish(node, { title: 'Another story', tags: 'town' })
  const paths = ['/', '/newswire', '/tags/river', '/tags', '/latest', '/newswire/feed.atom', story.path]
  const all = () => Promise.all(paths.map((path) => node.html(path)))
  for (const html of (await all()).slice(0, 3)) t.true(html.includes('First title'))
  t.deepEqual(await all(), await all(), 'the same twice')

  await edit(node, story, { title: 'Second title', tags: 'town' })
  const [home, wire, river, , , feed, page] = await all()
  for (const html of [home, wire, feed, page])
    t.true(html?.includes('Second title') && !html.includes('First title'))
  t.false(river?.includes('title<'))
  t.true((await node.html('/tags/town')).includes('Second title'))

  const form = formFields(await node.html(`/comments/${story.item}`))
  await send(node, `/comments/${story.item}`, { ...form, body: 'A remark.', action: 'publish' })
  t.true((await node.html(story.path)).includes('A remark.'))
  t.true((await node.html('/newswire')).includes('1 comment'))

  await root.send(`/moderate/${story.item}`, { action: 'hide', category: 'spam' })
  for (const html of [await node.html('/'), await node.html('/newswire'), await node.html('/tags/town')])
    t.false(html.includes('Second title'))
  t.true((await node.html(story.path)).includes('noindex'))
  t.true((await node.html('/hidden')).includes('Second title'))
  t.true((await node.html('/newswire')).includes('Another story'))
  t.is((await node.page(other.path)).status, 200)
})

test('a search is answered by what is searched for, whatever was asked before', async (t) => {
  const node = await startNodeWith(t, KEEPS)
  const story = await publish(node, { title: 'A story of the river', tags: 'river' })
  const isFound = async (path: string) => (await node.html(path)).includes(story.path)
  t.false(await isFound('/search'))
  t.false(await isFound('/search'))
  t.true(await isFound('/search?q=river'))
  t.false(await isFound('/search?q=town'))
  t.true(await isFound('/search/feed.atom?q=river'))
  t.false(await isFound('/search/feed.atom?q=town'))
  t.false(await isFound('/search'))
})

test('an older page of a listing is another one, and what a listing no longer has goes from it', async (t) => {
  const node = await startNodeWith(t, `${KEEPS}abuse: { limits: off }\n`)
  const root = await setUp(node)
  const stories = []
  for (let number = 1; number <= 40; number += 1)
    stories.push(await publish(node, { title: `Story ${number} of many`, body: 'A text.' }))
  const [, older = ''] = /href="(\/newswire\?before=[^"]+)"/.exec(await node.html('/newswire')) ?? []
  t.true((await node.html(older)).includes('Story 1 of many'))
  t.false((await node.html('/newswire')).includes('Story 1 of many'))
  const etag = (await node.page(older)).headers.get('etag')
  t.is((await node.page(older, { headers: { 'if-none-match': etag ?? '' } })).status, 304)
  await root.send(`/moderate/${stories[0]?.item}`, { action: 'hide', category: 'spam' })
  t.false((await node.html(older)).includes('Story 1 of many'))
})

test('who is signed in gets no kept page and leaves none; a kept one has its tag, and is not sent twice', async (t) => {
  const node = await startNodeWith(t, KEEPS)
  const root = await setUp(node)
  const story = await publish(node, { title: 'A story', body: 'A text. '.repeat(200) })
  t.true((await root.html(story.path)).includes('/office'))
  const first = await node.page(story.path)
  t.false((await first.text()).includes('/office'))
  const kept = await node.page(story.path)
  const etag = kept.headers.get('etag') ?? ''
  t.regex(etag, /^"[\w-]{22}(?:-(?:br|gzip))?"$/)
  t.regex(kept.headers.get('vary') ?? '', /Accept-Language.*Accept-Encoding.*Cookie/i)
  t.true((kept.headers.get('content-security-policy') ?? '').includes("default-src 'none'"))
  t.is(kept.headers.get('set-cookie'), null)
  t.true((await root.html(story.path)).includes('/office'), 'nor is a kept one given to somebody who is')
  const again = await node.page(story.path, { headers: { 'if-none-match': etag } })
  t.is(again.status, 304)
  t.is(await again.text(), '')
  const head = await node.page(story.path, { method: 'HEAD' })
  t.is(head.status, 200)
  t.is(await head.text(), '')
  await edit(node, story, { body: 'Another text.' })
  t.is((await node.page(story.path, { headers: { 'if-none-match': etag } })).status, 200)
})
