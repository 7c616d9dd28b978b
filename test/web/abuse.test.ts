import test from 'ava'
import type { ExecutionContext } from 'ava'
import { formFields, openEdit, publish, send } from '../helpers/forms.ts'
import type { Published } from '../helpers/forms.ts'
import { startNodeWith } from '../helpers/config.ts'
import type { TestNode } from '../helpers/node.ts'
import { invite, setUp } from '../helpers/people.ts'
import { prove } from '../helpers/work.ts'

const TEXT = { author: 'Ana', summary: '', tags: 'a, b', language: 'en' }
const NAME = 'site: { name: Río Post }\n'

/** Fills in a form as it stands, and sends it. */
async function fill(node: TestNode, path: string, fields: Record<string, string>) {
  const form = formFields(await node.html(path))
  return send(node, path, { ...form, action: 'publish', ...fields })
}

function publishing(node: TestNode, fields: Record<string, string> = {}) {
  return fill(node, '/publish/article', { ...TEXT, title: 'T', body: 'Long text <b>', ...fields })
}

function commenting(node: TestNode, { item }: Published, fields: Record<string, string> = {}) {
  return fill(node, `/comments/${item}`, { body: 'Long remark <b>', ...fields })
}

/** An answer 429 with a wait, and the text in the form. */
async function held(
  t: ExecutionContext,
  response: Awaited<ReturnType<typeof send>>,
  name: string,
  text: string,
) {
  t.is(response.status, 429)
  t.regex(response.headers.get('retry-after') ?? '', /^[1-9]\d*$/)
  const html = await response.text()
  t.is(formFields(html)[name], text)
  t.regex(html, /still here/)
  return html
}

