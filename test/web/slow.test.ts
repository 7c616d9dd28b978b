import test from 'ava'
import { formFields, openEdit, publish, send } from '../helpers/forms.ts'
import type { Published } from '../helpers/forms.ts'
import { startNode } from '../helpers/node.ts'
import type { TestNode } from '../helpers/node.ts'
import { invite, setUp } from '../helpers/people.ts'

async function comment(node: TestNode, { item }: Published, body: string) {
  const form = formFields(await node.html(`/comments/${item}`))
  return send(node, `/comments/${item}`, { ...form, body, action: 'publish' })
}

test('moderators slow down the comments on an item, also across a restart', async (t) => {
  const node = await startNode(t)
  const moderator = await invite(node, await setUp(node), 'mod', { roles: ['moderator'] })
  const [heated, calm] = [await publish(node, { title: 'Heated' }), await publish(node, { title: 'Calm' })]
  const set = (minutes: string) =>
    moderator.send(`/moderate/${heated.item}`, { minutes }, `/slow/${heated.item}`)
  t.is((await set('7')).status, 400)
  t.is((await set('60')).headers.get('location'), `/moderate/${heated.item}`)
  t.regex(await moderator.html(`/moderate/${heated.item}`), /<option value="60" selected>60 minutes/)
  t.regex(await moderator.html('/office/slow'), /Heated<\/a> <span class="facts">60 minutes/)
  t.regex(await node.html(`/comments/${heated.item}`), /at most one comment is taken here in 60 minutes/)

  t.is((await comment(node, heated, 'First')).status, 303)
  const second = await comment(node, heated, 'Second <b>')
  t.is(second.status, 429)
  const wait = Number(second.headers.get('retry-after'))
  t.true(wait > 3500 && wait <= 3600, String(wait))
  t.is(formFields(await second.text()).body, 'Second <b>')
  t.is((await comment(node, calm, 'Elsewhere')).status, 303)
  const api = await node.page(`/api/v1/items/${heated.item}/comments`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ fields: { body: 'B' } }),
  })
  t.is(api.status, 429)
  t.like(await api.json(), { error: 'slow_mode' })
  const own = await moderator.send(`/comments/${heated.item}`, { body: 'Calm down', action: 'publish' })
  t.is(own.status, 303, 'moderators are not held up')

  await node.stop()
  await node.start()
  t.is((await comment(node, heated, 'After the restart')).status, 303)
  t.is((await comment(node, heated, 'Too soon')).status, 429)
  t.is((await set('0')).status, 303)
  t.is((await comment(node, heated, 'As before')).status, 303)
  t.is((await moderator.send(`/moderate/${heated.item}`, { minutes: '5' }, '/slow/none')).status, 403)
})

test('a tag is slowed down by any of its names, for new items and for edits that add it', async (t) => {
  const node = await startNode(t)
  const moderator = await invite(node, await setUp(node), 'mod', { roles: ['moderator'] })
  const bad = await moderator.send('/office/slow', { tag: ' , ', minutes: '5' })
  t.is(bad.status, 422)
  t.regex(await bad.text(), /id="tag-problem"/)
  t.is((await moderator.send('/office/slow', { tag: 'Big News', minutes: '15' })).status, 303)
  t.regex(await moderator.html('/office/slow'), /href="\/tags\/big%20news"[^]*15 minutes/)
  await publish(node, { title: 'First', tags: 'big news' })
  const plain = await publish(node, { title: 'Plain', tags: 'other' })
  const form = formFields(await node.html('/publish/article'))
  const typed = { ...form, title: 'Second', body: 'Long text', tags: 'Other, BIG  NEWS', action: 'publish' }
  const second = await send(node, '/publish/article', typed)
  t.is(second.status, 429)
  t.like(formFields(await second.text()), { body: 'Long text', tags: 'Other, BIG  NEWS' })
  const edited = await send(node, `${plain.path}/edit/${plain.secret}`, {
    ...(await openEdit(node, plain)),
    tags: 'other, big news',
    action: 'publish',
  })
  t.is(edited.status, 429)
  t.is((await node.page('/office/slow')).status, 303, 'readers are sent to sign in')
  t.is((await moderator.send('/office/slow', { tag: 'big news', minutes: '0' })).status, 303)
  t.is((await send(node, '/publish/article', typed)).status, 303)
})
