import test from 'ava'
import { edit, publish, send, formFields } from '../helpers/forms.ts'
import type { Published } from '../helpers/forms.ts'
import { startNode, join2 } from '../helpers/node.ts'
import type { TestNode } from '../helpers/node.ts'
import { invite, setUp, Visitor } from '../helpers/people.ts'
import { until } from '../helpers/wait.ts'

function decide(moderator: Visitor, target: string, fields: Record<string, string>) {
  return moderator.send(`/moderate/${target}`, fields)
}

async function comment(node: TestNode, { item }: Published, body: string): Promise<string> {
  const form = formFields(await node.html(`/comments/${item}`))
  const answer = await send(node, `/comments/${item}`, { ...form, body, action: 'publish' })
  return /#c-([0-9a-f]{40})$/.exec(answer.headers.get('location') ?? '')?.[1] ?? ''
}

test('a moderator hides with a reason: it stands in the list of what is hidden and in the log', async (t) => {
  const node = await startNode(t)
  const moderator = await invite(node, await setUp(node), 'mod', { roles: ['moderator'] })
  const story = await publish(node, { title: 'Buy now', body: 'The text.' })
  t.false((await node.html(story.path)).includes('/moderate/'))
  t.true((await moderator.html(story.path)).includes(`/moderate/${story.item}`))

  const without = await decide(moderator, story.item, { action: 'hide' })
  t.is(without.status, 422)
  t.true((await without.text()).includes('Choose a reason'))
  t.is((await decide(moderator, story.item, { action: 'hide', category: '<b>', reason: ' ' })).status, 422)
  t.is((await decide(moderator, story.item, { action: 'hide', reason: 'x'.repeat(2001) })).status, 422)
  t.is((await decide(moderator, story.item, { action: 'feature' })).status, 403, 'editors feature')
  t.is((await decide(moderator, story.item, { action: 'levitate' })).status, 403)
  t.is((await moderator.post(`/moderate/${story.item}`, { action: 'hide', category: 'spam' })).status, 403)
  t.true((await node.html('/newswire')).includes('Buy now'))

  const fields = { action: 'hide', category: 'advertising', reason: 'For <shoes>' }
  t.is((await decide(moderator, story.item, fields)).status, 303)
  t.false((await node.html('/newswire')).includes('Buy now'))
  const page = await node.html(story.path)
  t.regex(page, /noindex/)
  t.regex(page, /advertising · <span dir="auto">For &lt;shoes&gt;/)
  t.true(page.includes('The text.'), 'it can still be read')
  const hidden = await node.html('/hidden')
  t.true(hidden.includes('Buy now') && hidden.includes('noindex'))
  const log = await node.html('/moderation')
  t.regex(log, /Buy now<\/a>[^]*<strong>hidden<\/strong> · advertising/)
  t.false(log.includes('>mod<'), 'who decided stays out of it')
  t.regex(await moderator.html(`/moderate/${story.item}`), /<span dir="ltr">mod<\/span>/)

  // An edit by its author does not undo it, a moderator does.
  await edit(node, story, { body: 'Another text.' })
  t.false((await node.html('/newswire')).includes('Buy now'))
  t.is((await decide(moderator, story.item, { action: 'unhide' })).status, 303)
  t.true((await node.html('/newswire')).includes('Buy now'))
  t.true((await node.html(story.path)).includes('Another text.'))
  t.regex(await node.html('/moderation'), /shown again[^]*hidden/)
})

