import test from 'ava'
import { HybridClock } from '../../src/ledger/clock.ts'
import { makeItemId } from '../../src/ledger/item-id.ts'
import { Ledger } from '../../src/ledger/ledger.ts'
import { edit, formFields, publish, send } from '../helpers/forms.ts'
import type { Published } from '../helpers/forms.ts'
import { newKey } from '../helpers/keys.ts'
import { startMailServer } from '../helpers/mail-server.ts'
import { startNode } from '../helpers/node.ts'
import type { TestNode } from '../helpers/node.ts'
import { invite, setUp, Visitor } from '../helpers/people.ts'
import { until } from '../helpers/wait.ts'

const REVIEW = 'moderation: { publishing: review }\n'

async function reviewingNode(t: Parameters<typeof startNode>[0]): Promise<TestNode> {
  const node = await startNode(t)
  await node.stop()
  await node.writeConfig(REVIEW)
  await node.start()
  return node
}

/** The boxes of the queue's rows as a page has them: target and version. */
function boxesIn(html: string): Map<string, string> {
  return new Map(
    [...html.matchAll(/name="choose-([^"]+)" value="([^"]+)"/g)].map(([, target = '', version = '']) => [
      target,
      version,
    ]),
  )
}

const choose = (...items: Published[]) =>
  Object.fromEntries(items.map(({ item }) => [`choose-${item}`, 'yes']))

test('a thousand texts that await review are approved by one form', async (t) => {
  const node = await reviewingNode(t)
  const moderator = await invite(node, await setUp(node), 'mod', { roles: ['moderator'] })
  const key = await node.key()
  await node.withCouch(async (couch) => {
    const ledger = new Ledger(couch.database('ledger'), key, new HybridClock())
    for (let batch = 0; batch < 5; batch += 1) {
      const entries = Array.from({ length: 200 }, (_, n) => {
        const author = newKey()
        const item = makeItemId(author.publicKey, Date.now())
        const fields = { title: `Text ${batch} ${n}`, body: 'A text.', tags: [], language: 'en' }
        return { draft: { type: 'edit' as const, item, kind: 'article', parents: [], fields }, author }
      })
      await ledger.append(entries)
    }
  })
  const waiting = async () =>
    (await (await moderator.get('/office/waiting')).json()) as { waiting: number; text: string }
  await until('all wait', async () => (await waiting()).waiting === 1000)
  t.is((await waiting()).text, '1,000 texts await review')
  const office = await moderator.html('/office')
  t.is(boxesIn(office).size, 50)
  t.true(office.includes('There are more than are listed here.'))
  t.true(office.includes('All 1,000 that await review'))
  const form = formFields(office)
  const late = await publish(node, { title: 'Later than the page' })
  const answer = await moderator.post('/office', { ...form, 'all-waiting': 'yes', action: 'approve' })
  t.is(answer.status, 303)
  await until('one waits', async () => (await waiting()).waiting === 1)
  t.is((await waiting()).text, '1 text awaits review')
  t.is((await node.page(late.path)).status, 410, 'nobody has seen it')
})

test('the queue has what is reported, matched and new, and "nothing to do" is said of the version that was seen', async (t) => {
  const node = await startNode(t)
  const root = await setUp(node)
  const moderator = await invite(node, root, 'mod', { roles: ['moderator'] })
  t.true((await moderator.html('/office')).includes('Nothing awaits review'))
  const [one, two] = [await publish(node, { title: 'One <b>' }), await publish(node, { title: 'Two' })]
  const commenting = formFields(await node.html(`/comments/${one.item}`))
  await send(node, `/comments/${one.item}`, { ...commenting, body: 'A remark.', action: 'publish' })
  const office = await moderator.html('/office')
  t.true(office.includes('Nothing awaits review') && office.includes('New, and not looked at yet'))
  t.true(office.includes('One &lt;b&gt;') && office.includes('A remark.'))
  const boxes = boxesIn(office)
  t.is(boxes.size, 3)

  // Somebody edits it while the page is open.
  await edit(node, one, { title: 'One more' })
  const form = formFields(office)
  t.is((await moderator.post('/office', { ...form, 'all-fresh': 'yes', action: 'dismiss' })).status, 303)
  t.deepEqual([...boxesIn(await moderator.html('/office')).keys()], [one.item])

  await new Visitor(node).send(`/report/${two.item}`, { reason: 'Not true' })
  const again = await moderator.html('/office')
  t.true(again.includes('1 report to look at') && again.includes('Not true'))
  t.is(again.split(`name="choose-${two.item}"`).length, 2, 'it stands there once')
  t.is((await moderator.send('/office', { action: 'promote', ...choose(one, two) })).status, 303)
  t.is(boxesIn(await moderator.html('/office')).size, 0)
  const promoted = await node.html('/promoted')
  t.true(promoted.includes('One more') && promoted.includes('Two'))
  // Whoever decides on the page of the item has looked at it, too.
  const three = await publish(node, { title: 'Three' })
  await moderator.send(`/moderate/${three.item}`, { action: 'lock' })
  t.is(boxesIn(await moderator.html('/office')).size, 0)
})

