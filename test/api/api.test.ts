import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import test from 'ava'
import type { ExecutionContext } from 'ava'
import { sendLarge } from '../helpers/forms.ts'
import { startNode } from '../helpers/node.ts'
import type { TestNode } from '../helpers/node.ts'

interface Described {
  paths: Record<
    string,
    Record<string, { responses: Record<string, { content: Record<string, { schema: object }> }> }>
  >
}

const ARTICLE = {
  title: 'From a program',
  body: 'Text **here**.',
  tags: ['Bread ', 'bread', 'Rent'],
  language: 'en',
}

/** Asks as a program does. Every answer is held against the description that the node itself gives. */
async function client(t: ExecutionContext, node: TestNode) {
  const { paths } = (await (await node.page('/api/v1/openapi.json')).json()) as Described
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  addFormats.default(ajv)
  const asked = new Set<string>()
  const call = async (method: 'get' | 'post', path: string, address: string, init: object = {}) => {
    const answer = await node.page(
      address.startsWith('http') ? address.replace(node.address, '') : `/api/v1${address}`,
      {
        method: method.toUpperCase(),
        ...init,
      },
    )
    const body = (await answer.json()) as Record<string, unknown>
    const responses = paths[path]?.[method]?.responses ?? {}
    const described = responses[answer.status] ?? responses.default
    const schema = described?.content['application/json']?.schema
    if (!schema) throw new Error(`${method} ${path} is not described`)
    const fits = ajv.validate(schema, body)
    t.true(fits, `${method} ${address}: ${ajv.errorsText()} ${JSON.stringify(body)}`)
    if (answer.ok) asked.add(`${method} ${path}`)
    return { status: answer.status, body }
  }
  return {
    paths,
    asked,
    get: (path: string, address = path) => call('get', path, address),
    post: (path: string, address: string, value: unknown, headers: Record<string, string> = {}) =>
      call('post', path, address, {
        headers: { 'content-type': 'application/json', ...headers },
        body: typeof value === 'string' ? value : JSON.stringify(value),
      }),
    file: (name: string, body: string) => {
      const headers = { 'content-type': 'application/octet-stream' }
      return call('post', '/files', `/files?name=${name}`, { headers, body })
    },
  }
}

