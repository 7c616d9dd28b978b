import test from 'ava'
import type { ExecutionContext } from 'ava'
import { edit, formFields, publish, send } from '../helpers/forms.ts'
import { makeGroup, publishAt } from '../helpers/groups.ts'
import { startNode } from '../helpers/node.ts'
import { invite, setUp, Visitor } from '../helpers/people.ts'

/** A node with two people who each have a group, and a moderator. */
async function twoGroups(t: ExecutionContext) {
  const node = await startNode(t)
  const root = await setUp(node)
  const [ann, bob] = [
    await invite(node, root, 'ann', { second: false }),
    await invite(node, root, 'bob', { second: false }),
  ]
  const moderator = await invite(node, root, 'mod', { roles: ['moderator'] })
  const [radio, kitchen] = [await makeGroup(ann, 'Pedal radio'), await makeGroup(bob, 'Kitchen')]
  return { node, root, ann, bob, moderator, radio, kitchen }
}

function decide(visitor: Visitor, target: string, fields: Record<string, string>) {
  return visitor.send(`/moderate/${target}`, fields)
}

/** What the page to moderate offers somebody. */
async function buttons(visitor: Visitor, target: string) {
  const html = await visitor.html(`/moderate/${target}`)
  return [...html.matchAll(/name="action" value="(\w+)"/g)].map(([, name]) => name)
}

function pathIn(location: string): string {
  return location.replace(/\/published\/.*/, '')
}

test('whoever makes a group is its first member; members add others and remove anybody, themselves included', async (t) => {
  const { node, root, ann, bob, radio } = await twoGroups(t)
  const members = `${radio.path}/members`
  t.true((await ann.html('/account')).includes('>Pedal radio</a>'))
  t.true((await ann.html(radio.path)).includes(`href="${members}"`))
  t.false((await bob.html(radio.path)).includes(`href="${members}"`))
  t.regex(await ann.html(members), /<strong dir="ltr">ann<\/strong>/)
  t.is((await bob.get(members)).status, 403)
  t.is((await node.page(members)).status, 303)
  t.is((await root.get(members)).status, 200, 'administrators see to members')

  const unknown = await ann.send(members, { handle: 'Nobody<b>' })
  t.is(unknown.status, 422)
  t.regex(await unknown.text(), /value="nobody&lt;b&gt;"[^]*id="handle-problem">Nobody on this node/)
  t.is((await ann.post(members, { handle: 'bob' })).status, 403, 'not without the form')
  t.is((await ann.send(members, { handle: ' BOB ' })).status, 303)
  const page = await bob.html(members)
  t.is(page.match(/name="remove"/g)?.length, 2)
  const idOf = (handle: string) =>
    new RegExp(`${handle}</strong>[^]*?name="remove" value="([0-9a-z]{20})"`).exec(page)?.[1] ?? ''
  t.is((await bob.send(members, { remove: idOf('ann') })).status, 303)
  t.is((await ann.get(members)).status, 403, 'a right that is taken is gone at once')
  t.is((await bob.send(members, { remove: idOf('ann') })).status, 404)
  const left = await bob.send(members, { remove: idOf('bob') })
  t.is(left.headers.get('location'), radio.path)
  t.is((await bob.get(members)).status, 403)
  t.regex(await root.html(members), /Nobody with an account on this node/)
})

test('members publish in the name of a group that is not open, and others do not', async (t) => {
  const { node, ann, bob, radio } = await twoGroups(t)
  const form = `${radio.path}/publish/article`
  t.true((await ann.html(`${radio.path}/publish`)).includes(`href="${form}"`))
  const path = await publishAt(ann, form, { title: 'On air' })
  t.regex(path, /^\/articles\/[0-9a-z]{26}$/)
  t.true((await node.html(`${radio.path}/newswire`)).includes('On air'))
  t.true((await node.html(path)).includes('>Pedal radio</a>'))
  const day = { start: '2031-05-06', startTime: '19:00', zone: 'Europe/Madrid', title: 'Live' }
  await publishAt(ann, `${radio.path}/publish/event`, day)
  t.true((await node.html(`${radio.path}/calendar`)).includes('Live'))
  for (const [visitor, status] of [
    [bob, 403],
    [new Visitor(node), 303],
  ] as const) {
    t.is((await visitor.get(form)).status, status)
    t.is((await visitor.get(`${radio.path}/publish`)).status, status)
    t.is((await visitor.post(form, { title: 'Not on air' })).status, 403)
  }
  t.is((await ann.get(`${radio.path}/publish/group`)).status, 403)
  // A text that names the group, or the key of the group, is not the group's for that.
  const { item, secret } = radio
  const named = formFields(await node.html(`/publish/article?group=${item}`))
  await send(node, '/publish/article', {
    ...named,
    groupKey: secret,
    title: 'Forged',
    body: 'x',
    action: 'publish',
  })
  const body = { title: 'Forged too', body: 'x', tags: [], language: 'en', group: item }
  const groupKey = (await node.siteDocuments())[item]?.author
  const forged = await node.page('/api/v1/items', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ kind: 'article', fields: { ...body, groupKey } }),
  })
  t.is(forged.status, 201)
  const wire = await node.html(`${radio.path}/newswire`)
  t.true(wire.includes('On air') && !wire.includes('Forged'))
  // The link of the group goes on to work.
  const byLink = `${radio.path}/publish/${secret}/article`
  await publishAt(new Visitor(node), byLink, { title: 'By the link' })
  t.true((await node.html(`${radio.path}/newswire`)).includes('By the link'))
})