test('a form that chooses nothing, what is not there, or nonsense is answered clearly and loses nothing', async (t) => {
  const node = await startNode(t)
  const moderator = await invite(node, await setUp(node), 'mod', { roles: ['moderator'] })
  const story = await publish(node, { title: 'A story' })
  const refused = await moderator.send('/office', { action: 'hide', reason: 'Typed <b>' })
  t.is(refused.status, 422)
  t.true((await refused.text()).includes('Typed &lt;b&gt;</textarea>'))
  const strange = { 'choose-x': 'yes', 'choose-../..': 'yes', [`choose-${story.item}/x`]: 'yes' }
  t.is((await moderator.send('/office', { action: 'dismiss', ...strange })).status, 422)
  const unknown = { [`choose-${makeItemId(newKey().publicKey, Date.now())}`]: 'yes' }
  const hide = { action: 'hide', category: 'spam' }
  t.is((await moderator.send('/office', { ...hide, ...unknown })).status, 404)
  t.is((await moderator.send('/office', { action: 'feature', ...choose(story) })).status, 403)
  const listed = { 'all-fresh': 'yes', 'listed-fresh': `nonsense=1 ${'x'.repeat(10_000)} =` }
  t.is((await moderator.send('/office', { ...hide, ...listed })).status, 422)
  const whole = await moderator.send('/office', { action: 'hide', 'all-fresh': 'yes', 'listed-fresh': '' })
  t.is(whole.status, 422)
  t.is((await node.page(story.path)).status, 200)
})

test('notes are for moderators, by handle and day; each deletes their own', async (t) => {
  const node = await startNode(t)
  const root = await setUp(node)
  const moderator = await invite(node, root, 'mod', { roles: ['moderator'] })
  const story = await publish(node, { title: 'A story' })
  const here = `/moderate/${story.item}`
  const note = (who: Visitor, text: string) => who.send(here, { action: 'note', note: text })
  t.is((await note(moderator, 'Asked <i>the author</i>.\nWaiting.')).status, 303)
  t.is((await note(root, 'I know her.')).status, 303)
  t.is((await note(moderator, '  ')).status, 422)
  const long = await note(moderator, `Long <b>${'x'.repeat(2000)}`)
  t.is(long.status, 422)
  t.true((await long.text()).includes('Long &lt;b&gt;xxx'), 'what was typed comes back')
  const page = await moderator.html(here)
  t.true(page.includes('Asked &lt;i&gt;the author&lt;/i&gt;.\nWaiting.') && page.includes('I know her.'))
  t.regex(page, /<span dir="ltr">mod<\/span> · \d{4}-\d\d-\d\d/)
  const own = [...page.matchAll(/name="delete" value="([^"]+)"/g)].map(([, id = '']) => id)
  t.is(own.length, 1)
  const others = [...(await root.html(here)).matchAll(/name="delete" value="([^"]+)"/g)]
  await moderator.send(here, { delete: others[0]?.[1] ?? '' })
  t.true((await moderator.html(here)).includes('I know her.'), "somebody else's stays")

  // Notes stay when it has been decided on, and no page of readers has them.
  await new Visitor(node).send(`/report/${story.item}`, { category: 'spam' })
  await moderator.send(here, { action: 'hide', category: 'spam' })
  t.true((await moderator.html(here)).includes('the author'))
  for (const path of [story.path, '/hidden', '/moderation', `/api/v1/items/${story.item}`])
    t.false((await node.html(path)).includes('the author'), path)
  t.is((await moderator.send(here, { delete: own[0] ?? '' })).status, 303)
  t.false((await moderator.html(here)).includes('the author'))
})

