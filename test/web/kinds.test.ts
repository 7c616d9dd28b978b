import test from 'ava'
import { formFields, publish, send } from '../helpers/forms.ts'
import { startNode } from '../helpers/node.ts'
import type { TestNode } from '../helpers/node.ts'
import { until } from '../helpers/wait.ts'

/** What is typed to publish one of each kind, and the listings in which it then stands. */
const ONE_OF_EACH: Record<string, { typed: Record<string, string>; stands: string[] }> = {
  article: { typed: { body: 'Text.' }, stands: ['/', '/newswire', '/articles', '/latest'] },
  link: { typed: { address: 'https://elsewhere.example/a' }, stands: ['/', '/links', '/latest'] },
  photo: { typed: { body: 'About.' }, stands: ['/', '/newswire', '/photos', '/media'] },
  audio: { typed: {}, stands: ['/', '/newswire', '/audio', '/media'] },
  video: { typed: {}, stands: ['/', '/newswire', '/videos', '/media'] },
  group: { typed: { summary: 'Who we are.' }, stands: ['/', '/groups', '/latest'] },
  event: {
    typed: { start: '2031-05-06', startTime: '19:00', zone: 'Europe/Madrid', repeat: 'none' },
    stands: ['/latest'],
  },
}

async function publishOne(node: TestNode, kind: string, typed: Record<string, string>) {
  const form = formFields(await node.html(`/publish/${kind}`))
  const title = `The ${kind} of today`
  const fields = { ...form, title, tags: 'river, Bread', places: 'Harbour', author: 'Ana', ...typed }
  return send(node, `/publish/${kind}`, { ...fields, action: 'publish' })
}

test('one of each kind is published by its form and stands in its listings', async (t) => {
  const node = await startNode(t)
  const offered = await node.html('/publish')
  for (const [kind, { typed, stands }] of Object.entries(ONE_OF_EACH)) {
    t.true(offered.includes(`href="/publish/${kind}"`), kind)
    const answer = await publishOne(node, kind, typed)
    t.is(answer.status, 303, `${kind}: ${answer.status === 303 ? '' : await answer.text()}`)
    const page = (answer.headers.get('location') ?? '').replace(/\/published\/.*/, '')
    for (const path of [page, ...stands]) {
      t.true((await node.html(path)).includes(`The ${kind} of today`), `${kind} in ${path}`)
    }
  }
  for (const path of ['/tags/river', '/places/harbour', '/languages/en']) {
    const html = await node.html(path)
    for (const kind of Object.keys(ONE_OF_EACH)) t.true(html.includes(`The ${kind} of today`), path)
  }
  t.true((await node.html('/authors/Ana')).includes('The article of today'))
  t.regex(await node.html('/tags'), /href="\/tags\/river"[^>]*>river<\/a> <span class="facts">7</)
  const year = new Date().getUTCFullYear()
  t.true((await node.html('/archive')).includes(`href="/archive/${year}"`))
  t.true((await node.html(`/archive/${year}`)).includes('The article of today'))
  t.is((await node.page('/archive/2026/13')).status, 404)
  t.false((await node.html('/archive/1999/01')).includes('of today'))
})

test('a form says beside the field what is wrong, for every kind', async (t) => {
  const node = await startNode(t)
  const cases: [string, Record<string, string>, RegExp][] = [
    ['link', { address: 'javascript:alert(1)' }, /“Web address” is not an http or https address/],
    ['link', { address: '' }, /“Web address” is missing/],
    ['group', { summary: '', feeds: 'file:///etc/passwd' }, /“Feeds to show”: an entry is not an http/],
    ['group', { playlist: 'nothing' }, /“Playlist”/],
    ['event', { start: '2026-02-30', startTime: '10:00' }, /“Begins”/],
    ['article', { body: ' ' }, /“Text” is missing/],
  ]
  for (const [kind, typed, problem] of cases) {
    const answer = await publishOne(node, kind, { title: 'Kept', ...typed })
    const html = await answer.text()
    t.is(answer.status, 422, kind)
    t.regex(html, problem)
    t.is(formFields(html).title, 'Kept', 'what was typed is there again')
    t.regex(html, /aria-invalid="true"/)
  }
  for (const kind of ['page', 'snippet', 'alert', 'term', 'nonsense', 'constructor']) {
    t.is((await node.page(`/publish/${kind}`)).status, 404, kind)
  }
  t.deepEqual(await node.ledgerIds(), [])
})