test('what is hidden completely leaves a line in the log, and no text anywhere', async (t) => {
  const node = await startNode(t)
  const moderator = await invite(node, await setUp(node), 'mod', { roles: ['moderator'] })
  const story = await publish(node, {
    title: 'Her address',
    body: 'Elm street.',
    tags: 'elm',
    summary: 'Lives there',
  })
  await comment(node, story, 'And her phone.')
  const judged = { action: 'conceal', category: 'danger', reason: 'Names Mrs Elmer' }
  t.is((await decide(moderator, story.item, judged)).status, 303)
  const { path, item, secret } = story
  for (const closed of [path, `${path}/history`, `${path}/edit/${secret}`, `${path}/published/${secret}`])
    t.is((await node.page(closed)).status, 410, closed)
  const paths = [path, '/', '/newswire', '/hidden', '/moderation', '/latest', '/search?q=elm', '/tags/elm']
  paths.push(
    '/newswire/feed.atom',
    `/api/v1/items/${item}`,
    `/api/v1/items/${item}/comments`,
    `${path}/feed.rss`,
  )
  paths.push(`/comments/${item}`, '/sitemap/1.xml', '/tags', '/archive')
  for (const open of paths) {
    const text = await node.html(open)
    for (const secretText of ['Her address', 'Elm street', 'Lives there', 'her phone', 'Mrs Elmer'])
      t.false(text.includes(secretText), `${secretText} on ${open}`)
  }
  t.regex(await node.html('/moderation'), /hidden completely[^]*puts somebody in danger/)
  t.is((await decide(moderator, item, { action: 'unhide' })).status, 303)
  t.true((await node.html(path)).includes('Elm street.'))
})

test('a comment is hidden by itself; comments are locked and opened', async (t) => {
  const node = await startNode(t)
  const moderator = await invite(node, await setUp(node), 'mod', { roles: ['moderator'] })
  const story = await publish(node, { title: 'A story' })
  const [kind, rude] = [
    await comment(node, story, 'A kind word.'),
    await comment(node, story, 'A rude word.'),
  ]
  t.is((await decide(moderator, `${story.item}/${rude}`, { action: 'hide', category: 'hate' })).status, 303)
  const page = await node.html(story.path)
  t.true(page.includes('A kind word.') && !page.includes('A rude word.'))
  t.is((await decide(moderator, `${story.item}/${kind}`, { action: 'promote' })).status, 303)
  t.is((await decide(moderator, story.item, { action: 'lock' })).status, 303)
  t.true((await node.html(story.path)).includes('No more comments are taken here.'))
  t.is(await comment(node, story, 'Too late.'), '')
  t.is((await moderator.get(`/moderate/${story.item}/${'0'.repeat(40)}`)).status, 404)
})

test('an author withdraws by their link and publishes again, on any node', async (t) => {
  const [here, there] = [await startNode(t), await startNode(t)]
  await join2(here, there)
  const { path, secret } = await publish(here, { title: 'Regretted', body: 'I was wrong.' })
  const link = `${path}/withdraw/${secret}`
  await until('it is there', async () => (await there.page(path)).status === 200)
  const form = formFields(await there.html(link))
  t.is((await send(there, link, { ...form, action: 'withdraw' })).status, 303)
  for (const node of [here, there]) {
    await until('it is withdrawn', async () => (await node.page(path)).status === 410)
    t.false((await node.html(path)).includes('I was wrong.'))
    t.false((await node.html('/hidden')).includes('Regretted'))
    t.regex(await node.html('/moderation'), /withdrawn by its author/)
  }
  const wrong = `${path}/withdraw/${'A'.repeat(43)}`
  t.is((await here.page(wrong)).status, 403)
  t.is((await send(here, wrong, form)).status, 403)
  await send(here, link, { ...formFields(await here.html(link)), action: 'reinstate' })
  for (const node of [here, there])
    await until('it is back', async () => (await node.page(path)).status === 200)
})

const choose = (...items: Published[]) =>
  Object.fromEntries(items.map(({ item }) => [`choose-${item}`, 'yes']))

