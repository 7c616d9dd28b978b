import test from 'ava'
import { chosenIn, makeClash } from '../helpers/clash.ts'
import { openEdit, publish, saveEdit, send } from '../helpers/forms.ts'
import { startNode } from '../helpers/node.ts'
import { invite, setUp } from '../helpers/people.ts'

test('the author settles a clash by paragraphs with their link: it is one edit that follows both heads', async (t) => {
  const node = await startNode(t)
  const { path, item, secret } = await makeClash(node)
  const link = `${path}/resolve/${secret}`
  t.true((await node.html(`${path}/edit/${secret}`)).includes(`href="${link}"`))
  const page = await node.html(link)
  t.is((await node.page(link)).headers.get('cache-control'), 'no-store')
  t.is(page.match(/<fieldset class="passage">/g)?.length, 2)
  t.is(page.match(/Nobody knew\./g)?.length, 1, 'what is the same stands once')
  for (const marked of [/<mark>[^<]*five/, /<mark>[^<]*Wednesday/]) t.regex(page, marked)
  const form = chosenIn(page)
  t.like(form, { 'choose-0-0': '0', 'choose-0-2': '0' }, 'the merged text is the default')
  t.is(form.parents?.split(' ').length, 2)

  const typed = { ...form, 'choose-0-0': '1', 'choose-0-2': 'all' }
  const preview = await send(node, link, { ...typed, action: 'preview' })
  const previewed = await preview.text()
  t.regex(previewed, /class="preview"[^]*closed at five\.<\/p>/)
  t.like(chosenIn(previewed), { 'choose-0-0': '1', 'choose-0-2': 'all' })
  t.is((await node.html('/clashes')).match(/class="clash"/g)?.length, 1)

  const sent = { ...chosenIn(previewed), action: 'publish' }
  for (const _ of ['once', 'and a second press of the button'])
    t.is((await send(node, link, sent)).headers.get('location'), path)
  const document = (await node.siteDocuments())[item]
  t.like(document, {
    clashes: [],
    fields: {
      body: 'The bridge was closed at five.\n\nNobody knew.\n\nThe council meets on Wednesday.\n\nThe council meets on Friday, in the school.',
    },
  })
  t.is(document?.heads.length, 1)
  t.is(document?.graph[document.heads[0] ?? '']?.parents.length, 2)
  t.regex(await node.html(`${path}/history`), /Conflict resolved/)
  t.false((await node.html('/clashes')).includes('class="clash"'))

  const settled = await node.page(link)
  t.is(settled.status, 200)
  t.true((await settled.text()).includes('nothing to settle'))
  t.is((await node.page(`${path}/resolve/${'A'.repeat(43)}`)).status, 403)
  t.is((await send(node, `${path}/resolve/${'A'.repeat(43)}`, typed)).status, 403)
})

test('an editor finds clashes in the office and settles them; a moderator and a reader may not', async (t) => {
  const node = await startNode(t)
  const root = await setUp(node)
  const editor = await invite(node, root, 'edith', { roles: ['editor'] })
  const moderator = await invite(node, root, 'mod', { roles: ['moderator'] })
  const { path } = await makeClash(node)
  const link = `${path}/resolve`
  t.regex(await editor.html('/office'), /1 clash of edits/)
  for (const from of ['/clashes', path]) {
    t.true((await editor.html(from)).includes(`href="${link}"`), from)
    t.false((await moderator.html(from)).includes(`href="${link}"`), from)
    t.false((await node.html(from)).includes(`href="${link}"`), from)
  }
  t.is((await moderator.get(link)).status, 403)
  t.is((await node.page(link)).status, 303)

  const form = chosenIn(await editor.html(link))
  // Whoever writes something anew has chosen it.
  const anew = { ...form, 'text-0-0': 'It was closed at night <b>, they say.', 'choose-0-2': '1' }
  const stale = await editor.post(link, { ...anew, token: '', action: 'publish' })
  t.is(stale.status, 403)
  const again = chosenIn(await stale.text())
  t.like(again, { 'choose-0-0': 'anew', 'text-0-0': anew['text-0-0'], 'choose-0-2': '1' })
  t.is((await editor.post(link, { ...again, action: 'publish' })).status, 303)
  const article = await node.html(path)
  t.true(
    article.includes('closed at night &lt;b&gt;, they say.') && article.includes('Friday, in the school'),
  )
  t.regex(await node.html(`${path}/history`), /Conflict resolved by an editor/)
  t.regex(await editor.html('/office'), /0 clashes of edits/)
})

