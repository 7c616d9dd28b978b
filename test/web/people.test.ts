import type { Router } from '@koa/router'
import test from 'ava'
import { allows, allowsOn, GRANTED, PERMISSIONS } from '../../src/accounts/permissions.ts'
import type { Relation, Role } from '../../src/accounts/permissions.ts'
import { apiRouter } from '../../src/api/api.ts'
import { createPages } from '../../src/web/app.ts'
import type { WebContext } from '../../src/web/context.ts'
import type { Guard } from '../../src/web/may.ts'
import { startNodeWith } from '../helpers/config.ts'
import { publish } from '../helpers/forms.ts'
import { makeGroup, publishAt } from '../helpers/groups.ts'
import { newKey } from '../helpers/keys.ts'
import { startNode } from '../helpers/node.ts'
import { codeOf, enrol, invite, PASSWORD, setUp, Visitor } from '../helpers/people.ts'
import { until } from '../helpers/wait.ts'

const SIGN_IN = { handle: 'root', password: PASSWORD }

test('the first administrator is made by a link that the node prints, once', async (t) => {
  const node = await startNode(t)
  const link = await until('the link', () => /set up {3}http:\/\/[^/]+(\/\S+)/.exec(node.output)?.[1])
  const visitor = new Visitor(node)
  const bad = await visitor.send(link, { handle: 'R', name: '', email: 'x', password: 'short' })
  t.is(bad.status, 422)
  const page = await bad.text()
  for (const id of ['handle', 'email', 'password']) t.true(page.includes(`id="${id}-problem"`), id)
  const made = await visitor.send(link, { ...SIGN_IN, name: 'Ada <b>', email: '' })
  t.is(made.status, 303)
  t.regex(made.headers.get('set-cookie') ?? '', /^hyperactive=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax$/)
  t.is((await new Visitor(node).get(link)).status, 404, 'the link is used up')
  // Until there is a second factor the account has no rights but on itself.
  t.is((await visitor.get('/office')).status, 403)
  const account = await visitor.html('/account')
  t.true(account.includes('Ada &lt;b&gt;'))
  t.regex(account, /<svg [^]*<\/svg>/)
  const { recovery } = await enrol(visitor)
  t.is(recovery.length, 10)
  t.is((await visitor.get('/office')).status, 200)
  t.is((await visitor.get('/office/people')).headers.get('cache-control'), 'no-store')
  t.is((await visitor.get('/')).headers.get('cache-control'), 'no-store')

  await node.stop()
  await node.start()
  t.false(node.output.includes('set up'), 'there is an administrator')
  t.is((await visitor.get('/office')).status, 200, 'the session outlives a restart')
})

test('under an address with TLS the cookie is sent nowhere else and never without TLS', async (t) => {
  const node = await startNodeWith(t, 'url: https://news.example.org\n')
  const link = await until(
    'the link',
    () => /set up {3}https:\/\/news\.example\.org(\/\S+)/.exec(node.output)?.[1],
  )
  const visitor = new Visitor(node)
  const made = await visitor.send(link, { ...SIGN_IN, name: '', email: '' })
  const given = /^__Host-hyperactive=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Secure$/
  t.regex(made.headers.get('set-cookie') ?? '', given)
  t.is((await visitor.get('/account')).status, 200)
  const out = await visitor.send('/account', {}, '/account/sign-out-everywhere')
  t.is(
    out.headers.get('set-cookie'),
    '__Host-hyperactive=; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=0',
    'a browser takes the cookie away only under the same conditions',
  )
  t.is((await visitor.get('/account')).status, 303)
})