test('a program publishes, edits, comments and reads, and every answer is as the description says', async (t) => {
  const node = await startNode(t)
  const api = await client(t, node)
  const made = await api.post('/items', '/items', { kind: 'article', fields: ARTICLE })
  t.is(made.status, 201)
  const { item, secret, editUrl } = made.body as unknown as {
    item: { id: string; url: string; heads: string[]; fields: { tags: string[] } }
    secret: string
    editUrl: string
  }
  t.deepEqual(item.fields.tags, ['bread', 'rent'])
  t.true((await node.html(new URL(item.url).pathname)).includes('<strong>here</strong>'))
  t.is((await node.page(new URL(editUrl).pathname)).status, 200)

  const edit = {
    parents: item.heads,
    fields: { ...ARTICLE, title: 'Edited', author: 'Ana', places: ['Quay'] },
    note: 'Name',
  }
  const saved = await api.post('/items/{item}/edits', `/items/${item.id}/edits`, edit, {
    authorization: `Bearer ${secret}`,
  })
  t.like(saved.body.item, { versions: 2 })
  const comment = { fields: { body: 'Well said.', author: 'Bo' } }
  const said = await api.post('/items/{item}/comments', `/items/${item.id}/comments`, comment)
  t.is(said.status, 201)
  const answer = { fields: { body: 'Thank you.' }, inReplyTo: said.body.id }
  t.is((await api.post('/items/{item}/comments', `/items/${item.id}/comments`, answer)).status, 201)
  const { comments } = (await api.get('/items/{item}/comments', `/items/${item.id}/comments`)).body as {
    comments: { inReplyTo?: string }[]
  }
  t.deepEqual(
    comments.map(({ inReplyTo }) => inReplyTo),
    [undefined, said.body.id],
  )
  t.like((await api.get('/items/{item}', `/items/${item.id}`)).body, {
    comments: 2,
    fields: { title: 'Edited' },
  })

  const group = await api.post('/items', '/items', {
    kind: 'group',
    fields: { title: 'Bakers', summary: 'We bake.', language: 'en', open: true },
  })
  const groupId = (group.body.item as { id: string }).id
  const event = {
    title: 'Assembly',
    start: '2031-05-06T19:00',
    zone: 'Europe/Madrid',
    language: 'en',
    tags: ['rent'],
    places: ['quay'],
    group: groupId,
  }
  t.is((await api.post('/items', '/items', { kind: 'event', fields: event })).status, 201)
  await api.post('/items', '/items', {
    kind: 'article',
    fields: { ...ARTICLE, title: 'In the group', group: groupId },
  })
  for (const query of ['', '?tag=Rent', '?place=quay', `?group=${groupId}`]) {
    const { body } = await api.get('/calendar', `/calendar${query}`)
    t.is((body as { occurrences: unknown[] }).occurrences.length, 1, query)
  }
  t.deepEqual((await api.get('/calendar', '/calendar?from=2031-05-07')).body, { occurrences: [] })
  t.deepEqual((await api.get('/names/{vocabulary}', '/names/place')).body, {
    names: [{ name: 'quay', count: 2 }],
  })

  const { results } = (await api.get('/search', '/search?q=edited+-nothing&author=Ana')).body as {
    results: { id: string }[]
  }
  t.deepEqual(
    results.map(({ id }) => id),
    [item.id],
  )

  t.like((await api.get('/challenge')).body, { needed: { publish: false, edit: false, comment: false } })

  t.is((await api.file('minutes.txt', 'What was said.\n')).status, 201)

  const year = String(new Date().getUTCFullYear())
  const month = String(new Date().getUTCMonth() + 1).padStart(2, '0')
  const listings: Record<string, string> = {
    '/newswire': '/newswire',
    '/features': '/features',
    '/promoted': '/promoted',
    '/hidden': '/hidden',
    '/media': '/media',
    '/latest': '/latest',
    '/tags/{name}': '/tags/rent',
    '/places/{name}': '/places/quay',
    '/authors/{name}': '/authors/Ana',
    '/languages/{language}': '/languages/en',
    '/groups/{group}/newswire': `/groups/${groupId}/newswire`,
    '/archive/{year}': `/archive/${year}`,
    '/archive/{year}/{month}': `/archive/${year}/${month}`,
    '/{kind}': '/events',
  }
  for (const [path, address] of Object.entries(listings))
    t.is((await api.get(path, address)).status, 200, address)
  const { entries } = (await api.get('/latest')).body as { entries: { kind: string; title: string }[] }
  t.deepEqual(entries.map(({ kind }) => kind).sort(), [
    'article',
    'article',
    'comment',
    'comment',
    'event',
    'group',
  ])

  const all = Object.entries(api.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method} ${path}`),
  )
  const unasked = all.filter((operation) => !api.asked.has(operation))
  t.deepEqual(unasked, [], 'every operation that is described has been asked')
})

test('a program sends files, and names them in an item and in its next version', async (t) => {
  const node = await startNode(t)
  const api = await client(t, node)
  const sent = await api.file('../minutes.txt', 'What was said.\n')
  t.like(sent.body, { type: 'text/plain', bytes: 15 })
  const files = [{ upload: sent.body.upload, alt: 'The minutes', caption: 'As read', name: 'minutes.txt' }]
  const made = await api.post('/items', '/items', { kind: 'article', fields: ARTICLE, files })
  t.is(made.status, 201)
  const { item, secret } = made.body as unknown as {
    item: {
      id: string
      heads: string[]
      fields: { files: { file: string; media: string; caption: string }[] }
    }
    secret: string
  }
  t.like(item.fields.files, [{ file: sent.body.sha256, caption: 'As read' }])
  const file = await node.page(`/files/${item.fields.files[0]?.file ?? ''}.txt`)
  t.is(file.headers.get('content-disposition'), 'attachment; filename="minutes.txt"')
  const more = await api.file('b.txt', 'More of it.\n')
  const edit = { parents: item.heads, fields: item.fields, files: [{ upload: more.body.upload }] }
  const authorization = `Bearer ${secret}`
  const saved = await api.post('/items/{item}/edits', `/items/${item.id}/edits`, edit, { authorization })
  t.like(saved.body, { item: { fields: { files: [item.fields.files[0], { file: more.body.sha256 }] } } })
  t.like(
    await api.post('/items', '/items', {
      kind: 'article',
      fields: ARTICLE,
      files: [{ upload: 'f'.repeat(32) }],
    }),
    {
      status: 422,
      body: { problems: { 'files.0.upload': 'is not here, or has waited for too long' } },
    },
  )
  t.like(
    await api.post('/items', '/items', { kind: 'article', fields: ARTICLE, files: [files[0], files[0]] }),
    {
      status: 422,
      body: { problems: { files: 'has an entry twice' } },
    },
  )
  t.like(await api.file('page.html', '<!doctype html><p>x'), {
    status: 415,
    body: { error: 'media_type_refused' },
  })
  t.like(await api.file('empty', ''), { status: 422, body: { error: 'upload_empty' } })
})

test('listings are paged by the addresses that they give', async (t) => {
  const node = await startNode(t, { HYPERACTIVE_ABUSE_LIMITS: 'off' })
  const api = await client(t, node)
  for (let number = 0; number < 52; number++)
    await api.post('/items', '/items', { kind: 'article', fields: { ...ARTICLE, title: `Story ${number}` } })
  type Page = { entries: { title: string }[]; older: string; newer: string }
  const first = (await api.get('/newswire')).body as unknown as Page
  t.is(first.entries.length, 50)
  const second = (await api.get('/newswire', first.older)).body as unknown as Page
  t.deepEqual(
    second.entries.map(({ title }) => title),
    ['Story 1', 'Story 0'],
  )
  t.is(second.older, undefined as unknown as string)
  const back = (await api.get('/newswire', second.newer)).body as unknown as Page
  t.deepEqual(back.entries, first.entries)
})

test('what does not fit is said by field, and nothing is saved', async (t) => {
  const node = await startNode(t)
  const api = await client(t, node)
  const publish = (value: unknown, headers = {}) => api.post('/items', '/items', value, headers)
  const problems = async (kind: string, fields: object) => {
    const { status, body } = await publish({ kind, fields })
    t.is(status, 422)
    return Object.keys(body.problems as object).sort()
  }
  t.deepEqual(await problems('article', { ...ARTICLE, title: '' }), ['fields.title'])
  t.deepEqual(await problems('article', { ...ARTICLE, tags: 'a' }), ['fields.tags'])
  t.deepEqual(await problems('article', { ...ARTICLE, extra: 1.5 }), ['fields'])
  t.deepEqual(
    await problems('event', { title: 'T', language: 'en', start: '2026-02-30T10:00', zone: 'UTC' }),
    ['fields.start'],
  )
  t.deepEqual(
    await problems('event', {
      title: 'T',
      language: 'en',
      start: '2026-02-03T10:00',
      zone: 'UTC',
      rrule: 'FREQ=DAILY',
    }),
    ['fields.rrule'],
  )
  t.deepEqual(await problems('page', ARTICLE), ['kind'])
  t.is((await publish('{"kind":')).body.error, 'body_not_json')
  t.is((await publish('{}', { 'content-type': 'text/plain' })).status, 415)
  t.is(await sendLarge(node, '/api/v1/items', 'application/json', 4_000_000), 413)
  t.is((await publish({ kind: 'article', fields: ARTICLE }, { 'sec-fetch-site': 'cross-site' })).status, 403)
  t.is((await publish({ kind: 'article', fields: ARTICLE }, { 'idempotency-key': 'guess' })).status, 400)
  t.deepEqual((await api.get('/newswire')).body.entries, [])

  const { body } = await publish({ kind: 'article', fields: { ...ARTICLE, commentsClosed: true } })
  const { id, heads } = body.item as { id: string; heads: string[] }
  const edit = (value: unknown, secret = String(body.secret)) =>
    api.post('/items/{item}/edits', `/items/${id}/edits`, value, { authorization: `Bearer ${secret}` })
  t.is((await edit({ parents: heads, fields: ARTICLE }, 'wrong')).status, 403)
  t.is((await edit({ parents: ['0'.repeat(40)], fields: ARTICLE })).status, 422)
  t.is((await edit({ parents: [], fields: ARTICLE })).status, 422)
  t.is(
    (await api.post('/items/{item}/comments', `/items/${id}/comments`, { fields: { body: 'B' } })).status,
    403,
  )
  t.is((await api.get('/items/{item}', '/items/none')).status, 404)
  t.is((await api.get('/calendar', '/calendar?from=yesterday')).status, 400)
  t.is((await api.get('/calendar', '/calendar?after=x')).status, 400)
  t.is((await api.get('/search')).status, 400)
  t.is((await api.get('/search', '/search?q=x&from=soon')).status, 400)
  t.is((await node.page('/api/v1/nothing/here')).status, 404)
})

test('a repeated request publishes once', async (t) => {
  const node = await startNode(t)
  const api = await client(t, node)
  const key = { 'idempotency-key': 'Zm9vYmFyYmF6cXV4cXV1eHh5enp5' }
  const bodies = await Promise.all(
    [1, 2, 3].map(() => api.post('/items', '/items', { kind: 'article', fields: ARTICLE }, key)),
  )
  t.is(new Set(bodies.map(({ body }) => String(body.secret))).size, 1)
  t.is(((await api.get('/newswire')).body.entries as object[]).length, 1)
})
