import { randomBytes } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { testOfOwnStore } from '../helpers/couchdb.ts'
import { parseFeed } from 'feedsmith'
import { edit, formFields, openEdit, publish, saveEdit, send, sendLarge } from '../helpers/forms.ts'
import { startNode } from '../helpers/node.ts'
import { until } from '../helpers/wait.ts'

test('an empty node invites to publish, and what is published is on every page at once', async (t) => {
  const node = await startNode(t)
  t.regex(await node.html('/'), /Nothing has been published here yet/)
  const article = await publish(node, {
    title: 'Bread & <roses>',
    author: 'Ana',
    summary: 'Short.',
    body: 'A **text**.',
    tags: 'Bread, Two words',
    language: 'en',
  })
  for (const path of [
    '/',
    '/newswire',
    '/tags/bread',
    '/tags/two%20words',
    '/tags/Two%20Words',
    article.path,
  ]) {
    const response = await node.page(path)
    const location = response.headers.get('location')
    const html = await (location === null ? response.text() : node.html(location))
    t.true(html.includes('Bread &amp; &lt;roses&gt;'), path)
    t.false(html.includes('<roses>'), path)
  }
  t.regex(await node.html(article.path), /<strong>text<\/strong>/)
  const published = await node.html(`${article.path}/published/${article.secret}`)
  t.true(published.includes(`${article.path}/edit/${article.secret}`))
  for (const [path, format] of [
    ['/newswire/feed.rss', 'rss'],
    ['/newswire/feed.atom', 'atom'],
  ] as const) {
    const response = await node.page(path)
    const feed = parseFeed(await response.text())
    t.is(feed.format, format)
    // `fetch` would ask for a reload of its own accord.
    const headers = { 'if-none-match': response.headers.get('etag') ?? '', 'cache-control': 'max-age=0' }
    const again = await node.page(path, { headers })
    t.is(again.status, 304)
    t.true((await (await node.page(path)).text()).includes(node.address + article.path), 'links are absolute')
  }
})