test('signing in takes the password and the code, and each code once', async (t) => {
  const node = await startNode(t)
  const first = await setUp(node)
  await first.send('/account', {}, '/account/sign-out-everywhere')
  t.is((await first.get('/account')).status, 303)

  const visitor = new Visitor(node)
  t.is((await visitor.send('/sign-in', { ...SIGN_IN, password: 'wrong' })).status, 403)
  const unknown = await visitor.send('/sign-in', { handle: 'nobody', password: 'wrong' })
  const wrong = await visitor.send('/sign-in', { ...SIGN_IN, password: 'wrong' })
  const withoutSecrets = async (response: typeof wrong) =>
    (await response.text()).replaceAll(/name="(token|handle)"[^>]*>/g, '')
  t.is(await withoutSecrets(unknown), await withoutSecrets(wrong), 'it does not tell which handles there are')
  const entered = await visitor.send('/sign-in', { ...SIGN_IN, to: '/office' })
  t.is(entered.headers.get('location'), '/sign-in/code?to=%2Foffice')
  t.is(
    (await visitor.get('/office')).headers.get('location'),
    '/sign-in?to=%2Foffice',
    'half signed in is not in',
  )
  t.is((await visitor.get('/account')).status, 303)
  t.is((await visitor.send('/sign-in/code', { code: '000000' })).status, 403)

  const stranger = await node.page('/sign-in', {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'cross-site' },
    body: new URLSearchParams(SIGN_IN).toString(),
  })
  t.is(stranger.status, 403)
  const elsewhere = await new Visitor(node).send('/sign-in', { ...SIGN_IN, to: '//evil.example/' })
  t.is(elsewhere.headers.get('location'), '/sign-in/code?to=%2Faccount', 'nobody is sent elsewhere')
})

test('a recovery code replaces the second factor once; a new password ends all sessions', async (t) => {
  const node = await startNode(t)
  const administrator = await setUp(node)
  const visitor = await invite(node, administrator, 'mod', { roles: ['moderator'], second: false })
  const { secret, code, recovery } = await enrol(visitor)
  const signIn = async () => {
    const fresh = new Visitor(node)
    await fresh.send('/sign-in', { handle: 'mod', password: PASSWORD })
    return fresh
  }
  const [used = '', left = ''] = recovery
  const other = await signIn()
  t.is((await other.send('/sign-in/code', { code: used, to: '/office' })).headers.get('location'), '/office')
  t.is((await (await signIn()).send('/sign-in/code', { code: used })).status, 403, 'not twice')
  t.is((await (await signIn()).send('/sign-in/code', { code })).status, 403, 'used to enrol')
  const third = await signIn()
  t.is((await third.send('/sign-in/code', { code: codeOf(secret, 1) })).status, 303)

  const wrong = await visitor.send(
    '/account',
    { password: 'x', new: 'another long password' },
    '/account/password',
  )
  t.is(wrong.status, 403)
  const changed = await visitor.send(
    '/account',
    { password: PASSWORD, new: 'another long password' },
    '/account/password',
  )
  t.is(changed.status, 303)
  t.is((await visitor.get('/office')).status, 200)
  for (const ended of [other, third]) t.is((await ended.get('/office')).status, 303)
  t.is((await (await signIn()).get('/sign-in/code')).headers.get('location'), '/sign-in')
  t.true(left !== '')
})

