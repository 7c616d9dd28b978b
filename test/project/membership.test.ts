import test from 'ava'
import * as fc from 'fast-check'
import { computeMembership } from '../../src/project/membership.ts'
import type { MembershipFacts } from '../../src/project/membership.ts'

const at = (n: number) => `2026-01-01T00:00:00.00${n}Z-0000`

function look(facts: MembershipFacts) {
  const members = computeMembership(facts)
  return ['a', 'b', 'c', 'd', 'e'].map((key) => [
    members.isMember(key),
    members.isEvicted(key),
    members.counts(key, at(5)),
  ])
}

test('a chain of admissions from the anchors makes a member, whatever the order', (t) => {
  const admissions = [
    { node: 'a', key: 'b', at: at(1) },
    { node: 'b', key: 'c', at: at(2) },
    { node: 'x', key: 'y', at: at(3) },
  ]
  for (const order of [admissions, admissions.toReversed()]) {
    const members = computeMembership({ anchors: ['a'], admissions: order, evictions: [] })
    t.deepEqual(
      ['a', 'b', 'c', 'x', 'y'].filter((key) => members.isMember(key)),
      ['a', 'b', 'c'],
    )
  }
})

test('an evicted key and those it alone let in are out; what it signed before still counts', (t) => {
  const admissions = [
    { node: 'a', key: 'b', at: at(1) },
    { node: 'b', key: 'c', at: at(2) },
  ]
  const members = computeMembership({
    anchors: ['a'],
    admissions,
    evictions: [{ node: 'a', key: 'b', at: at(5) }],
  })
  t.true(members.isEvicted('b'))
  t.false(members.isMember('b'))
  t.false(members.isMember('c'))
  t.true(members.counts('b', at(4)))
  t.false(members.counts('b', at(6)))
})

test('nobody evicts a member nearer to the anchors, nor this node itself', (t) => {
  const admissions = [{ node: 'a', key: 'b', at: at(1) }]
  const evictions = [{ node: 'b', key: 'a', at: at(2) }]
  t.true(computeMembership({ anchors: ['a'], admissions, evictions }).isMember('a'))
  const peers = computeMembership({
    anchors: ['own', 'peer'],
    admissions: [],
    evictions: [{ node: 'peer', key: 'own', at: at(2) }],
  })
  t.true(peers.isMember('own'))
})

test('two who evict each other are both out for a third', (t) => {
  const evictions = [
    { node: 'b', key: 'c', at: at(2) },
    { node: 'c', key: 'b', at: at(2) },
  ]
  const members = computeMembership({ anchors: ['a', 'b', 'c'], admissions: [], evictions })
  t.deepEqual(
    ['a', 'b', 'c'].filter((key) => members.isMember(key)),
    ['a'],
  )
})

test('a later admission by somebody as near lets an evicted key in again', (t) => {
  const facts = { anchors: ['a'], evictions: [{ node: 'a', key: 'b', at: at(2) }] }
  t.false(computeMembership({ ...facts, admissions: [{ node: 'a', key: 'b', at: at(1) }] }).isMember('b'))
  t.true(computeMembership({ ...facts, admissions: [{ node: 'a', key: 'b', at: at(3) }] }).isMember('b'))
})

test('the order of documents never matters', (t) => {
  const key = fc.constantFrom('a', 'b', 'c', 'd', 'e')
  const document = fc.record({ node: key, key, at: fc.nat(9).map(at) })
  const many = fc.array(document, { maxLength: 12 })
  fc.assert(
    fc.property(many, many, (admissions, evictions) => {
      t.deepEqual(
        look({ anchors: ['a', 'b'], admissions, evictions }),
        look({ anchors: ['a', 'b'], admissions: admissions.toReversed(), evictions: evictions.toReversed() }),
      )
    }),
  )
})
