import test from 'ava'
import { parseFeed } from 'feedsmith'
import { XMLValidator } from 'fast-xml-parser'
import { formFields, publish, send } from '../helpers/forms.ts'
import { startNode } from '../helpers/node.ts'
import { until } from '../helpers/wait.ts'

test('everything that is published is found at once, on a page and in a feed; what is hidden never', async (t) => {
  const node = await startNode(t)
  const story = await publish(node, {
    title: 'The night bus',
    body: 'Runs <again>, along the river.',
    tags: 'transport',
  })
  const address = `/comments/${story.item}`
  await send(node, address, {
    ...formFields(await node.html(address)),
    body: 'A zebra rode along.',
    action: 'publish',
  })
  const event = { title: 'River walk', start: '2031-05-06', startTime: '19:00', zone: 'Europe/Madrid' }
  await publish(node, event, 'event')

  const html = await node.html('/search?q=river')
  t.regex(html, /Runs &lt;again&gt;, along the <mark>river<\/mark>/)
  t.regex(html, /<mark>River<\/mark> walk/)
  t.regex(html, /2 results/)
  t.regex(await node.html('/search?q=river&kind=event'), /One result/)
  t.regex(await node.html('/search?q=zebra'), new RegExp(`href="/comments/${story.item}/[0-9a-f]{40}"`))
  t.regex(await node.html('/search?tag=Transport'), /The night bus/)
  const feed = parseFeed(await (await node.page('/search/feed.rss?q=river')).text())
  t.deepEqual(feed.format === 'rss' ? feed.feed.items?.map(({ title }) => title) : [], [
    'River walk',
    'The night bus',
  ])
  t.true(html.includes('href="/search/feed.atom?q=river"'))

  t.is((await node.run('decide', story.item, 'hide')).code, 0)
  await until('it is hidden', async () => !(await node.html('/newswire')).includes('night bus'))
  t.false((await node.html('/search?q=bus')).includes('The <mark>'))
  t.false((await node.html('/search?q=zebra')).includes('A <mark>'))
  // What was said of it goes with it.
  for (const path of [
    '/latest',
    '/latest/feed.atom',
    '/search/feed.rss?q=zebra',
    '/api/v1/latest',
    '/api/v1/search?q=zebra',
  ])
    t.notRegex(await node.html(path), /[Zz]ebra (?:rode|<)/, path)
  t.is((await node.run('decide', story.item, 'unhide')).code, 0)
  await until('it is found again', async () =>
    (await node.html('/search?q=bus')).includes('<mark>bus</mark>'),
  )
})

test('a search that cannot be understood is answered with what to change', async (t) => {
  const node = await startNode(t)
  await publish(node, { title: 'The night bus' })
  t.regex(await node.html('/search?q=%22night'), /second one/)
  t.regex(await node.html('/search?q=%22night'), /<mark>night<\/mark>/)
  for (const text of ['*', '(', '"', 'AND', 'a OR', '%00', "'; DROP TABLE entries", 'x'.repeat(2_000)])
    t.is((await node.page(`/search?q=${encodeURIComponent(text)}`)).status, 200, text)
  t.is((await node.page('/search?from=soon')).status, 400)
  t.is((await node.page('/search?group=x')).status, 400)
  t.is((await node.page('/search/feed.rss?from=soon')).status, 400)
  t.is((await node.page('/search?q=a&q=b&kind=nothing')).status, 200)
  const described = await node.page('/opensearch.xml')
  t.is(described.headers.get('content-type'), 'application/opensearchdescription+xml; charset=utf-8')
  const xml = await described.text()
  t.true(XMLValidator.validate(xml) === true)
  t.true(xml.includes(`template="${node.address}/search?q={searchTerms}"`))
})

test('the index is filled again when its file is gone', async (t) => {
  const node = await startNode(t)
  await publish(node, { title: 'The night bus', tags: 'transport' })
  const { rm } = await import('node:fs/promises')
  await node.stop()
  for (const ending of ['', '-wal', '-shm']) await rm(`${node.data}/search.sqlite${ending}`, { force: true })
  await node.start()
  t.true((await node.html('/search?q=bus')).includes('<mark>bus</mark>'))
  t.regex(await node.html('/tags'), /transport/)
})
