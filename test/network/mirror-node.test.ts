import { readFile } from 'node:fs/promises'
import test from 'ava'
import type { ExecutionContext } from 'ava'
import { parse } from 'yaml'
import { createPages } from '../../src/web/app.ts'
import type { WebContext } from '../../src/web/context.ts'
import { startNodeWith } from '../helpers/config.ts'
import { formFields, publish, send } from '../helpers/forms.ts'
import type { Published } from '../helpers/forms.ts'
import { newKey } from '../helpers/keys.ts'
import { join2, startNode } from '../helpers/node.ts'
import type { TestNode } from '../helpers/node.ts'
import { setUp } from '../helpers/people.ts'
import { watched } from '../helpers/watched.ts'
import { until } from '../helpers/wait.ts'

/** An ordinary node, and a mirror that pulls from it through somebody who writes down what it asks. */
async function startPair(t: ExecutionContext) {
  const origin = await startNode(t)
  const mirror = await startNodeWith(
    t,
    `mirror: { publishAt: ['${origin.address}', 'https://second.example.org/'] }\n`,
  )
  const between = await watched(t, () => origin.address)
  await mirror.stop()
  await join2(origin, mirror)
  const peers = await readFile(mirror.peers, 'utf8')
  // Told to do both, it does one.
  const both = peers.replace(/direction: \w+/, 'direction: both')
  await mirror.writePeers(both.replaceAll(origin.address, between.address))
  await mirror.start()
  return { origin, mirror, passed: between.passed }
}

async function shows(node: TestNode, path: string, text: string): Promise<void> {
  await until(`${path} shows ${text}`, async () => (await node.html(path)).includes(text))
}

async function comment(node: TestNode, { item }: Published, body: string): Promise<void> {
  const form = formFields(await node.html(`/comments/${item}`))
  const answer = await send(node, `/comments/${item}`, { ...form, body, action: 'publish' })
  if (answer.status !== 303) throw new Error(`commenting answered ${answer.status}`)
}

test('what is published, hidden and erased elsewhere is so on a mirror, and nothing comes back from it', async (t) => {
  const { origin, mirror, passed } = await startPair(t)
  const root = await setUp(origin)
  const story = await publish(origin, { title: 'A story from afar' })
  await comment(origin, story, 'A remark from afar.')
  await shows(mirror, '/newswire', 'A story from afar')
  await shows(mirror, story.path, 'A remark from afar.')
  await root.send(`/moderate/${story.item}`, { action: 'hide', category: 'spam' })
  await shows(mirror, '/hidden', 'A story from afar')
  t.false((await mirror.html('/newswire')).includes('A story from afar'))

  const bad = await publish(origin, { title: 'It endangers somebody' })
  await shows(mirror, '/newswire', 'It endangers somebody')
  const ordered = await origin.run('erase', bad.item, '--category', 'personal-data')
  t.is(ordered.code, 0, ordered.err)
  await until('it is gone from the mirror', async () => {
    const ids = (await mirror.ledgerIds()).filter((id) => id.startsWith(bad.item))
    return ids.every((id) => id.includes(':erasure:')) && ids.length > 0
  })
  t.is((await mirror.page(bad.path)).status, 410)
  const key = (await mirror.key()).publicKey
  const signed = await until('it says that it has erased it', async () => {
    const found: string[] = []
    for (const id of await mirror.ledgerIds())
      if ((await mirror.ledgerDocument(id))?.node === key) found.push(id)
    return found.length > 0 && found
  })
  t.true(
    signed.every((id) => id.startsWith(`${bad.item}:erasure:`)),
    'it signs nothing else',
  )

  await origin.stop()
  await mirror.stop()
  await mirror.start()
  t.true((await mirror.html('/hidden')).includes('A story from afar'), 'it shows what it has')
  t.is((await mirror.page('/newswire')).status, 200)
  await origin.start()
  await publish(origin, { title: 'News after the night' })
  await until(
    'it goes on',
    async () => (await mirror.html('/newswire')).includes('News after the night'),
    60_000,
  )
  t.true(passed.some(({ path }) => path.includes('/_changes')))
  t.deepEqual(
    passed.filter(({ path }) => /_bulk_docs|_revs_diff.*target/.test(path)),
    [],
  )
})