const GAMBLING = { name: 'Gambling', way: 'words', pattern: 'casino\nfree money', deed: 'queue' }

/** Tries a filter and then saves it as it was tried. */
async function keep(
  editor: Visitor,
  fields: Record<string, string>,
  action = 'save',
  at = '/office/filters',
) {
  const tried = formFields(await (await editor.send(at, { ...fields, action: 'preview' })).text())
  return editor.post(at, { ...fields, token: tried.token ?? '', tried: tried.tried ?? '', action })
}

test('an editor previews a filter on what is here, saves it, and it acts on what comes; moderators see what it matched', async (t) => {
  const node = await startNode(t)
  const root = await setUp(node)
  const editor = await invite(node, root, 'edith', { roles: ['editor'] })
  const moderator = await invite(node, root, 'mod', { roles: ['moderator'] })
  t.is((await moderator.get('/office/filters')).status, 403)
  t.false((await moderator.html('/office')).includes('/office/filters'))
  t.true((await editor.html('/office')).includes('/office/filters'))
  const before = await publish(node, { title: 'The old <casino>' })
  await publish(node, { title: 'A walk' })

  const preview = await editor.send('/office/filters', { ...GAMBLING, action: 'preview' })
  t.is(preview.status, 200)
  const shown = await preview.text()
  t.regex(shown, /It matches 1 text\. 2 texts were looked at\./)
  t.true(shown.includes('The old &lt;casino&gt;') && shown.includes('casino\nfree money</textarea>'))
  const unseen = await editor.send('/office/filters', { ...GAMBLING, action: 'save' })
  t.is(unseen.status, 200, 'what was not tried is tried first')
  const { token = '', tried = '' } = formFields(shown)
  const other = { ...GAMBLING, pattern: 'walk', token, tried, action: 'apply' }
  t.is((await editor.post('/office/filters', other)).status, 200, 'and what was changed after it')
  t.false((await editor.html('/office/filters')).includes('Switch off'))
  t.is((await keep(editor, GAMBLING)).status, 303)
  t.true((await editor.html('/office/filters')).includes('Switch off'))

  const after = await publish(node, { title: 'Money', body: 'FREE money!' })
  await until('it is in the office', async () =>
    (await moderator.html('/office')).includes('1 match of a filter'),
  )
  const office = await moderator.html('/office')
  t.regex(office, /Matched by:[^]*Gambling/)
  t.true(boxesIn(office).has(after.item))
  t.false((await node.html('/moderation')).includes('Gambling'), 'putting it into the office is no decision')
  t.is((await moderator.send('/office', { action: 'dismiss', ...choose(after) })).status, 303)
  t.false((await moderator.html('/office')).includes('match of a filter'))
  await edit(node, after, { body: 'More free money!' })
  await until('it is there again', async () =>
    (await moderator.html('/office')).includes('1 match of a filter'),
  )
  t.is((await node.page(before.path)).status, 200)
})

test('a filter that hides says so in the log with its name; one that tags edits; applied they act on what is here', async (t) => {
  const node = await startNode(t)
  const root = await setUp(node)
  const old = await publish(node, { title: 'Old', body: 'http://shop.example/x' })
  const kept = await publish(node, { title: 'Kept', body: 'http://shop.example/y' })
  await root.send(`/moderate/${kept.item}`, { action: 'promote' })
  const hide = {
    name: 'Shops <b>',
    way: 'expression',
    pattern: '^https?://shop\\.example/',
    'part-links': 'yes',
    deed: 'hide',
    category: 'advertising',
  }
  t.is((await keep(root, hide, 'apply')).status, 303)
  await until('it is hidden', async () => (await node.html('/hidden')).includes('Old'))
  t.regex(await node.html(old.path), /advertising · <span dir="auto">Filter: Shops &lt;b&gt;/)
  t.regex(await node.html('/moderation'), /hidden<\/strong> · advertising[^]*Filter: Shops/)
  t.true((await node.html('/newswire')).includes('Kept'), 'a moderator has put it forward')
  t.true(boxesIn(await root.html('/office')).has(kept.item))
  t.is((await keep(root, { ...GAMBLING, name: 'Games', deed: 'tag', tag: 'Games' })).status, 303)
  const game = await publish(node, { title: 'A casino', tags: 'walks' })
  await until('it has the tag', async () => (await node.html('/tags/games')).includes('A casino'))
  t.true((await node.html('/tags/walks')).includes('A casino'))
  t.regex(await node.html(`${game.path}/history`), /Games/)
})