test('on a node that reviews, what is published waits, and moderators approve of several at once', async (t) => {
  const node = await startNode(t)
  const open = await publish(node, { title: 'Before the rule' })
  await node.stop()
  await node.writeConfig('moderation: { publishing: review, comments: review, reviewFrom: 2100-01-01 }\n')
  await node.start()
  t.is((await node.page(open.path)).status, 200, 'what was there before needs no review')
  await node.stop()
  await node.writeConfig('moderation: { publishing: review }\n')
  await node.start()
  const moderator = await invite(node, await setUp(node), 'mod', { roles: ['moderator'] })
  await until('the policy holds', async () => (await node.page(open.path)).status === 410)
  const titles = ['One', 'Two', 'Spam']
  const [one, two, spam] = (await Promise.all(titles.map((title) => publish(node, { title })))) as [
    Published,
    Published,
    Published,
  ]
  t.is((await node.page(one.path)).status, 410)
  t.true((await node.html(`${one.path}/published/${one.secret}`)).includes('reads this before it is shown'))
  await edit(node, one, { body: 'Edited while it waits.' })
  t.regex(await moderator.html('/office'), /4 texts await review/)
  t.is((await moderator.send('/office', { action: 'approve' })).status, 422)
  t.is((await moderator.send('/office', { action: 'approve', ...choose(one, two) })).status, 303)
  const refused = await moderator.send('/office', { action: 'hide', ...choose(spam) })
  t.is(refused.status, 422, 'hiding takes a reason')
  t.regex(
    await refused.text(),
    new RegExp(`choose-${spam.item}" value="[-:.0-9TZa-f]+" checked`),
    'what was chosen stays',
  )
  t.is((await moderator.send('/office', { action: 'hide', category: 'spam', ...choose(spam) })).status, 303)
  const wire = await node.html('/newswire')
  t.true(wire.includes('One') && wire.includes('Two') && !wire.includes('Spam'))
  t.regex(await moderator.html('/office'), /1 text awaits review/)

  // Another policy makes another site of the same ledger.
  await node.stop()
  await node.writeConfig('moderation: { comments: closed }\n')
  await node.start()
  await until('it is shown again', async () => (await node.page(open.path)).status === 200)
  t.true((await node.html(open.path)).includes('No more comments are taken here.'))
})

test('a node that honours only its own moderators shows what others hide, and says so in the log', async (t) => {
  const [here, there] = [await startNode(t), await startNode(t)]
  await join2(here, there)
  await there.stop()
  await there.writeConfig('moderation: { decisions: own }\n')
  await there.start()
  const moderator = await invite(here, await setUp(here), 'mod', { roles: ['moderator'] })
  const { path, item } = await publish(here, { title: 'Disputed' })
  await until('it is there', async () => (await there.page(path)).status === 200)
  await decide(moderator, item, { action: 'hide', category: 'untrue' })
  await until('the log has it', async () =>
    (await there.html('/moderation')).includes('does not count on this node'),
  )
  t.true((await there.html('/newswire')).includes('Disputed'))
  t.false((await here.html('/newswire')).includes('Disputed'))
})

test('hidden on one side of a cut, edited and promoted on the other: hidden on both, nothing lost', async (t) => {
  const [here, there] = [await startNode(t), await startNode(t)]
  await join2(here, there)
  const hider = await invite(here, await setUp(here), 'hider', { roles: ['moderator'] })
  const promoter = await invite(there, await setUp(there), 'promoter', { roles: ['moderator'] })
  const story = await publish(here, { title: 'Between us', body: 'First text.' })
  await until('it is there', async () => (await there.page(story.path)).status === 200)
  await there.stop()
  await decide(hider, story.item, { action: 'hide', category: 'untrue' })
  await here.stop()
  await there.start()
  await edit(there, story, { body: 'Second text.' })
  await decide(promoter, story.item, { action: 'promote' })
  t.true((await there.html('/promoted')).includes('Between us'))
  await here.start()
  for (const node of [here, there]) {
    await until('both know all', async () => {
      const log = await node.html('/moderation')
      return (
        log.includes('>hidden<') &&
        log.includes('>promoted<') &&
        (await node.html(story.path)).includes('Second text.')
      )
    })
    t.false((await node.html('/newswire')).includes('Between us'))
    t.false((await node.html('/promoted')).includes('Between us'))
    t.regex(await node.html(story.path), /noindex/)
  }
})

