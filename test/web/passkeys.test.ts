import test from 'ava'
import type { ExecutionContext } from 'ava'
import { accountProblem } from '../../src/accounts/account.ts'
import type { AccountDocument } from '../../src/accounts/account.ts'
import { Authenticator } from '../helpers/authenticator.ts'
import type { Asked } from '../helpers/authenticator.ts'
import { startNode } from '../helpers/node.ts'
import type { TestNode } from '../helpers/node.ts'
import { codeOf, enrol, invite, PASSWORD, setUp, Visitor } from '../helpers/people.ts'

const HOST = 'news.example.org'
const ORIGIN = `http://${HOST}`

/** A node that readers know by a name, as browsers ask for passkeys. */
function startNamed(t: ExecutionContext): Promise<TestNode> {
  return startNode(t, { HYPERACTIVE_URL: ORIGIN })
}

async function options(visitor: Visitor, page: string, fields = {}): Promise<Asked & { problem?: string }> {
  const action = page === '/account' ? '/account/passkeys/options' : '/sign-in/passkey/options'
  const response = await visitor.send(page, fields, action)
  return (await response.json()) as Asked & { problem?: string }
}

async function add(visitor: Visitor, device: Authenticator, label = ''): Promise<string> {
  const asked = await options(visitor, '/account', { password: PASSWORD })
  const fields = { label, answer: device.register(asked) }
  const answer = await visitor.send('/account', fields, '/account/passkeys')
  return answer.text()
}

/** Somebody who has typed handle and password. */
async function half(node: TestNode, handle: string): Promise<Visitor> {
  const visitor = new Visitor(node)
  await visitor.send('/sign-in', { handle, password: PASSWORD })
  return visitor
}

async function signIn(node: TestNode, handle: string, device: Authenticator): Promise<number> {
  const visitor = await half(node, handle)
  const answer = device.use(await options(visitor, '/sign-in/code'))
  return (await visitor.send('/sign-in/code', { answer }, '/sign-in/passkey')).status
}

function stored(node: TestNode, handle: string): Promise<AccountDocument> {
  return node.withCouch(async (couch) => {
    const { rows } = await couch.database('people').allDocs({ include_docs: true })
    const found = rows.map(({ doc }) => doc as unknown as AccountDocument)
    const account = found.find(({ entries }) => entries?.handle?.value === handle)
    if (!account) throw new Error(`there is no ${handle}`)
    return account
  })
}

test('a passkey is a second factor: recovery codes, roles, other sessions, and its removal', async (t) => {
  const node = await startNamed(t)
  const root = await setUp(node)
  const visitor = await invite(node, root, 'mod', { roles: ['moderator'], second: false })
  const other = await half(node, 'mod')
  t.is((await other.get('/account')).status, 200, 'there is no second factor yet')
  t.is((await visitor.get('/office')).status, 403)

  const wrong = await visitor.send('/account', { password: 'no' }, '/account/passkeys/options')
  t.is(wrong.status, 403)
  t.like(await wrong.json(), { problem: 'The password is wrong; nothing was changed.' })
  const device = new Authenticator(ORIGIN)
  const shown = await add(visitor, device, ` <b>blue</b>\n${'🔑'.repeat(100)}`)
  const recovery = [...shown.matchAll(/<li><code>([^<]+)<\/code>/g)].map(([, code = '']) => code)
  t.is(recovery.length, 10)
  t.is((await visitor.get('/office')).status, 200)
  t.is((await other.get('/account')).status, 303, 'other sessions have ended')
  const page = await visitor.html('/account')
  t.true(page.includes('&lt;b&gt;blue&lt;/b&gt; 🔑'))
  t.true(page.includes(`works at ${HOST} only`))
  t.true(page.includes('A passkey is set up; 10 recovery codes are left.'))
  t.is(accountProblem(await stored(node, 'mod')), undefined, 'a peer takes it')

  t.is(await signIn(node, 'mod', device), 303)
  const [used = ''] = recovery
  const lost = await half(node, 'mod')
  t.is((await lost.get('/office')).status, 303, 'half signed in is not in')
  t.is((await lost.send('/sign-in/code', { code: used })).status, 303)

  const second = new Authenticator(ORIGIN)
  await add(visitor, second)
  t.true((await options(visitor, '/account', { password: PASSWORD })).excludeCredentials?.length === 2)
  t.is((await lost.get('/office')).status, 200, 'a further one ends no session')
  const remove = (fields: Record<string, string>) =>
    visitor.send('/account', fields, '/account/passkeys/remove')
  t.is((await remove({ passkey: device.id, password: 'no' })).status, 403)
  t.is((await remove({ passkey: 'x', password: PASSWORD })).status, 422)
  t.is((await remove({ passkey: device.id, password: PASSWORD })).status, 303)
  t.is((await lost.get('/office')).status, 303, 'other sessions have ended')
  t.is(await signIn(node, 'mod', device), 403)
  t.is((await visitor.get('/office')).status, 200)
  t.is((await remove({ passkey: second.id, password: PASSWORD })).status, 303)
  t.is((await visitor.get('/office')).status, 403, 'without any second factor the role does not count')
})