test('administrators invite, give and take roles, close accounts, and never the last of them', async (t) => {
  const node = await startNode(t)
  const root = await setUp(node)
  const visitor = await invite(node, root, 'ada', { roles: ['moderator', 'editor'] })
  t.is((await visitor.get('/office')).status, 200)
  t.is((await visitor.get('/office/people')).status, 403)
  const idOf = async (handle: string) =>
    new RegExp(`account-([0-9a-z]{20})"><span dir="ltr">${handle}<`).exec(
      await root.html('/office/people'),
    )?.[1] ?? ''
  const [ada, own] = [await idOf('ada'), await idOf('root')]
  const send = (account: string, what: string, fields = {}) =>
    root.send('/office/people', fields, `/office/people/${account}/${what}`)
  t.is((await send(ada, 'roles')).status, 303)
  t.is((await visitor.get('/office')).status, 403, 'the role is gone at once')
  t.is((await send(own, 'roles')).status, 409)
  t.is((await send(own, 'close')).status, 409)
  t.is((await send('0'.repeat(20), 'close')).status, 404)

  const reset = await send(ada, 'reset')
  const link = /class="link">http:\/\/[^/]+(\/[^<]+)</.exec(await reset.text())?.[1] ?? ''
  const anew = new Visitor(node)
  t.is((await anew.send(link, { password: 'something else to keep' })).status, 303)
  t.is((await anew.get(link)).status, 404)
  t.is((await visitor.get('/account')).status, 303, 'a new password ends the sessions')
  t.is((await send(ada, 'close')).status, 303)
  t.is((await anew.send('/sign-in', { handle: 'ada', password: 'something else to keep' })).status, 403)
  t.is((await anew.post('/office/people/invite', {})).status, 403)
  // A form of somebody else's session is not taken.
  const { token = '' } = {
    token: /name="token" value="([^"]+)"/.exec(await root.html('/office/people'))?.[1],
  }
  const second = await invite(node, root, 'bob', { roles: ['administrator'] })
  t.is((await second.post('/office/people/invite', { token })).status, 403)
})

test('guessing a password is slowed down, with a wait that is said', async (t) => {
  const node = await startNode(t)
  await setUp(node)
  const visitor = new Visitor(node)
  const statuses: number[] = []
  for (let tries = 0; tries < 12 && statuses.at(-1) !== 429; tries += 1)
    statuses.push((await visitor.send('/sign-in', { ...SIGN_IN, password: `guess ${tries}` })).status)
  t.is(statuses.at(-1), 429, statuses.join(' '))
  const answer = await visitor.send('/sign-in', SIGN_IN)
  t.is(answer.status, 429, 'not even with the right one')
  t.regex(answer.headers.get('retry-after') ?? '', /^\d+$/)
})

interface GuardedRoute {
  method: 'GET' | 'POST'
  /** As the router has it. */
  pattern: string
  /** An address that names nothing. */
  path: string
  guard: Guard
}

/** Enough to make routers that answer nothing. */
const bareContext = () => ({ nodeKey: newKey(), config: {}, media: {} }) as unknown as WebContext

/** Every route of the pages. */
async function allRoutes(): Promise<GuardedRoute[]> {
  const router: Router = createPages(bareContext())
  return router.stack.map(({ methods, path, stack }) => ({
    method: methods.includes('POST') ? 'POST' : 'GET',
    pattern: String(path),
    path: String(path)
      .replaceAll(/\{[^}]*\}/g, '')
      .replace(':kind', 'articles')
      .replace(':item', '01m83yydzved5b913tktd3xrqc')
      .replaceAll(/:(\w+)/g, 'x'),
    guard: stack[0] as unknown as Guard,
  }))
}

test('every route names its permission, and lets exactly those pass who have it', async (t) => {
  const routes = await allRoutes()
  t.true(routes.length > 60)
  for (const { path, guard } of routes) t.is(typeof guard.permission, 'string', path)

  const node = await startNode(t)
  const root = await setUp(node)
  const people: [Role[], Visitor][] = [
    [['reader'], new Visitor(node)],
    [['reader', 'member'], await invite(node, root, 'member', { second: false })],
  ]
  for (const role of GRANTED)
    people.push([['reader', 'member', role], await invite(node, root, `a-${role}`, { roles: [role] })])
  for (const [roles, visitor] of people) {
    for (const { method, path, guard } of routes) {
      const { refused, toSignIn, status } = await walk(visitor, method, path)
      const label = `${method} ${path} as ${roles.at(-1) ?? ''} (${guard.permission}): ${status}`
      t.is(refused, !allows(guard.permission, roles), label)
      if (refused && method === 'GET' && !roles.includes('member')) t.true(toSignIn, label)
    }
  }
})