test('a comment is written, answered, linked to and counted, and closed where the author says so', async (t) => {
  const node = await startNode(t)
  const article = await publish(node, { title: 'Talked about' })
  const item = article.path.split('/')[2] ?? ''
  const write = async (path: string, fields: Record<string, string>) => {
    const form = formFields(await node.html(path))
    return send(node, path, { ...form, action: 'publish', ...fields })
  }
  const first = await write(`/comments/${item}`, {
    author: 'Eva',
    body: 'I was **there** <script>x</script>',
  })
  t.is(first.status, 303)
  const [, hash = ''] = /#c-([0-9a-f]{40})$/.exec(first.headers.get('location') ?? '') ?? []
  await write(`/comments/${item}/${hash}/answer`, { body: 'So was I' })
  const html = await node.html(article.path)
  t.regex(html, /<h2 id="comments-title">2 comments/)
  t.regex(html, /I was <strong>there<\/strong> &lt;script&gt;/)
  const [thread = ''] = /<article class="comment" id="c-[^]*<\/article>/.exec(html) ?? []
  t.true(thread.indexOf('So was I') > thread.indexOf('I was <strong>'), 'the answer stands in the thread')
  t.regex(await node.html('/newswire'), /href="[^"]*#comments">2 comments/)
  t.true((await node.html('/latest')).includes(`/comments/${item}/${hash}`))
  const linked = await node.page(`/comments/${item}/${hash}`)
  t.is(linked.headers.get('location'), `${article.path}#c-${hash}`)

  const empty = await write(`/comments/${item}`, { author: 'Eva', body: ' ' })
  t.is(empty.status, 422)
  t.regex(await empty.text(), /“Comment” is missing/)
  t.is((await write(`/comments/${item}`, { body: 'x'.repeat(20_001) })).status, 422)
  t.is((await send(node, `/comments/${item}`, { body: 'No token' })).status, 403)
  t.is((await node.page(`/comments/${item}/${'a'.repeat(40)}`)).status, 404)
  t.is((await node.page(`/comments/${'a'.repeat(26)}`)).status, 404)

  const open = formFields(await node.html(`/comments/${item}`))
  const editPath = `${article.path}/edit/${article.secret}`
  const opened = formFields(await node.html(editPath))
  await send(node, editPath, { ...opened, commentsClosed: 'yes', action: 'publish' })
  t.regex(await node.html(article.path), /No more comments are taken/)
  const late = await send(node, `/comments/${item}`, { ...open, body: 'Too late', action: 'publish' })
  t.is(late.status, 403)
  t.true((await late.text()).includes('Too late'), 'the text comes back')
  t.is((await node.ledgerIds()).filter((id) => id.includes(':comment:')).length, 2)
})

test('a translation is submitted by anyone, and each leads to the others', async (t) => {
  const node = await startNode(t)
  const original = await publish(node, { title: 'The river', language: 'en', tags: 'river' })
  const [, submit = ''] =
    /href="(\/publish\/article\?translation=[^"]+)"/.exec(await node.html(original.path)) ?? []
  const form = formFields(await node.html(submit))
  t.like(form, { tags: 'river', title: '', body: '', language: '' })
  const fields = { ...form, title: 'El río', body: 'Texto.', language: 'es', action: 'publish' }
  const answer = await send(node, '/publish/article', fields)
  t.is(answer.status, 303)
  const spanish = (answer.headers.get('location') ?? '').replace(/\/published\/.*/, '')
  t.regex(await node.html(original.path), new RegExp(`href="${spanish}" hreflang="es"`))
  t.regex(await node.html(spanish), new RegExp(`href="${original.path}" hreflang="en"`))
  // A translation of a translation leads to the original as well.
  const [, again = ''] = /href="(\/publish\/article\?translation=[^"]+)"/.exec(await node.html(spanish)) ?? []
  t.is(again, submit)
})

test('a group publishes by its link, and lists what was signed with it unless it is open to all', async (t) => {
  const node = await startNode(t)
  const made = await publishOne(node, 'group', { title: 'Printers', summary: 'We print.' })
  const [, path = '', item = '', secret = ''] =
    /^(\/groups\/([^/]+))\/published\/(.+)$/.exec(made.headers.get('location') ?? '') ?? []
  const post = async (address: string, fields: Record<string, string>) => {
    const form = formFields(await node.html(address))
    return send(node, address, { ...form, title: 'T', body: 'B', action: 'publish', ...fields })
  }
  const own = await post(`${path}/publish/${secret}/article`, { title: 'By the printers' })
  t.is(own.status, 303)
  await post('/publish/article', { title: 'By somebody else', group: item })
  const newswire = await node.html(`${path}/newswire`)
  t.true(newswire.includes('By the printers'))
  t.false(newswire.includes('By somebody else'))
  const page = (own.headers.get('location') ?? '').replace(/\/published\/.*/, '')
  t.regex(await node.html(page), /Published by <a href="\/groups\//)
  t.is((await node.page(`${path}/publish/wrong/article`)).status, 403)

  const editPath = `${path}/edit/${secret}`
  await send(node, editPath, { ...formFields(await node.html(editPath)), open: 'yes', action: 'publish' })
  t.true((await node.html(`${path}/newswire`)).includes('By somebody else'))
})

test('moderators feature, stick and hide from the command line, and rename tags', async (t) => {
  const node = await startNode(t)
  const [first, second] = [
    await publish(node, { title: 'First', tags: 'colour' }),
    await publish(node, { title: 'Second' }),
  ]
  const run = async (...words: string[]) => {
    const { code, err } = await node.run(...words)
    t.is(code, 0, err)
  }
  await run('decide', node.address + first.path, 'feature')
  await until('it leads', async () => /class="teaser lead"[^]*?First/.test(await node.html('/')))
  t.true((await node.html('/features')).includes('First'))
  await run('decide', second.item, 'hide', '--reason', 'spam')
  await until('it is hidden', async () => !(await node.html('/newswire')).includes('Second'))
  const hidden = await node.html(second.path)
  t.regex(hidden, /noindex/)
  t.regex(hidden, /have hidden this/)
  await run('tag', 'rename', 'colour', 'Color')
  await until('it is renamed', async () => (await node.page('/tags/colour')).status === 301)
  await until('its items stand under the new name', async () =>
    (await node.html('/tags/color')).includes('First'),
  )
  t.true((await node.html(first.path)).includes('href="/tags/color"'))
  t.is((await node.run('decide', 'nonsense', 'hide')).code, 1)
  t.is((await node.run('decide', first.item, 'levitate')).code, 1)
})
