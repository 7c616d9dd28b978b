import test from 'ava'
import { itemTime } from '../../src/ledger/item-id.ts'
import { edit, formFields, publish, send } from '../helpers/forms.ts'
import { startNode } from '../helpers/node.ts'

const DAY_MS = 86_400_000
/** A time of the day: on pages and in what machines read. */
const CLOCK = /\d\d:\d\d(?!:00\.000Z|:00Z|:00 GMT|:00\.000\+)|UTC/
const MIDNIGHT = /^\d{4}-\d\d-\d\dT00:00:00\.000Z-000\d$/

test('of what is published with “Only the day” neither ledger nor pages hold the time', async (t) => {
  const node = await startNode(t)
  const story = await publish(node, { title: 'Quiet', dayOnly: 'yes', tags: 'quiet' })
  t.is(itemTime(story.item) % DAY_MS, 0, 'the id holds the day')
  await edit(node, story, { body: 'Another text.' })
  await edit(node, story, { title: 'Quiet still' })
  const documents = await Promise.all((await node.ledgerIds()).map((id) => node.ledgerDocument(id)))
  t.is(documents.length, 3)
  const times = documents.map((document) => document?.at ?? '').sort()
  t.is(new Set(times).size, 3, 'later edits are later')
  for (const at of times) t.regex(at, MIDNIGHT)
  for (const document of documents) {
    t.notRegex(JSON.stringify(document), /T(?!00:00:00\.000Z)\d\d:\d\d/)
  }
  const graph = (await node.siteDocuments())[story.item]?.graph ?? {}
  const [from = '', to = ''] = Object.keys(graph)
  const own = [story.path, `${story.path}/history`, `${story.path}/versions/${from}`]
  own.push(
    `${story.path}/changes/${from}/${to}`,
    '/newswire',
    '/',
    '/tags/quiet',
    '/latest',
    '/search?q=quiet',
  )
  for (const path of own) {
    const html = await node.html(path)
    t.regex(html, /Quiet/, path)
    t.notRegex(html.replaceAll(/before=[^"]*|after=[^"]*/g, ''), CLOCK, path)
  }
  for (const path of [
    '/newswire/feed.atom',
    '/newswire/feed.rss',
    '/newswire/feed.json',
    '/sitemap-news.xml',
  ])
    t.notRegex(await node.html(path), /T(?!00:00:00)\d\d:\d\d|\d{4} (?!00:00:00)\d\d:\d\d/, path)
  const api = (await (await node.page(`/api/v1/items/${story.item}`)).json()) as Record<string, string>
  for (const name of ['published', 'updated']) t.regex(api[name] ?? '', /T00:00:00\.000Z$/)
})

test('who chooses it later hides from then on, and who takes it away shows again', async (t) => {
  const node = await startNode(t)
  const story = await publish(node, { title: 'Changing' })
  await edit(node, story, { dayOnly: 'yes' })
  const item = (await node.siteDocuments())[story.item]
  const [first = '', second = ''] = Object.values(item?.graph ?? {})
    .map(({ at }) => at)
    .sort()
  t.is(second.slice(0, 24), first.slice(0, 24), 'the edit tells no time but that of the version before')
  for (const path of [story.path, `${story.path}/history`, '/newswire'])
    t.notRegex((await node.html(path)).replaceAll(/before=[^"]*/g, ''), CLOCK, path)
  t.notRegex(await node.html('/newswire/feed.atom'), /T(?!00:00:00)\d\d:\d\d/)
  const opened = formFields(await node.html(`${story.path}/edit/${story.secret}`))
  t.is(opened.dayOnly, 'yes', 'later edits keep it')
  const { dayOnly: _, ...rest } = opened
  await send(node, `${story.path}/edit/${story.secret}`, { ...rest, action: 'publish' })
  t.regex(await node.html(story.path), CLOCK)
})

test('a feed reader that asks by time hears of it at once', async (t) => {
  const node = await startNode(t)
  await publish(node, { title: 'With a time' })
  const feed = '/newswire/feed.atom'
  const since = (await node.page(feed)).headers.get('last-modified') ?? ''
  t.not(since, '')
  // `fetch` would ask for a reload of its own accord.
  const headers = { 'if-modified-since': since, 'cache-control': 'max-age=0' }
  t.is((await node.page(feed, { headers })).status, 304)
  await publish(node, { title: 'Of that day', dayOnly: 'yes' })
  const answer = await node.page(feed, { headers })
  t.is(answer.status, 200)
  t.regex(await answer.text(), /Of that day/)
  t.is(answer.headers.get('last-modified'), null)
})

test('no page that shows such a story says when it was made, or how old it is', async (t) => {
  const node = await startNode(t)
  const { path } = await publish(node, { title: 'Of that day', dayOnly: 'yes', tags: 'river' })
  for (const shown of [path, '/', '/newswire', '/tags/river', '/newswire/feed.atom']) {
    for (const { headers } of [await node.page(shown), await node.page(shown)]) {
      t.is(headers.get('last-modified'), null, shown)
      t.regex(headers.get('cache-control') ?? '', /s-maxage=60,/, shown)
    }
    const since = { 'if-modified-since': new Date().toUTCString(), 'cache-control': 'max-age=0' }
    t.is((await node.page(shown, { headers: since })).status, 200, shown)
  }
})

test('the same form sent twice, once with the choice and once without, is one item', async (t) => {
  const node = await startNode(t)
  const form = formFields(await node.html('/publish/article'))
  const fields = { ...form, title: 'Once', body: 'B', tags: '', action: 'publish' }
  const first = await send(node, '/publish/article', { ...fields, dayOnly: 'yes' })
  await node.stop()
  await node.start()
  const second = await send(node, '/publish/article', fields)
  t.is(second.headers.get('location'), first.headers.get('location'))
  t.is((await node.ledgerIds()).length, 1)
})

test('a program chooses it by the field', async (t) => {
  const node = await startNode(t)
  const ask = async (path: string, body: object, headers = {}) => {
    const response = await node.page(`/api/v1${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })
    return (await response.json()) as {
      secret: string
      item: { id: string; heads: string[]; published: string }
    }
  }
  const fields = { title: 'T', body: 'B', language: 'en', dayOnly: true }
  const { item, secret } = await ask('/items', { kind: 'article', fields })
  t.is(itemTime(item.id) % DAY_MS, 0)
  const edited = { parents: item.heads, fields: { ...fields, title: 'U' } }
  await ask(`/items/${item.id}/edits`, edited, { authorization: `Bearer ${secret}` })
  for (const id of await node.ledgerIds()) t.regex((await node.ledgerDocument(id))?.at ?? '', MIDNIGHT)
})