test('members edit, hide and lock what their group publishes, and nothing else', async (t) => {
  const { node, ann, bob, moderator, radio, kitchen } = await twoGroups(t)
  const byLink = `${radio.path}/publish/${radio.secret}/article`
  const path = pathIn(await publishAt(new Visitor(node), byLink, { title: 'By the link' }))
  const item = path.slice('/articles/'.length)

  const page = await ann.html(path)
  for (const address of [`${path}/edit`, `/moderate/${item}`])
    t.true(page.includes(`href="${address}"`), address)
  const typed = formFields(await ann.html(`${path}/edit`))
  const elsewhere = { ...typed, body: 'By a member.', group: kitchen.item, action: 'publish' }
  t.is((await ann.post(`${path}/edit`, elsewhere)).status, 303)
  t.regex(await node.html(`${path}/history`), /By a member of the group/)
  t.true(
    (await node.html(path)).includes('>Pedal radio</a>'),
    'nobody but its author moves it to another group',
  )
  t.true((await node.html(path)).includes('By a member.'))

  t.deepEqual(await buttons(ann, item), ['hide', 'lock'])
  t.is((await decide(ann, item, { action: 'promote' })).status, 403)
  t.is((await decide(ann, item, { action: 'conceal', category: 'danger' })).status, 403)
  t.is((await decide(ann, item, { action: 'approve' })).status, 403)
  t.is((await decide(ann, item, { action: 'hide', category: 'off-topic' })).status, 303)
  t.false((await node.html('/newswire')).includes('By the link'))
  t.deepEqual(await buttons(ann, item), ['hide', 'unhide', 'lock'])
  t.is((await decide(ann, item, { action: 'unhide' })).status, 303)
  t.true((await node.html('/newswire')).includes('By the link'))
  const commented = formFields(await node.html(`/comments/${item}`))
  const answer = await send(node, `/comments/${item}`, {
    ...commented,
    body: 'A rude word.',
    action: 'publish',
  })
  const comment = /#c-([0-9a-f]{40})$/.exec(answer.headers.get('location') ?? '')?.[1] ?? ''
  t.true((await ann.html(path)).includes(`/moderate/${item}/${comment}`))
  t.is((await decide(ann, `${item}/${comment}`, { action: 'hide', category: 'hate' })).status, 303)
  t.false((await node.html(path)).includes('A rude word.'))
  t.is((await decide(ann, item, { action: 'lock' })).status, 303)
  t.true((await node.html(path)).includes('No more comments'))
  t.regex(
    await moderator.html(`/moderate/${item}`),
    /comments closed<\/strong>[^]*<span dir="ltr">ann<\/span>/,
  )

  // What a moderator has decided stands.
  t.is((await decide(moderator, item, { action: 'hide', category: 'untrue' })).status, 303)
  t.deepEqual(await buttons(ann, item), ['unlock'])
  t.is((await decide(ann, item, { action: 'unhide' })).status, 403)
  t.is((await decide(ann, item, { action: 'hide', category: 'spam' })).status, 403)
  t.is((await decide(moderator, `${item}/${comment}`, { action: 'conceal', category: 'hate' })).status, 303)
  t.is(
    (await ann.get(`/moderate/${item}/${comment}`)).status,
    404,
    'nor is what is hidden completely shown to them',
  )
  t.is((await decide(moderator, item, { action: 'conceal', category: 'danger' })).status, 303)
  for (const closed of [`/moderate/${item}`, `${path}/edit`])
    t.is((await ann.get(closed)).status, 403, closed)

  const others = [
    await publish(node, { title: 'Nobody’s' }),
    await publish(node, { title: 'Only named', group: radio.item }),
  ]
  for (const other of others) {
    t.false((await ann.html(other.path)).includes('/moderate/'), other.path)
    for (const closed of [`${other.path}/edit`, `/moderate/${other.item}`])
      t.is((await ann.get(closed)).status, 403, closed)
  }
  t.is((await ann.get('/office')).status, 403)
  t.is((await ann.get(`${radio.path}/edit`)).status, 200)
  t.is((await bob.get(`${radio.path}/edit`)).status, 403)
  t.is((await decide(ann, radio.item, { action: 'hide', reason: 'We part.' })).status, 303)
  t.false((await node.html('/groups')).includes('Pedal radio'))
  t.is((await decide(ann, radio.item, { action: 'unhide' })).status, 303)
})