test('what a browser sends as a new passkey is checked, and a challenge counts once', async (t) => {
  const node = await startNamed(t)
  const root = await setUp(node)
  const visitor = await invite(node, root, 'ada', { second: false })
  const device = new Authenticator(ORIGIN)
  const send = async (answer: string) =>
    (await visitor.send('/account', { answer, label: 'mine' }, '/account/passkeys')).status
  const ask = () => options(visitor, '/account', { password: PASSWORD })

  t.is(await send(device.register({ challenge: 'A'.repeat(43), rp: { id: HOST } })), 422, 'nobody asked')
  const first = await ask()
  const second = await ask()
  t.is(await send(device.register(first)), 422, 'the later challenge counts')
  t.is(await send(device.register(second)), 422, 'which a wrong answer used up')

  const deep = Buffer.alloc(60_000, 0x81).toString('base64url')
  const garbage: ((asked: Asked) => string)[] = [
    () => '',
    () => '{',
    () => 'null',
    () => '[]',
    () => '{"id":1}',
    (asked) => device.use({ ...asked, rpId: HOST }),
    (asked) => device.register({ ...asked, rp: { id: 'evil.example' } }),
    (asked) => new Authenticator('https://evil.example').register(asked),
    (asked) => new Authenticator(ORIGIN, 4).register(asked),
    (asked) => new Authenticator(ORIGIN, 1024).register(asked),
    (asked) => device.register(asked).replace(/"attestationObject":"[^"]+"/, `"attestationObject":"${deep}"`),
    (asked) => device.register(asked).replace(/"attestationObject":"[^"]+"/, '"attestationObject":"oA"'),
    (asked) => device.register(asked).replace(/"clientDataJSON":"[^"]+"/, '"clientDataJSON":"bnVsbA"'),
    // What says who made the device was not asked for.
    (asked) => device.register(asked, ['packed', new Map([['x5c', [new Uint8Array(3)]]])]),
    (asked) => device.register(asked, ['tpm', new Map()]),
    (asked) => device.register(asked, ['no such', new Map()]),
  ]
  for (const [index, make] of garbage.entries()) t.is(await send(make(await ask())), 422, String(index))
  t.deepEqual(
    Object.keys((await stored(node, 'ada')).entries).filter((name) => name.startsWith('passkey')),
    [],
  )
  const asked = await ask()
  t.is(await send(device.register(asked)), 200)
  t.is(await send(device.register(asked)), 422, 'not twice')

  const itself = new Authenticator(ORIGIN)
  t.is(
    await send(itself.register(await ask(), 'itself')),
    303,
    'a key that vouches for itself tells nothing more',
  )
  for (let count = 2; count < 10; count += 1) await add(visitor, new Authenticator(ORIGIN))
  t.is((await ask()).problem, 'You have 10 passkeys already. Remove one first.')
})

test('a passkey signs in its own account, each challenge once, and guessing is slowed down', async (t) => {
  const node = await startNamed(t)
  const root = await setUp(node)
  const ada = await invite(node, root, 'ada', { second: false })
  const bob = await invite(node, root, 'bob', { second: false })
  const [own, foreign] = [new Authenticator(ORIGIN), new Authenticator(ORIGIN)]
  await add(ada, own)
  await add(bob, foreign)
  const visitor = await half(node, 'ada')
  t.true((await visitor.html('/sign-in/code')).includes('data-passkey="use"'))
  const asked = await options(visitor, '/sign-in/code')
  t.deepEqual(
    asked.allowCredentials?.map(({ id }) => id),
    [own.id],
  )
  const send = (answer: string, by = visitor) => by.send('/sign-in/code', { answer }, '/sign-in/passkey')
  t.is((await send(foreign.use(asked))).status, 403, 'of another account')
  const answer = own.use(asked)
  const late = await send(answer)
  t.is(late.status, 403, 'the challenge was used up')
  t.true((await late.text()).includes('The passkey was not accepted.'))
  const other = await half(node, 'ada')
  t.is(
    (await send(own.use(await options(visitor, '/sign-in/code')), other)).status,
    403,
    'of another browser',
  )
  const again = await options(visitor, '/sign-in/code')
  t.is((await send(foreign.use(again, own.id))).status, 403, 'another’s signature under its name')

  const good = own.use(await options(visitor, '/sign-in/code'))
  const pending = visitor.cookie
  const entered = await visitor.send('/sign-in/code', { answer: good, to: '/newswire' }, '/sign-in/passkey')
  t.is(entered.headers.get('location'), '/newswire')
  t.not(visitor.cookie, pending, 'the session has a new secret')
  const replayed = await half(node, 'ada')
  await options(replayed, '/sign-in/code')
  t.is((await send(good, replayed)).status, 403, 'a replay')

  const statuses: number[] = []
  for (let tries = 0; tries < 12 && statuses.at(-1) !== 429; tries += 1)
    statuses.push((await send('{"id":', replayed)).status)
  t.is(statuses.at(-1), 429, statuses.join(' '))
  const waits = await replayed.send('/sign-in/code', {}, '/sign-in/passkey/options')
  t.is(waits.status, 429)
  t.regex(waits.headers.get('retry-after') ?? '', /^\d+$/)
  t.is((await replayed.send('/sign-in/code', { code: '123456' })).status, 429, 'codes are counted with them')
  // Forms of other pages and people open nothing.
  t.is((await new Visitor(node).post('/sign-in/passkey', {})).headers.get('location'), '/sign-in')
  t.is((await bob.post('/account/passkeys', { answer: 'x' })).status, 403)
})

