import test from 'ava'
import * as fc from 'fast-check'
import {
  accountProblem,
  hasSecondFactor,
  mergeAccounts,
  readAccount,
  rolesOf,
} from '../../src/accounts/account.ts'
import type { AccountDocument, Entry } from '../../src/accounts/account.ts'
import { Challenges } from '../../src/accounts/challenges.ts'
import { passkeyChanges, rpIdOf } from '../../src/accounts/passkeys.ts'
import { hybridTime } from '../../src/ledger/clock.ts'

const ID = `account:${'0'.repeat(20)}`

function account(entries: Record<string, [Entry['value'], number]>): AccountDocument {
  const made: Record<string, Entry> = {}
  for (const [name, [value, atMs]] of Object.entries(entries)) made[name] = { value, at: hybridTime(atMs) }
  return { _id: ID, type: 'account', entries: made }
}

const names = fc.constantFrom('handle', 'name', 'password', 'closed', 'role:moderator', 'role:editor', 'totp')
const value = fc.oneof(fc.string({ maxLength: 5 }), fc.boolean(), fc.constant(null))
const states = fc
  .dictionary(names, fc.tuple(value, fc.integer({ min: 0, max: 5 })))
  .map((entries) => account(entries as Record<string, [Entry['value'], number]>))

test('accounts merge to the same whatever the order, and once more changes nothing', (t) => {
  fc.assert(
    fc.property(states, states, states, (a, b, c) => {
      t.deepEqual(mergeAccounts(a, b), mergeAccounts(b, a))
      t.deepEqual(mergeAccounts(mergeAccounts(a, b), c), mergeAccounts(a, mergeAccounts(b, c)))
      t.deepEqual(mergeAccounts(mergeAccounts(a, b), b), mergeAccounts(a, b))
    }),
  )
})

test('a password changed here and a role taken there are both kept', (t) => {
  const before = account({ handle: ['ada', 1], password: ['old', 1], 'role:moderator': [true, 1] })
  const here = mergeAccounts(before, account({ password: ['new', 2] }))
  const there = mergeAccounts(before, account({ 'role:moderator': [false, 3] }))
  const merged = readAccount(mergeAccounts(here, there))
  t.like(merged, { handle: 'ada', password: 'new', roles: [] })
})

test('a closed account has no password and no roles, and stays closed', (t) => {
  const open = account({ handle: ['ada', 1], password: ['x', 1], 'role:editor': [true, 5] })
  const closed = readAccount(mergeAccounts(open, account({ closed: [true, 2] })))
  t.like(closed, { closed: true, password: '', roles: [] })
  t.deepEqual(rolesOf(closed), ['reader'])
})

test('what a peer sends as an account is checked', (t) => {
  const entries = { handle: { value: 'ada', at: hybridTime(1) } }
  t.is(accountProblem({ _id: ID, type: 'account', entries }), undefined)
  const bad: unknown[] = [
    undefined,
    null,
    'account',
    {},
    { _id: 'account:../../x', type: 'account', entries },
    { _id: ID, type: 'session', entries },
    { _id: ID, type: 'account', entries: [] },
    { _id: ID, type: 'account', entries: { handle: null } },
    { _id: ID, type: 'account', entries: { handle: { value: 'ada', at: 'now' } } },
    { _id: ID, type: 'account', entries: { handle: { value: '<b>', at: hybridTime(1) } } },
    { _id: ID, type: 'account', entries: { 'role:reader': { value: true, at: hybridTime(1) } } },
    { _id: ID, type: 'account', entries: { 'role:moderator': { value: 'yes', at: hybridTime(1) } } },
    { _id: ID, type: 'account', entries: { 'group:x': { value: true, at: hybridTime(1) } } },
    { _id: ID, type: 'account', entries: JSON.parse('{"__proto__": {"value": 1}}') as object },
  ]
  for (const document of bad) t.is(typeof accountProblem(document), 'string', JSON.stringify(document))
})

function at(atMs: number, changes: Record<string, Entry['value']>): AccountDocument {
  return account(Object.fromEntries(Object.entries(changes).map(([name, value]) => [name, [value, atMs]])))
}

const PASSKEY = {
  id: 'p'.repeat(43),
  publicKey: 'k'.repeat(100),
  rpId: 'news.example.org',
  transports: ['usb'],
  label: 'blue key',
  signed: 3,
}