test('translators edit what is a translation, and nothing else', async (t) => {
  const node = await startNode(t)
  const root = await setUp(node)
  const translator = await invite(node, root, 'tess', { roles: ['translator'], second: false })
  const member = await invite(node, root, 'max', { second: false })
  const original = await publish(node, { title: 'The river', body: 'It rises.' })
  const form = `/publish/article?translation=${original.item}`
  t.true((await translator.html(original.path)).includes(`href="${form}"`))
  const fields = { ...formFields(await node.html(form)), title: 'El río', language: 'es', body: 'Sueb.' }
  const answer = await send(node, '/publish/article', { ...fields, action: 'publish' })
  const path = pathIn(answer.headers.get('location') ?? '')
  t.false((await translator.html(original.path)).includes(`${original.path}/edit"`))
  t.true((await translator.html(path)).includes(`${path}/edit"`))
  t.false((await translator.html(path)).includes('/moderate/'))
  t.is((await translator.get(`${original.path}/edit`)).status, 403)
  t.is((await member.get(`${path}/edit`)).status, 403)
  const typed = formFields(await translator.html(`${path}/edit`))
  const changed = { ...typed, body: 'Sube.', translationOf: '', action: 'publish' }
  t.is((await translator.post(`${path}/edit`, changed)).status, 303)
  t.true((await node.html(path)).includes('Sube.'))
  t.true((await node.html(path)).includes('The river'), 'it stays a translation')
  t.regex(await node.html(`${path}/history`), /By a translator/)
  t.is((await translator.get(`/moderate/${path.slice('/articles/'.length)}`)).status, 403)
})

test('what is hidden is folded behind a notice', async (t) => {
  const node = await startNode(t)
  const moderator = await setUp(node)
  const story = await publish(node, { title: 'Rude', summary: 'In short.', body: 'The text.' })
  t.false((await node.html(story.path)).includes('<details class="hidden-text">'))
  await moderator.send(`/moderate/${story.item}`, { action: 'hide', category: 'hate' })
  const page = await node.html(story.path)
  const folded =
    /<details class="hidden-text">\s*<summary>Show what is hidden<\/summary>([^]*?)<\/details>/.exec(
      page,
    )?.[1] ?? ''
  t.true(folded.includes('In short.') && folded.includes('The text.'))
  t.is(page.match(/In short\./g)?.length, 1)
  t.regex(page, /noindex/)
  await edit(node, story, { body: 'Another.' })
  t.true((await node.html(story.path)).includes('<details class="hidden-text">'))
})

test('members see no notes, close no reports about their group, and undo nothing that nobody did', async (t) => {
  const { node, root, ann, moderator, radio } = await twoGroups(t)
  const location = await publishAt(ann, `${radio.path}/publish/article`, { title: 'Their address' })
  const path = pathIn(location)
  const item = path.split('/').at(-1) ?? ''
  const form = formFields(await node.html(`/report/${item}`))
  t.is((await send(node, `/report/${item}`, { ...form, reason: 'Names a person' })).status, 200)
  await moderator.send(`/moderate/${item}`, { action: 'note', note: 'Ask Bob about it' })
  t.false((await ann.html(`/moderate/${item}`)).includes('Ask Bob'))
  const far = '9999-12-31T23:59:59.999Z-ffff'
  t.is((await decide(ann, item, { action: 'unlock', version: far })).status, 303)
  t.is((await decide(ann, item, { action: 'note', note: 'Mine' })).status, 403)
  t.false((await node.html('/moderation')).includes('comments opened'), 'nothing was closed')
  t.is((await decide(ann, item, { action: 'lock', version: far })).status, 303)
  t.true((await root.html('/office')).includes('Names a person'))
})