test('what somebody writes on a mirror is refused, given back, and sent to the nodes that take it', async (t) => {
  const { origin, mirror } = await startPair(t)
  const story = await publish(origin, { title: 'A story from afar' })
  await shows(mirror, '/newswire', 'A story from afar')
  const before = await mirror.ledgerIds()
  const text = 'Everything that <b>somebody</b> wrote.'
  const sent: Record<string, Record<string, string>> = {
    '/publish/article': { title: 'Mine', body: text, action: 'publish' },
    [`/comments/${story.item}`]: { body: text },
    [`/report/${story.item}`]: { reason: text },
    [`${story.path}/edit/${story.secret}`]: { title: 'Changed', body: text },
    [`${story.path}/withdraw/${story.secret}`]: { reason: text },
    '/sign-in': { handle: text, password: 'not to be shown' },
  }
  for (const [path, fields] of Object.entries(sent)) {
    const answer = await send(mirror, path, fields)
    const html = await answer.text()
    t.is(answer.status, 403, path)
    t.is(answer.headers.get('cache-control'), 'no-store')
    t.true(html.includes('Everything that &lt;b&gt;somebody&lt;/b&gt; wrote.'), path)
    t.false(html.includes('not to be shown'))
    for (const node of [origin.address, 'https://second.example.org'])
      t.true(html.includes(`href="${node}${path}"`), `${path} leads to ${node}`)
  }
  const asked = await mirror.page('/es/publish/article?group=x&amp=1')
  t.is(asked.status, 403)
  const spanish = await asked.text()
  t.true(spanish.includes('Esto es un espejo'))
  t.true(spanish.includes(`href="${origin.address}/es/publish/article?group=x&amp;amp=1"`))
  for (const [path, body] of [
    ['/api/v1/items', { kind: 'article', fields: { title: 'Mine', body: text, language: 'en' } }],
    [`/api/v1/items/${story.item}/comments`, { fields: { body: text } }],
  ] as const) {
    const api = await mirror.page(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    t.is(api.status, 403)
    const { error, reason } = (await api.json()) as { error: string; reason: string }
    t.is(error, 'is_mirror')
    t.true(reason.includes(origin.address))
  }

  // A peer that has a password may read, and not write.
  const { peers } = parse(await readFile(origin.peers, 'utf8')) as {
    peers: { credentials?: { username: string; password: string } }[]
  }
  const { username, password } = peers[0]?.credentials ?? { username: '', password: '' }
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
  const pushed = await mirror.page('/gateway/ledger/_bulk_docs', {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json' },
    body: JSON.stringify({ new_edits: false, docs: [] }),
  })
  t.is(pushed.status, 403)
  t.is((await mirror.page('/gateway/ledger/_changes', { headers: { authorization } })).status, 200)
  t.is((await mirror.page('/peering/join', { method: 'POST' })).status, 405)
  for (const args of [
    ['peer', 'invite'],
    ['account', 'set-up'],
    ['seed'],
    ['erase', story.item, '--category', 'spam'],
  ]) {
    const ran = await mirror.run(...args)
    t.not(ran.code, 0, args.join(' '))
    t.true(ran.err.includes('is a mirror'), ran.err)
  }
  t.deepEqual(await mirror.ledgerIds(), before)
})

test('a mirror says what it is, and no page of it has a form to send or a link to one here', async (t) => {
  const { origin, mirror } = await startPair(t)
  t.regex(mirror.output, /is ready as a mirror/)
  t.regex(mirror.output, /publish {2}http:\/\/127\.0\.0\.1:\d+, https:\/\/second\.example\.org\n/)
  t.false(mirror.output.includes('set up'))
  for (const path of ['/livez', '/readyz']) t.is(await mirror.html(path), 'ok, a mirror\n')
  t.is(await origin.html('/livez'), 'ok\n')
  t.true((await mirror.run('status')).out.includes('a mirror'))
  const { mirror: told } = JSON.parse((await mirror.run('status', '--json')).out) as { mirror: unknown }
  t.deepEqual(told, { publishAt: [origin.address, 'https://second.example.org'] })

  const group = await publish(origin, { title: 'A group', summary: 'We.' }, 'group')
  const story = await publish(origin, { title: 'A story', tags: 'river' })
  await comment(origin, story, 'A remark.')
  await shows(mirror, story.path, 'A remark.')
  await shows(mirror, '/groups', group.path)
  const hash = /c-([0-9a-f]{40})/.exec(await mirror.html(story.path))?.[1] ?? ''
  const version = /versions\/([0-9a-f]{40})/.exec(await mirror.html(`${story.path}/history`))?.[1] ?? ''
  const router = createPages({ nodeKey: newKey(), config: {}, media: {} } as unknown as WebContext)
  const reading = router.stack.filter(
    ({ methods, path }) => methods.includes('GET') && !String(path).startsWith('/live/'),
  )
  const paths = reading.map(({ path }) =>
    String(path)
      .replaceAll(/\{[^}]*\}/g, '')
      .replace(':kind', 'articles')
      .replace(':item', story.item)
      .replace(':hash', String(path).startsWith('/comments') ? hash : version)
      .replace(':from', version)
      .replace(':to', version)
      .replaceAll(/:(\w+)/g, 'river'),
  )
  const walked = new Set([
    ...paths,
    group.path,
    `${group.path}/newswire`,
    '/de/',
    '/ar/publish',
    '/calendar/2031/05',
  ])
  t.true(walked.size > 80)
  const statuses = new Set<number>()
  for (const path of walked) {
    const answer = await mirror.page(path)
    statuses.add(answer.status)
    t.true(answer.status < 500, path)
    // The same page in other languages, which says the same.
    const html = (await answer.text()).replace(/<nav class="languages"[^]*?<\/nav>/, '')
    t.notRegex(html, /method="?post/i, path)
    t.notRegex(
      html,
      /href="(?:\/[a-z]{2})?\/(?:publish|report|sign-in|account|office|moderate|erase|slow|comments\/[^/"]+"|comments\/[^/"]+\/[^/"]+\/answer|[^"]*\/(?:edit|withdraw|resolve)[/"])/,
      path,
    )
  }
  t.deepEqual(
    [...statuses].filter((status) => ![200, 301, 302, 400, 403, 404].includes(status)),
    [],
  )
  const page = await mirror.html(story.path)
  for (const path of [
    '/publish',
    `/comments/${story.item}`,
    `/report/${story.item}`,
    `/comments/${story.item}/${hash}/answer`,
  ])
    t.true(page.includes(`href="${origin.address}${path}"`), path)
})