test('editors edit everything by a form, and publish what stands around the news', async (t) => {
  const node = await startNode(t)
  const root = await setUp(node)
  const editor = await invite(node, root, 'edith', { roles: ['editor'] })
  const moderator = await invite(node, root, 'mod', { roles: ['moderator'] })
  const story = await publish(node, { title: 'A story', body: 'With a mistkae.' })
  t.false((await moderator.html(story.path)).includes(`${story.path}/edit"`))
  t.true((await editor.html(story.path)).includes(`${story.path}/edit"`))
  const form = formFields(await editor.html(`${story.path}/edit`))
  t.is(form.body, 'With a mistkae.')
  const saved = await editor.post(`${story.path}/edit`, {
    ...form,
    body: 'Without a mistake.',
    action: 'publish',
  })
  t.is(saved.headers.get('location'), story.path)
  t.true((await node.html(story.path)).includes('Without a mistake.'))
  t.regex(await node.html(`${story.path}/history`), /By an editor/)
  t.is((await moderator.post(`${story.path}/edit`, { ...form, action: 'publish' })).status, 403)
  t.is((await send(node, `${story.path}/edit`, { ...form, action: 'publish' })).status, 403)
  const stale = await editor.post(`${story.path}/edit`, {
    ...form,
    token: '',
    body: 'Kept.',
    action: 'publish',
  })
  t.is(stale.status, 403)
  t.true((await stale.text()).includes('Kept.'), 'what was typed comes back')
  // The author still has their link.
  await edit(node, story, { title: 'Her story' })
  t.true((await node.html(story.path)).includes('Her story'))

  t.is((await editor.get('/office/publish/article')).status, 404)
  const alert = formFields(await editor.html('/office/publish/alert'))
  const fields = { ...alert, title: 'To the bridge', summary: 'Now.', onFront: 'yes', action: 'publish' }
  const published = await editor.post('/office/publish/alert', fields)
  t.is(published.status, 303)
  t.regex(published.headers.get('location') ?? '', /^\/alerts\/[0-9a-z]{26}$/)
  await until('the banner stands', async () => (await node.html('/')).includes('To the bridge'))
  t.is((await moderator.get('/office/publish/alert')).status, 403)
})

const box = (target: string) => ({ [`choose-${target}`]: 'yes' })

test('anybody reports with a reason; moderators see it until they have decided or dismissed it', async (t) => {
  const node = await startNode(t)
  const moderator = await invite(node, await setUp(node), 'mod', { roles: ['moderator'] })
  const [bad, good] = [await publish(node, { title: 'Bad <b>' }), await publish(node, { title: 'Good' })]
  const rude = await comment(node, good, 'A rude word.')
  const reader = new Visitor(node)
  const report = (target: string, fields: Record<string, string>) => reader.send(`/report/${target}`, fields)
  t.true((await node.html(bad.path)).includes(`/report/${bad.item}`))
  t.is((await report(bad.item, { reason: ' ' })).status, 422)
  t.is((await report(bad.item, { category: 'spam', reason: 'x'.repeat(2001) })).status, 422)
  t.is((await report('0'.repeat(26), { category: 'spam' })).status, 404)
  t.is((await reader.post(`/report/${bad.item}`, { category: 'spam' })).status, 403)
  t.true((await (await report(bad.item, { reason: 'Names <i>my</i> son' })).text()).includes('Thank you'))
  await report(bad.item, { category: 'personal-data' })
  await report(good.item, { category: 'untrue' })
  await report(`${good.item}/${rude}`, { category: 'hate' })
  t.is(reader.cookie, undefined)

  const office = await moderator.html('/office')
  t.regex(office, /3 reports to look at/)
  for (const text of [
    'Names &lt;i&gt;my&lt;/i&gt; son',
    'Bad &lt;b&gt;',
    'A rude word.',
    'contempt for people',
  ])
    t.true(office.includes(text), text)
  t.true((await node.html('/newswire')).includes('Bad'), 'a report alone changes nothing')
  t.is((await moderator.send('/office', { action: 'dismiss', ...box(good.item) })).status, 303)
  t.regex(await moderator.html('/office'), /2 reports to look at/)
  const hide = { action: 'hide', category: 'personal-data', ...box(bad.item), ...box(`${good.item}/${rude}`) }
  t.is((await moderator.send('/office', hide)).status, 303)
  t.true((await moderator.html('/office')).includes('Nothing awaits review'))
  t.false((await node.html('/newswire')).includes('Bad'))
  t.false((await node.html(good.path)).includes('A rude word.'))
})

