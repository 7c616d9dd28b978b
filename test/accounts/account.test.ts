import test from 'ava'
import * as fc from 'fast-check'
import { accountProblem, mergeAccounts, readAccount, rolesOf } from '../../src/accounts/account.ts'
import type { AccountDocument, Entry } from '../../src/accounts/account.ts'
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