test('every route for programs names its permission too, and is one for everybody', (t) => {
  const asked: Record<string, string> = {}
  // What is used by all routes names no method.
  const routes = apiRouter(bareContext()).stack.filter(({ methods }) => methods.length > 0)
  t.true(routes.length > 15)
  for (const { methods, path, stack } of routes) {
    const { permission } = stack[0] as unknown as Partial<Guard>
    const label = `${methods.join()} ${String(path)}`
    if (permission === undefined || !Object.hasOwn(PERMISSIONS, permission)) t.fail(label)
    // Nobody is signed in here, so that another permission would let nobody pass.
    else t.true(allows(permission, ['reader']), label)
    if (methods.includes('POST')) asked[String(path)] = String(permission)
  }
  t.like(asked, {
    '/api/v1/items': 'publish',
    '/api/v1/items/:item/edits': 'edit-by-link',
    '/api/v1/items/:item/comments': 'comment',
  })
})

test('routes to an item let those pass who have the permission on it alone, and nobody on another', async (t) => {
  const node = await startNode(t)
  const root = await setUp(node)
  const [member, stranger, translator] = [
    await invite(node, root, 'ann', { second: false }),
    await invite(node, root, 'bob', { second: false }),
    await invite(node, root, 'tess', { roles: ['translator'], second: false }),
  ]
  const group = await makeGroup(member, 'Pedal radio')
  await makeGroup(stranger, 'Kitchen')
  const article = await publishAt(member, `${group.path}/publish/article`, { title: 'On air' })
  const original = await publish(node, { title: 'The river' })
  const form = `/publish/article?translation=${original.item}`
  const location = await publishAt(new Visitor(node), form, { title: 'El río', language: 'es' })
  const translation = location.replace(/\/published\/.*/, '')

  const routes = (await allRoutes()).filter(({ guard }) => guard.onItem)
  t.true(routes.length > 15)
  const cases: [Visitor, string, Role[], Relation[]][] = [
    [member, article, ['groupMember'], ['own-group']],
    [stranger, article, ['groupMember'], []],
    [translator, article, ['translator'], []],
    [translator, translation, ['translator'], ['translation']],
    [member, translation, ['groupMember'], ['translation']],
    [member, original.path, ['groupMember'], []],
    [new Visitor(node), article, ['reader'], ['own-group']],
  ]
  let passed = 0
  for (const [visitor, item, roles, relations] of cases) {
    for (const { method, pattern, guard } of routes) {
      // Where the address is a group's, the group is the item.
      const ofGroup = pattern.startsWith('/groups/')
      const id = ofGroup ? group.item : (item.split('/').at(-1) ?? '')
      const path = pattern
        .replaceAll(/\{[^}]*\}/g, '')
        .replace(':kind', 'articles')
        .replace(':item', id)
        .replaceAll(/:(\w+)/g, 'x')
      const own: Relation[] = ofGroup ? (visitor === member ? ['own-group'] : []) : relations
      const { refused, status } = await walk(visitor, method, path)
      t.is(
        refused,
        !allowsOn(guard.permission, roles, own),
        `${method} ${path} (${guard.permission}): ${status}`,
      )
      if (!refused) passed += 1
    }
  }
  t.true(passed > routes.length, String(passed))
})

/** Asks for a route as somebody, and says whether its guard refused them. */
async function walk(visitor: Visitor, method: 'GET' | 'POST', path: string) {
  const { cookie } = visitor
  const response = method === 'GET' ? await visitor.get(path) : await visitor.post(path, {})
  visitor.cookie = cookie
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream')
  // It goes on as long as somebody listens.
  if (isStream) await response.body?.cancel()
  const text = isStream ? '' : await response.text()
  const toSignIn = response.status === 303 && (response.headers.get('location') ?? '').startsWith('/sign-in?')
  const refused =
    toSignIn || (response.status === 403 && /may not do that|Sign in first|one-time codes as/.test(text))
  return { refused, toSignIn, status: response.status }
}
