import type { ExecutionContext } from 'ava'
import test from 'ava'
import { ACCESS_DATABASE } from '../../src/accounts/access.ts'
import type { AccessLink } from '../../src/accounts/access.ts'
import { openPeople } from '../../src/people-of-node.ts'
import { startStore } from '../helpers/store.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
const START = Date.now()

const LINK: AccessLink = { purpose: 'invitation', roles: ['moderator'], groups: [] }

async function open(t: ExecutionContext) {
  const store = await startStore(t)
  const { people, access } = await openPeople(store)
  const { id } = await people.create('ada', { password: 'no hash' })
  return {
    people,
    access,
    id,
    /** All that the database of sessions and links holds, beside its views. */
    stored: async () => {
      const { rows } = await store.couch.database(ACCESS_DATABASE).allDocs({ include_docs: true })
      return rows.filter(({ key }) => !key.startsWith('_')).map(({ doc }) => doc)
    },
  }
}

test('after an hour of use there is another secret, for one of two who ask at once; the former has a minute left', async (t) => {
  const { access, id, stored } = await open(t)
  const former = await access.begin(id, { whole: true }, START)
  t.like(await access.session(former, START + HOUR_MS), { secret: former, whole: true, next: undefined })

  const changed = START + HOUR_MS + 1
  const both = await Promise.all([access.session(former, changed), access.session(former, changed)])
  for (const session of both) t.is(session?.account.id, id)
  const [next = '', ...more] = both.flatMap((session) => session?.next ?? [])
  t.regex(next, /^[\w-]{43}$/)
  t.not(next, former)
  t.deepEqual(more, [], 'the second gets no secret')
  t.is((await stored()).length, 2)

  t.like(await access.session(former, changed + MINUTE_MS - 1), { whole: true, next: undefined })
  t.is(await access.session(former, changed + MINUTE_MS), undefined)
  t.like(await access.session(next, changed + MINUTE_MS), { secret: next, whole: true, next: undefined })
  t.is((await stored()).length, 2, 'no third secret came of it')
})

test('a session ends eight hours after its latest use', async (t) => {
  const { access, id } = await open(t)
  const unused = await access.begin(id, { whole: true }, START)
  t.truthy(await access.session(unused, START + 8 * HOUR_MS - 1))
  t.is(await access.session(unused, START + 8 * HOUR_MS), undefined)

  const used = await access.begin(id, { whole: true }, START)
  const latest = START + 30 * MINUTE_MS
  t.truthy(await access.session(used, latest))
  t.truthy(await access.session(used, latest + 8 * HOUR_MS - 1))
  t.is(await access.session(used, latest + 8 * HOUR_MS), undefined)
})

test('a session ends after seven days, however much it is used and whatever its secret', async (t) => {
  const { access, id } = await open(t)
  let secret = await access.begin(id, { whole: true }, START)
  const secrets = new Set([secret])
  const use = async (nowMs: number) => {
    const session = await access.session(secret, nowMs)
    secret = session?.next ?? secret
    secrets.add(secret)
    return session?.account.id
  }
  const end = START + 7 * DAY_MS
  for (let nowMs = START + 7 * HOUR_MS; nowMs < end; nowMs += 7 * HOUR_MS)
    t.is(await use(nowMs), id, String(nowMs - START))
  t.true(secrets.size > 20)
  t.is(await use(end - 2 * MINUTE_MS), id)
  t.is(await use(end - 1), id)
  for (const any of secrets) t.is(await access.session(any, end), undefined)
})

test('between the password and the code there are ten minutes, which use does not prolong', async (t) => {
  const { access, id } = await open(t)
  const pending = await access.begin(id, { whole: false }, START)
  for (const nowMs of [START, START + 6 * MINUTE_MS, START + 10 * MINUTE_MS - 1])
    t.like(await access.session(pending, nowMs), { whole: false, next: undefined })
  t.is(await access.session(pending, START + 10 * MINUTE_MS), undefined)

  const half = await access.session(pending, START)
  const secret = half && (await access.replace(half, { whole: true }))
  t.is(await access.session(pending, START), undefined, 'the secret from before the code is worth nothing')
  t.like(await access.session(secret ?? ''), { whole: true, account: { id } })
})