test('a device that counts must count on, and one that does not count signs in as well', async (t) => {
  const node = await startNamed(t)
  const root = await setUp(node)
  const ada = await invite(node, root, 'ada', { second: false })
  const [counts, countsNot] = [new Authenticator(ORIGIN), new Authenticator(ORIGIN)]
  counts.signed = 7
  await add(ada, counts)
  await add(ada, countsNot)
  t.is(await signIn(node, 'ada', counts), 403, 'it has not counted on')
  counts.signed = 9
  t.is(await signIn(node, 'ada', counts), 303)
  counts.signed = 8
  t.is(await signIn(node, 'ada', counts), 403, 'a copy of it')
  counts.signed = 0
  t.is(await signIn(node, 'ada', counts), 403)
  t.is(await signIn(node, 'ada', countsNot), 303)
  t.is(await signIn(node, 'ada', countsNot), 303)
  t.is(accountProblem(await stored(node, 'ada')), undefined)
})

test('a passkey of another host lets nobody in by the password alone: it takes a recovery code', async (t) => {
  const node = await startNamed(t)
  const root = await setUp(node)
  const visitor = await invite(node, root, 'mod', { roles: ['moderator'], second: false })
  const device = new Authenticator(ORIGIN)
  const [, code = ''] = /<li><code>([^<]+)<\/code>/.exec(await add(visitor, device)) ?? []
  await node.stop()
  // From here on the node goes by a number, where there are no passkeys.
  await node.start()
  t.is((await visitor.get('/office')).status, 200, 'the role counts')
  const page = await visitor.html('/account')
  t.true(page.includes(`for ${HOST}`))
  t.true(page.includes('Passkeys need a node with a name.'))
  t.truthy((await options(visitor, '/account', { password: PASSWORD })).problem)

  const elsewhere = await half(node, 'mod')
  t.is((await elsewhere.get('/office')).status, 303)
  const asked = await elsewhere.html('/sign-in/code')
  t.true(asked.includes('Enter a recovery code.'))
  t.false(asked.includes('data-passkey'))
  t.truthy((await options(elsewhere, '/sign-in/code')).problem)
  const answer = device.use({ challenge: 'A'.repeat(43), rpId: HOST })
  t.is((await elsewhere.send('/sign-in/code', { answer }, '/sign-in/passkey')).status, 403)
  t.is((await elsewhere.send('/sign-in/code', { code, to: '/office' })).headers.get('location'), '/office')
})

test('one-time codes and passkeys stand beside each other; reset and closing take all away', async (t) => {
  const node = await startNamed(t)
  const root = await setUp(node)
  const visitor = await invite(node, root, 'mod', { roles: ['moderator'], second: false })
  const { secret } = await enrol(visitor)
  const device = new Authenticator(ORIGIN)
  device.signed = 3
  t.false((await add(visitor, device)).includes('class="codes"'), 'the recovery codes stay')
  t.is((await (await half(node, 'mod')).send('/sign-in/code', { code: codeOf(secret, 1) })).status, 303)
  device.signed = 4
  t.is(await signIn(node, 'mod', device), 303)
  const listed = await node.run('account', 'list')
  t.regex(listed.out, /^mod {2}moderator {2}with one-time codes, 1 passkey$/m)
  t.regex(await root.html('/office/people'), />mod<[^]*?with a second factor/)

  t.is((await node.run('account', 'reset', 'mod', '--second-factor')).code, 0)
  t.is((await visitor.get('/office')).status, 403)
  t.is((await (await half(node, 'mod')).get('/account')).status, 200, 'the password is enough')
  t.regex((await node.run('account', 'list')).out, /^mod {2}moderator\s*$/m)

  await add(visitor, new Authenticator(ORIGIN))
  const id = (await stored(node, 'mod'))._id.slice('account:'.length)
  t.is((await root.send('/office/people', {}, `/office/people/${id}/close`)).status, 303)
  const { entries } = await stored(node, 'mod')
  const left = Object.entries(entries).filter(
    ([name, { value }]) => name.startsWith('passkey') && value !== null,
  )
  t.deepEqual(left, [])
  t.is(accountProblem(await stored(node, 'mod')), undefined)
})