test('a passkey added here and one removed there are both so, and a passkey is a second factor', (t) => {
  const other = { ...PASSKEY, id: 'q'.repeat(43), signed: 0 }
  const before = at(1, passkeyChanges(PASSKEY))
  t.like(readAccount(before).passkeys[0], { ...PASSKEY, addedAt: hybridTime(1) })
  const here = mergeAccounts(before, at(2, passkeyChanges(other)))
  const there = mergeAccounts(before, at(3, { [`passkey:${PASSKEY.id}`]: null }))
  const merged = mergeAccounts(here, there)
  t.is(accountProblem(merged), undefined)
  t.deepEqual(
    readAccount(merged).passkeys.map(({ id }) => id),
    [other.id],
  )
  t.true(hasSecondFactor(readAccount(merged)))
  const none = mergeAccounts(merged, at(4, { [`passkey:${other.id}`]: null }))
  t.false(hasSecondFactor(readAccount(none)))
  t.deepEqual(readAccount(mergeAccounts(merged, at(4, { closed: true }))).passkeys, [])
})

test('what a peer sends as a passkey is checked', (t) => {
  const { id, signed: _signed, ...stored } = PASSKEY
  const problem = (value: unknown, name = `passkey:${id}`) =>
    accountProblem(account({ [name]: [value as Entry['value'], 1] }))
  t.is(problem(JSON.stringify(stored)), undefined)
  t.is(problem(null), undefined)
  t.is(problem(0xffff_ffff, `passkeySigned:${id}`), undefined)
  const bad: [unknown, string?][] = [
    [true],
    [''],
    ['null'],
    ['{"publicKey":'],
    [stored],
    [JSON.stringify({ ...stored, more: 1 })],
    [JSON.stringify({ ...stored, publicKey: 'k'.repeat(1001) })],
    [JSON.stringify({ ...stored, publicKey: '<script>'.repeat(10) })],
    [JSON.stringify({ ...stored, rpId: 'https://news.example.org' })],
    [JSON.stringify({ ...stored, rpId: '' })],
    [JSON.stringify({ ...stored, transports: Array.from({ length: 9 }, () => 'usb') })],
    [JSON.stringify({ ...stored, transports: ['<b>'] })],
    [JSON.stringify({ ...stored, label: 'x'.repeat(121) })],
    [`${JSON.stringify(stored)}${' '.repeat(2000)}`],
    [JSON.stringify(stored), 'passkey:short'],
    [JSON.stringify(stored), `passkey:${'p'.repeat(1365)}`],
    [JSON.stringify(stored), `passkey:${id}/`],
    [-1, `passkeySigned:${id}`],
    [1.5, `passkeySigned:${id}`],
    ['1', `passkeySigned:${id}`],
  ]
  for (const [value, name] of bad) t.is(typeof problem(value, name), 'string', JSON.stringify(value))
  t.deepEqual(readAccount(account({ [`passkey:${id}`]: ['no JSON', 1] })).passkeys, [])
})

test('passkeys are bound to a name, never to a number', (t) => {
  t.is(rpIdOf('https://News.Example.org:8443/x'), 'news.example.org')
  t.is(rpIdOf('http://localhost:8080'), 'localhost')
  t.is(rpIdOf('https://bücher.example'), 'xn--bcher-kva.example')
  for (const url of ['http://127.0.0.1:8080', 'http://[::1]:8080', 'http://2130706433', 'nothing', ''])
    t.is(rpIdOf(url), undefined, url)
})

test('a challenge is random, for one subject, used up once, and lasts five minutes', (t) => {
  const challenges = new Challenges()
  const first = challenges.issue('a', 0)
  t.regex(first, /^[\w-]{43}$/)
  const second = challenges.issue('a', 0)
  t.not(first, second)
  t.is(challenges.take('b', 1), undefined)
  t.is(challenges.take('a', 1), second, 'the later one counts')
  t.is(challenges.take('a', 1), undefined)
  challenges.issue('a', 0)
  t.is(challenges.take('a', 5 * 60_000), undefined)
  for (let count = 0; count <= 10_000; count += 1) challenges.issue(`subject ${count}`, 0)
  t.is(challenges.take('subject 0', 1), undefined, 'the oldest is forgotten')
  t.is(typeof challenges.take('subject 1', 1), 'string')
})