test('what cannot be saved comes back with all choices, and what came meanwhile is merged', async (t) => {
  const node = await startNode(t)
  const article = await makeClash(node)
  const link = `${article.path}/resolve/${article.secret}`
  const form = chosenIn(await node.html(link))
  const long = 'x'.repeat(1_000_001)
  const wrong = await send(node, link, {
    ...form,
    'choose-0-0': 'anew',
    'text-0-0': long,
    'choose-0-2': '1',
    action: 'publish',
  })
  t.is(wrong.status, 422)
  const page = await wrong.text()
  t.regex(page, /id="body-problem">“Text” is longer than/)
  t.like(chosenIn(page), { 'choose-0-0': 'anew', 'text-0-0': long, 'choose-0-2': '1' })
  const without = await send(node, link, { ...form, parents: '', 'choose-0-2': '1', action: 'publish' })
  t.is(without.status, 422)
  t.is(chosenIn(await without.text())['choose-0-2'], '1')
  const elsewhere = await send(node, link, { ...form, parents: 'f'.repeat(40), action: 'publish' })
  t.is(elsewhere.status, 422)

  // Somebody edits another paragraph before it is sent.
  const other = await openEdit(node, article)
  await saveEdit(node, article, other, {
    body: other.body?.replace('Nobody', 'Hardly anybody') ?? '',
    tags: 'transport, bus',
  })
  t.is(
    (await send(node, link, { ...form, 'choose-0-0': '1', 'choose-0-2': '1', action: 'publish' })).status,
    303,
  )
  const { fields, heads, graph } = (await node.siteDocuments())[article.item] ?? {}
  t.is(heads?.length, 2)
  t.is(Object.keys(graph ?? {}).length, 5)
  t.deepEqual(fields?.tags, ['bus', 'transport'])
  const body = String(fields?.body)
  t.true(body.includes('Hardly anybody knew.') && body.includes('at five'), body)
})

test('clashes of single values are settled by choosing one, or by the control of the form', async (t) => {
  const node = await startNode(t)
  const typed = {
    start: '2031-05-06',
    startTime: '19:00',
    zone: 'Europe/Madrid',
    title: 'Assembly',
    venue: 'The yard',
  }
  const event = await publish(node, typed, 'event')
  const [one, two] = [await openEdit(node, event), await openEdit(node, event)]
  await saveEdit(node, event, one, { venue: 'The hall', startTime: '18:00' })
  await saveEdit(node, event, two, { venue: 'The school', startTime: '20:00' })
  const link = `${event.path}/resolve/${event.secret}`
  const form = chosenIn(await node.html(link))
  t.like(form, {
    'choose-0': '0',
    start: '2031-05-06',
    startTime: '20:00',
    'choose-1': '0',
    venue: 'The school',
  })
  const wrong = await send(node, link, {
    ...form,
    'choose-0': 'anew',
    start: '2031-13-06',
    'choose-1': '1',
    action: 'publish',
  })
  t.is(wrong.status, 422)
  t.like(chosenIn(await wrong.text()), { 'choose-0': 'anew', start: '2031-13-06', 'choose-1': '1' })
  await send(node, link, {
    ...form,
    start: '2031-05-07',
    startTime: '19:30',
    'choose-1': '1',
    action: 'publish',
  })
  t.like((await node.siteDocuments())[event.item], {
    clashes: [],
    fields: { start: '2031-05-07T19:30', venue: 'The hall' },
  })
})