test('signing out everywhere ends all sessions of one account and no other’s; closing it does too', async (t) => {
  const { access, people, id, stored } = await open(t)
  const { id: other } = await people.create('bob', { password: 'no hash' })
  const [one, two, half, bobs] = [
    await access.begin(id, { whole: true }, START),
    await access.begin(id, { whole: true }, START),
    await access.begin(id, { whole: false }, START),
    await access.begin(other, { whole: true }, START),
  ]
  await access.end(one)
  t.is(await access.session(one, START), undefined)
  t.truthy(await access.session(two, START))
  await access.endAll(id)
  for (const ended of [two, half]) t.is(await access.session(ended, START), undefined)
  t.truthy(await access.session(bobs, START))
  t.is((await stored()).length, 1)
  t.truthy(await access.session(await access.begin(id, { whole: true }, START), START))

  // As it comes from a peer, where nobody removes the sessions of this node.
  await people.change(other, { closed: true })
  t.is(await access.session(bobs, START), undefined)
})

test('what has ended is removed when somebody signs in', async (t) => {
  const { access, id, stored } = await open(t)
  await access.begin(id, { whole: true }, START)
  await access.begin(id, { whole: false }, START)
  await access.makeLink(LINK, START)
  await access.begin(id, { whole: true }, START + HOUR_MS)
  t.is((await stored()).length, 3, 'the one that waited for its code is gone')
  await access.begin(id, { whole: true }, START + 8 * DAY_MS)
  t.is((await stored()).length, 1)
})

test('an invitation and a set-up link last seven days, a link to a new password one', async (t) => {
  const { access, id } = await open(t)
  for (const [purpose, days] of [
    ['set-up', 7],
    ['invitation', 7],
    ['reset', 1],
  ] as const) {
    const link = { ...LINK, purpose, account: id }
    const secret = await access.makeLink(link, START)
    t.like(await access.link(purpose, secret, START + days * DAY_MS - 1), link)
    t.is(await access.link(purpose, secret, START + days * DAY_MS), undefined, purpose)
    const old = await access.makeLink(link, Date.now() - days * DAY_MS)
    t.is(await access.takeLink(purpose, old), undefined, purpose)
  }
})

test('a link is for its purpose, and of two who take it at once one gets it', async (t) => {
  const { access } = await open(t)
  const secret = await access.makeLink(LINK)
  for (const purpose of ['set-up', 'reset'] as const) {
    t.is(await access.link(purpose, secret), undefined)
    t.is(await access.takeLink(purpose, secret), undefined)
  }
  for (const wrong of ['', 'x', `${secret}x`]) t.is(await access.takeLink('invitation', wrong), undefined)
  const take = () => access.takeLink('invitation', secret)
  const taken = (await Promise.all([take(), take()])).flatMap((link) => link ?? [])
  t.is(taken.length, 1)
  t.like(taken[0], LINK)
  t.is(await take(), undefined)
  t.is(await access.link('invitation', secret), undefined)
})

test('the links of one purpose are taken back and no others', async (t) => {
  const { access } = await open(t)
  const [first, second] = [
    await access.makeLink({ ...LINK, purpose: 'set-up' }),
    await access.makeLink({ ...LINK, purpose: 'set-up' }),
  ]
  const [invitation, reset] = [
    await access.makeLink(LINK),
    await access.makeLink({ ...LINK, purpose: 'reset' }),
  ]
  await access.forgetLinks('set-up')
  for (const gone of [first, second]) t.is(await access.takeLink('set-up', gone), undefined)
  await access.forgetLinks('set-up')
  t.truthy(await access.takeLink('invitation', invitation))
  t.truthy(await access.takeLink('reset', reset))
})

test('the store holds no secret of a session or a link in any form that could be used', async (t) => {
  const { access, id, stored } = await open(t)
  const session = await access.begin(id, { whole: true }, START)
  const next = (await access.session(session, START + 2 * HOUR_MS))?.next ?? ''
  const secrets = [session, next, await access.begin(id, { whole: false }, START)]
  for (const purpose of ['set-up', 'invitation', 'reset'] as const)
    secrets.push(await access.makeLink({ ...LINK, purpose }, START))
  const documents = await stored()
  t.is(documents.length, secrets.length)
  const text = JSON.stringify(documents)
  for (const secret of secrets) {
    t.regex(secret, /^[\w-]{43}$/)
    const bytes = Buffer.from(secret, 'base64url')
    for (const form of [secret, bytes.toString('hex'), bytes.toString('base64')]) t.false(text.includes(form))
  }
  // Whoever reads the store finds what stands in the ids, which opens nothing.
  for (const document of documents) {
    const found = document?._id.split(':').at(-1) ?? ''
    t.is(await access.session(found, START), undefined)
    t.is(await access.takeLink('invitation', found), undefined)
  }
})