test('beyond its budgets a node answers 429 with a wait, and gives every text back', async (t) => {
  const node = await startNodeWith(
    t,
    'abuse: { challenge: off, publish: { atOnce: 3, perHour: 60 }, comment: { atOnce: 3, perHour: 60 }, ' +
      'commentsOnItem: { atOnce: 2, perHour: 30 }, editsOfItem: { atOnce: 1, perHour: 30 }, ' +
      'report: { atOnce: 1, perHour: 60 } }\n',
  )
  const [one, two] = [await publish(node, { title: 'One' }), await publish(node, { title: 'Two' })]
  t.is((await publishing(node)).status, 303)
  const preview = await publishing(node, { action: 'preview' })
  t.is(preview.status, 200, 'a preview costs nothing')
  const html = await held(t, await publishing(node), 'body', 'Long text <b>')
  t.like(formFields(html), { title: 'T', author: 'Ana', tags: 'a, b' })
  t.is((await publishing(node, { title: '' })).status, 422, 'what is wrong is said first')

  for (const status of [303, 303]) t.is((await commenting(node, one)).status, status)
  await held(t, await commenting(node, one), 'body', 'Long remark <b>')
  t.is((await commenting(node, two)).status, 303, 'another item takes comments still')
  await held(t, await commenting(node, two), 'body', 'Long remark <b>')

  const save = async (item: Published, body: string) =>
    send(node, `${item.path}/edit/${item.secret}`, {
      ...(await openEdit(node, item)),
      body,
      action: 'publish',
    })
  t.is((await save(one, 'Second.')).status, 303)
  await held(t, await save(one, 'Third.'), 'body', 'Third.')
  t.is((await save(two, 'Second.')).status, 303)

  const report = () => fill(node, `/report/${one.item}`, { reason: 'Rude <b>' })
  t.is((await report()).status, 200)
  await held(t, await report(), 'reason', 'Rude <b>')

  const ask = (path: string, body: object, headers = {}) =>
    node.page(`/api/v1${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })
  const fields = { title: 'T', body: 'B', language: 'en' }
  const edit = { parents: Object.keys((await node.siteDocuments())[one.item]?.graph ?? {}), fields }
  for (const response of [
    await ask('/items', { kind: 'article', fields }),
    await ask(`/items/${one.item}/comments`, { fields: { body: 'B' } }),
    await ask(`/items/${one.item}/edits`, edit, { authorization: `Bearer ${one.secret}` }),
  ]) {
    t.is(response.status, 429)
    t.regex(response.headers.get('retry-after') ?? '', /^[1-9]\d*$/)
    t.like(await response.json(), { error: 'too_many' })
  }

  const root = await setUp(node)
  const moderator = await invite(node, root, 'mod', { roles: ['moderator'] })
  for (let count = 0; count < 3; count += 1) {
    const answer = await moderator.send(`/comments/${one.item}`, {
      body: `Number ${count}`,
      action: 'publish',
    })
    t.is(answer.status, 303, 'moderators are known')
  }
})

test('a form that was opened in calm times comes back with the question when the node is busy', async (t) => {
  const node = await startNodeWith(t, `${NAME}abuse: { publish: { atOnce: 4, perHour: 1 }, workBits: 10 }\n`)
  const opened = formFields(await node.html('/publish/article'))
  t.false('work' in opened, 'nothing is asked of the first ones')
  t.notRegex(await node.html('/publish/article'), /\/assets\/(?:work|prove)-/)
  for (let count = 0; count < 3; count += 1) await publish(node, { title: `Number ${count}` })

  const fields = { ...opened, ...TEXT, title: 'Kept', body: 'Kept text', action: 'publish' }
  const asked = await send(node, '/publish/article', fields)
  t.is(asked.status, 422)
  const html = await asked.text()
  t.regex(html, /\/assets\/(?:work|prove)-/)
  t.like(formFields(html), { title: 'Kept', body: 'Kept text', answer: '', work: '' })
  t.regex(html, /What is this site called\?[^]*id="answer-problem">Answer the question/)
  t.regex(asked.headers.get('content-security-policy') ?? '', /script-src 'self'; worker-src 'self'/)

  const wrong = await send(node, '/publish/article', { ...fields, ...formFields(html), answer: 'Rio Times' })
  t.is(wrong.status, 422)
  const again = await wrong.text()
  t.like(formFields(again), { body: 'Kept text', answer: 'Rio Times' })
  t.regex(again, /id="answer-problem">This is not the answer/)
  const right = { ...fields, ...formFields(again), answer: ' rio  POST' }
  t.is((await send(node, '/publish/article', right)).status, 303)
  t.is((await send(node, '/publish/article', right)).status, 303, 'the same again is the same item')
  t.is((await node.ledgerIds()).length, 4)
})

test('work on the form’s own token is taken instead, once', async (t) => {
  const node = await startNodeWith(t, `${NAME}abuse: { challenge: always, workBits: 10 }\n`)
  const page = await node.html('/publish/article')
  const bits = Number(/data-bits="(\d+)"/.exec(page)?.[1])
  const { token = '' } = formFields(page)
  t.is(bits, 10)
  t.is(/data-token="([^"]+)"/.exec(page)?.[1], token)
  const worker = /data-worker="([^"]+)"/.exec(page)?.[1] ?? ''
  t.regex((await node.page(worker)).headers.get('content-type') ?? '', /^text\/javascript/)
  const fields = { ...TEXT, title: 'T', body: 'B', token, action: 'publish' }
  const nonce = prove(token, bits)
  t.is((await send(node, '/publish/article', { ...fields, work: `${nonce}0` })).status, 422)
  const published = await send(node, '/publish/article', { ...fields, work: nonce })
  t.is(published.status, 303)
  const item = /\/articles\/([^/]+)/.exec(published.headers.get('location') ?? '')?.[1] ?? ''

  const path = `/comments/${item}`
  const form = formFields(await node.html(path))
  const work = prove(form.token ?? '', bits)
  const remark = { ...form, body: 'First', work, action: 'publish' }
  t.is((await send(node, path, { ...remark, work: nonce })).status, 422, 'work on another token')
  const first = await send(node, path, remark)
  t.is(first.status, 303)
  const second = await send(node, path, { ...remark, body: 'Second' })
  t.is(second.headers.get('location'), first.headers.get('location'), 'one form, one comment')
  t.false((await node.html(`/articles/${item}`)).includes('Second'))

  // A report has the same challenge, and gives the answer back beside the text.
  const report = await fill(node, `/report/${item}`, { reason: 'Rude', answer: 'no' })
  t.is(report.status, 422)
  t.like(formFields(await report.text()), { reason: 'Rude', answer: 'no' })
  t.is((await fill(node, `/report/${item}`, { reason: 'Rude', answer: 'Rio Post' })).status, 200)
})

test('a program proves work that it got from the API, once; questions are for people', async (t) => {
  const node = await startNodeWith(t, 'abuse: { challenge: always, workBits: 10 }\n')
  const fields = { title: 'T', body: 'B', language: 'en' }
  const ask = async (proof: object) => {
    const response = await node.page('/api/v1/items', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ kind: 'article', fields, ...proof }),
    })
    return { status: response.status, body: (await response.json()) as { error?: string } }
  }
  t.like(await ask({}), { status: 403, body: { error: 'challenge_missing' } })
  t.is((await ask({ answer: 'Hyperactive' })).status, 422, 'no such field')
  const challenge = async () => {
    const response = await node.page('/api/v1/challenge')
    t.is(response.headers.get('cache-control'), 'no-store')
    return (await response.json()) as { token: string; workBits: number; needed: object }
  }
  const { token, workBits, needed } = await challenge()
  t.deepEqual(needed, { publish: true, edit: true, comment: true })
  const proof = { challenge: token, work: prove(token, workBits) }
  t.is((await ask({ ...proof, challenge: 'made-up' })).status, 403)
  const form = formFields(await node.html('/publish/article')).token ?? ''
  t.is((await ask({ challenge: form, work: prove(form, workBits) })).status, 403, 'a token of a form')
  t.is((await ask(proof)).status, 201)
  t.like(await ask(proof), { status: 403, body: { error: 'stale_form' } })
})