test('a flood of reports is bounded, answered with a wait, and the text comes back', async (t) => {
  const node = await startNode(t)
  const { item } = await publish(node, { title: 'Disliked' })
  const reader = new Visitor(node)
  const statuses = new Set<number>()
  let last: Awaited<ReturnType<Visitor['post']>> | undefined
  for (let count = 0; count < 200 && last?.status !== 429; count += 1) {
    last = await reader.send(`/report/${item}`, { reason: `Number ${count}`, answer: 'Hyperactive' })
    statuses.add(last.status)
  }
  t.deepEqual([...statuses], [200, 429])
  t.regex(last?.headers.get('retry-after') ?? '', /^\d+$/)
  t.regex((await last?.text()) ?? '', />Number \d+<\/textarea>/)
  const kept = await node.withCouch(async (couch) => (await couch.database('office').info()).doc_count)
  t.true(kept <= 21, `${kept} documents`)
})

test('what was typed comes back when the session has ended or the form is too old', async (t) => {
  const node = await startNode(t)
  const moderator = await invite(node, await setUp(node), 'mod', { roles: ['moderator'] })
  const story = await publish(node, { title: 'A story' })
  const typed = { action: 'hide', reason: 'Three lines of <careful> words', password: 'not to be seen' }
  const stale = await moderator.post(`/moderate/${story.item}`, { ...typed, token: 'old' })
  t.is(stale.status, 403)
  const page = await stale.text()
  t.true(page.includes('>Three lines of &lt;careful&gt; words</textarea>'))
  t.false(page.includes('not to be seen'))
  const out = await new Visitor(node).post(`/moderate/${story.item}`, typed)
  t.is(out.status, 403)
  t.true((await out.text()).includes('&lt;careful&gt; words</textarea>'))
  const elsewhere = await node.page(`/moderate/${story.item}`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'cross-site' },
    body: new URLSearchParams({ reason: 'Words that another site puts here' }).toString(),
  })
  t.false((await elsewhere.text()).includes('another site puts here'))
})

test('the log says which of two decisions stands, and has no link to what cannot be read', async (t) => {
  const node = await startNode(t)
  const moderator = await invite(node, await setUp(node), 'mod', { roles: ['moderator'] })
  const story = await publish(node, { title: 'A story' })
  const rude = await comment(node, story, 'A rude word.')
  await decide(moderator, `${story.item}/${rude}`, { action: 'hide', category: 'hate' })
  await decide(moderator, story.item, { action: 'hide', category: 'spam' })
  await decide(moderator, story.item, { action: 'unhide' })
  const log = await node.html('/moderation')
  t.false(log.includes(`/comments/${story.item}/${rude}`))
  t.regex(log, /shown again<\/strong>(?!.*superseded)[^]*<strong>hidden<\/strong>.*superseded/)
})

test('hide at once on one node and show again on another: it stays hidden, and the log has both', async (t) => {
  const [here, there] = [await startNode(t), await startNode(t)]
  await join2(here, there)
  const [hider, shower] = [await setUp(here), await setUp(there, 'other')]
  const story = await publish(here, { title: 'Disputed' })
  await decide(hider, story.item, { action: 'hide', category: 'untrue' })
  await until('it is hidden there', async () => (await there.html('/hidden')).includes('Disputed'))
  await there.stop()
  await decide(hider, story.item, { action: 'hide', category: 'hate', reason: 'Worse than that' })
  await here.stop()
  await there.start()
  await decide(shower, story.item, { action: 'unhide', reason: 'It is true' })
  t.true((await there.html('/newswire')).includes('Disputed'))
  await here.start()
  for (const node of [here, there]) {
    await until('the log has both', async () => {
      const log = await node.html('/moderation')
      return log.includes('Worse than that') && log.includes('It is true')
    })
    await until('it is hidden', async () => !(await node.html('/newswire')).includes('Disputed'))
    t.true((await node.html('/hidden')).includes('Disputed'))
  }
})