test('what is wrong with a filter is said beside the field, and nothing that was typed is lost', async (t) => {
  const node = await startNode(t)
  const root = await setUp(node)
  const wrong = { name: ' ', way: 'expression', pattern: '', deed: 'hide', category: '' }
  const empty = await root.send('/office/filters', { ...wrong, action: 'preview' })
  t.is(empty.status, 422)
  const page = await empty.text()
  for (const id of ['name', 'pattern', 'category']) t.true(page.includes(`id="${id}-problem"`), id)
  for (const pattern of ['(<b>', '(?=x)', 'x{2000}']) {
    const bad = await root.send('/office/filters', {
      ...GAMBLING,
      way: 'expression',
      pattern,
      action: 'save',
    })
    t.is(bad.status, 422, pattern)
    const text = await bad.text()
    t.regex(text, /id="pattern-problem">This pattern cannot be read: /, pattern)
    t.is(formFields(text).pattern, pattern)
  }
  const large = { ...GAMBLING, way: 'expression', pattern: '[^x]{1,1000}[^y]{1,1000}', action: 'save' }
  t.regex(await (await root.send('/office/filters', large)).text(), /takes too long/)
  t.is((await root.send('/office/filters', { ...GAMBLING, pattern: 'x'.repeat(501) })).status, 422)
  t.is((await root.post('/office/filters', { ...GAMBLING, action: 'save' })).status, 403)
  t.is((await root.get('/office/filters/0123456789abcdef')).status, 404)

  t.is((await keep(root, GAMBLING)).status, 303)
  const list = await root.html('/office/filters')
  const path = /href="(\/office\/filters\/[0-9a-f]{16})"/.exec(list)?.[1] ?? ''
  t.is(formFields(await root.html(path)).pattern, 'casino\nfree money')
  t.is((await keep(root, { ...GAMBLING, pattern: 'lottery' }, 'save', path)).status, 303)
  t.true((await root.html('/office/filters')).includes('>lottery</pre>'))
  t.is((await root.send(path, { action: 'off' })).status, 303)
  t.true((await root.html('/office/filters')).includes('switched off'))
  await publish(node, { title: 'A lottery' })
  await root.send(path, { action: 'on' })
  await publish(node, { title: 'Another lottery' })
  await until('it acts again', async () => (await root.html('/office')).includes('1 match of a filter'))
  t.is((await root.send(path, { action: 'delete' })).status, 303)
  t.is((await root.get(path)).status, 404)
})

test('notices go out from a node whose settings ask for them, and their secrets are never printed', async (t) => {
  const server = await startMailServer(t, { user: 'node', pass: 'hidden-word' })
  const node = await startNode(t)
  await node.stop()
  await node.writeConfig(`notices:
  smtp: { url: 'smtp://node:hidden-word@127.0.0.1:${server.port}', from: node@example.org, to: [ada@example.org] }
  webhook: http://127.0.0.1:1/hook-secret
  everyMinutes: 1
`)
  await node.start()
  const { item } = await publish(node, { title: 'A story' })
  await new Visitor(node).send(`/report/${item}`, { category: 'spam' })
  await until('a mail comes', () => server.messages.length > 0, 60_000)
  t.true((server.messages[0] ?? '').includes(`${node.address}/office`))
  const checked = await node.run('config', 'check')
  t.is(checked.code, 0, checked.err)
  t.true(checked.out.includes('ada@example.org'))
  t.false(/hidden-word|hook-secret/.test(checked.out + node.output))
  await node.writeConfig('notices: { smtp: { url: "http://x", from: a@b.example, to: [] } }\n')
  const bad = await node.run('config', 'check')
  t.regex(bad.err, /notices\.smtp\.url/)
})