test('every page has its headers, asks no other host and sets no cookie', async (t) => {
  const node = await startNode(t)
  const article = await publish(node, {
    body: 'See https://elsewhere.example and ![a picture](https://elsewhere.example/p.png)',
  })
  await edit(node, article, { body: 'Changed.' })
  const [from = '', to = ''] = Object.keys((await node.siteDocuments())[article.item]?.graph ?? {})
  const { path } = article
  const pages = [
    '/',
    '/newswire',
    '/publish',
    '/publish/article',
    '/calendar',
    '/archive',
    '/tags',
    '/groups',
    '/latest',
    '/es/newswire',
    '/clashes',
    path,
    `${path}/history`,
    `${path}/versions/${from}`,
    `${path}/changes/${from}/${to}`,
    `${path}/edit/${article.secret}`,
    `${path}/published/${article.secret}`,
    '/nothing',
  ]
  for (const page of pages) {
    const response = await node.page(page)
    const html = await response.text()
    t.is(response.headers.get('set-cookie'), null, page)
    t.regex(response.headers.get('content-security-policy') ?? '', /default-src 'none'/, page)
    t.is(response.headers.get('x-content-type-options'), 'nosniff', page)
    t.is(response.headers.get('referrer-policy'), 'no-referrer', page)
    t.notRegex(
      html,
      /<script(?! type="application\/ld\+json"| (?:type="module" )?src="\/assets\/)|\ssrc="http|<link rel="(?!canonical|alternate)[^>]+href="http|style="/,
      page,
    )
    t.is((await node.page(page, { method: 'HEAD' })).status, response.status, page)
  }
  const css = /href="(\/assets\/site-[0-9a-f]+\.css)"/.exec(await node.html('/'))?.[1] ?? ''
  const asset = await node.page(css)
  t.regex(asset.headers.get('cache-control') ?? '', /immutable/)
  t.notRegex(await asset.text(), /url\(|@import/)
  t.regex((await node.page(`${path}/edit/${article.secret}`)).headers.get('cache-control') ?? '', /no-store/)
})

test('the form comes back with the input and the errors beside their fields; preview saves nothing', async (t) => {
  const node = await startNode(t)
  const { token = '' } = formFields(await node.html('/publish/article'))
  const fields = {
    title: '',
    author: 'Ana "the pen"',
    summary: '',
    body: '<b>My</b> text',
    tags: 'a',
    language: 'klingon!',
    token,
  }
  const bad = await send(node, '/publish/article', { ...fields, action: 'publish' })
  t.is(bad.status, 422)
  const html = await bad.text()
  t.regex(html, /“Title” is missing\./)
  t.regex(html, /“Language” is not a language tag/)
  t.like(formFields(html), { author: 'Ana "the pen"', body: '<b>My</b> text', tags: 'a' })
  const preview = await send(node, '/publish/article', {
    ...fields,
    title: 'T',
    language: 'en',
    action: 'preview',
  })
  t.is(preview.status, 200)
  t.regex(await preview.text(), /Preview: not saved yet[\s\S]*&lt;b&gt;My&lt;\/b&gt; text/)
  t.deepEqual(await node.ledgerIds(), [])
})

test('a form that is sent twice makes one article, and a reload sends nothing again', async (t) => {
  const node = await startNode(t)
  const { token = '' } = formFields(await node.html('/publish/article'))
  const fields = {
    title: 'Once',
    author: '',
    summary: '',
    body: 'Text',
    tags: '',
    language: 'en',
    token,
    action: 'publish',
  }
  const answers = await Promise.all([
    send(node, '/publish/article', fields),
    send(node, '/publish/article', fields),
  ])
  answers.push(await send(node, '/publish/article', fields))
  t.deepEqual(
    answers.map(({ status }) => status),
    [303, 303, 303],
  )
  t.is(new Set(answers.map(({ headers }) => headers.get('location'))).size, 1)
  t.is((await node.ledgerIds()).length, 1)
  await node.stop()
  await node.start()
  const after = await send(node, '/publish/article', fields)
  t.is(after.headers.get('location'), answers[0]?.headers.get('location') ?? '')
  t.is((await node.ledgerIds()).length, 1)
})

test('a form of another site, without a token or with an old one keeps the text and saves nothing', async (t) => {
  const node = await startNode(t)
  const { token = '' } = formFields(await node.html('/publish/article'))
  const fields = {
    title: 'Kept title',
    author: '',
    summary: '',
    body: 'Kept text',
    tags: '',
    language: 'en',
    action: 'publish',
  }
  const cases: [Record<string, string>, Record<string, string>][] = [
    [{}, {}],
    [{ token: 'nonsense' }, {}],
    [{ token }, { 'sec-fetch-site': 'cross-site' }],
    [{ token }, { origin: 'https://evil.example' }],
  ]
  for (const [extra, headers] of cases) {
    const body = new URLSearchParams({ ...fields, ...extra }).toString()
    const response = await node.page('/publish/article', {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    })
    t.is(response.status, 403)
    const kept = formFields(await response.text())
    t.like(kept, { title: 'Kept title', body: 'Kept text' })
    t.not(kept.token, token)
  }
  t.deepEqual(await node.ledgerIds(), [])
})

test('a 20 MB form, invalid UTF-8 and other bodies get a page that says why', async (t) => {
  const node = await startNode(t)
  const status = await sendLarge(node, '/publish/article', 'application/x-www-form-urlencoded', 20_000_000)
  t.is(status, 413)
  const post = (body: string, type = 'application/x-www-form-urlencoded') =>
    node.page('/publish/article', { method: 'POST', body, headers: { 'content-type': type } })
  const invalid = await post('title=%ff%fe')
  t.is(invalid.status, 400)
  t.regex(await invalid.text(), /not valid UTF-8/)
  t.is((await post('{}', 'application/json')).status, 415)
  t.is((await node.page('/newswire', { method: 'DELETE' })).status, 405)
  t.is((await node.page('/livez')).status, 200)
})

test('unknown items, versions, places and tags are answered with a page', async (t) => {
  const node = await startNode(t)
  const article = await publish(node, {})
  const cases: [string, number][] = [
    ['/articles/01m83yydzved5b913tktd3xrqc', 404],
    ['/articles/nonsense', 404],
    [`${article.path}/versions/${'a'.repeat(40)}`, 404],
    [`${article.path}/versions/..%2f..%2f`, 404],
    [`${article.path}/changes/x/y`, 404],
    ['/tags/nobody-uses-this', 404],
    ['/newswire?before=nonsense', 400],
    ['/newswire?after=2026-01-01T00:00:00.000Z-0000_x', 400],
    ['/%ff', 404],
    ['/held:stranger:x', 404],
  ]
  for (const [path, status] of cases) {
    const response = await node.page(path)
    t.true(
      response.status === status || (path === '/%ff' && response.status === 400),
      `${path} answered ${response.status}`,
    )
    t.regex(await response.text(), /<h1|Nothing here|Bad Request/, path)
  }
})

test('a wrong edit link saves nothing and gives the text back', async (t) => {
  const node = await startNode(t)
  const [mine, other] = [await publish(node, { title: 'Mine' }), await publish(node, { title: 'Other' })]
  const opened = await openEdit(node, mine)
  const wrong = { ...other, secret: mine.secret }
  t.is((await node.page(`${wrong.path}/edit/${wrong.secret}`)).status, 403)
  t.is((await node.page(`${mine.path}/edit/nonsense`)).status, 403)
  t.is((await node.page(`${mine.path}/published/${other.secret}`)).status, 403)
  const response = await send(node, `${wrong.path}/edit/${wrong.secret}`, {
    ...opened,
    body: 'My long text',
    action: 'publish',
  })
  t.is(response.status, 403)
  t.is(formFields(await response.text()).body, 'My long text')
  t.is((await node.ledgerIds()).length, 2)
})

test('two people who edit at once are both served, and a stale form merges', async (t) => {
  const node = await startNode(t)
  const article = await publish(node, {
    title: 'T',
    body: 'First paragraph.\n\nSecond paragraph.',
    tags: 'a',
  })
  const [one, two] = [await openEdit(node, article), await openEdit(node, article)]
  await saveEdit(node, article, one, { body: 'First paragraph, changed.\n\nSecond paragraph.' })
  await saveEdit(node, article, two, {
    body: 'First paragraph.\n\nSecond paragraph, changed too.',
    tags: 'a, b',
  })
  const html = await node.html(article.path)
  t.true(html.includes('First paragraph, changed.') && html.includes('Second paragraph, changed too.'))
  const history = await node.html(`${article.path}/history`)
  t.is(history.match(/<strong class="mark">current/g)?.length, 2)
  const changes = /href="([^"]+\/changes\/[^"]+)"/.exec(history)?.[1] ?? ''
  t.regex(await node.html(changes), /<ins>/)
  const unchanged = await openEdit(node, article)
  await saveEdit(node, article, unchanged, { body: `${unchanged.body}\n\nThird.` })
  await saveEdit(node, article, await openEdit(node, article), {})
  t.is((await node.ledgerIds()).length, 4, 'saving without a change makes no edit')
})

testOfOwnStore(
  'when the store is away pages say so, a form gives the text back, and afterwards all goes on',
  async (t) => {
    const node = await startNode(t)
    const article = await publish(node, { title: 'Before' })
    const { token = '' } = formFields(await node.html('/publish/article'))
    const { storeProcess } = await node.processes()
    process.kill(storeProcess, 'SIGKILL')
    const fields = {
      title: 'Meanwhile',
      author: '',
      summary: '',
      body: 'Not lost',
      tags: '',
      language: 'en',
      token,
      action: 'publish',
    }
    const response = await send(node, '/publish/article', fields)
    if (response.status !== 303) {
      t.is(response.status, 503)
      t.truthy(response.headers.get('retry-after'))
      t.is(formFields(await response.text()).body, 'Not lost')
    }
    await until('the store is back', async () => (await node.page('/readyz')).status === 200)
    t.true((await node.html(article.path)).includes('Before'))
    t.is((await send(node, '/publish/article', fields)).status, 303, 'the same form can be sent again')
  },
)

test('nothing that a reader or author sends in headers is in the data folder or the output', async (t) => {
  const node = await startNode(t, { HYPERACTIVE_LOG: 'debug' })
  const mark = `mark${randomBytes(8).toString('hex')}`
  const headers = {
    'user-agent': mark,
    'x-forwarded-for': mark,
    'x-real-ip': mark,
    forwarded: `for=${mark}`,
    referer: `https://${mark}.example/`,
    'accept-language': mark,
    cookie: `a=${mark}`,
  }
  const { token = '' } = formFields(await (await node.page('/publish/article', { headers })).text())
  const body = new URLSearchParams({
    title: 'T',
    author: '',
    summary: '',
    body: 'B',
    tags: '',
    language: 'en',
    token,
    action: 'publish',
  }).toString()
  const response = await node.page('/publish/article', {
    method: 'POST',
    body,
    headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
  })
  t.is(response.status, 303)
  await node.page(`/nothing-here-${mark}`, { headers })
  await node.stop()
  t.false(node.output.includes(mark))
  const found = await grep(mark, node.data)
  t.deepEqual(found, [])
})

async function grep(text: string, folder: string): Promise<string[]> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true })
  const hits: string[] = []
  for (const file of files) {
    if (!file.isFile()) continue
    const content = await readFile(join(file.parentPath, file.name))
    if (content.includes(text)) hits.push(file.name)
  }
  return hits
}
