import test from 'ava'
import * as fc from 'fast-check'
import { aspectOf, inForce, standingOf } from '../../src/project/decisions.ts'
import type { KnownDecision } from '../../src/project/decisions.ts'

const NODE = 'n'

function decision(action: string, supersedes: string[] = [], reason?: string): KnownDecision {
  const at = '2026-01-01T00:00:00.000Z-0000'
  return { action, supersedes, at, node: NODE, ...(reason === undefined ? {} : { reason }) }
}

test('what nobody decided on is published, shown, and takes comments', (t) => {
  t.deepEqual(standingOf({}), { hidden: false, status: 'published', sticky: false, locked: false })
})

test('each aspect is settled by itself: who promotes does not unhide', (t) => {
  const standing = standingOf({
    a: decision('hide', [], 'names a minor'),
    b: decision('feature', ['a']),
    c: decision('stick'),
    d: decision('lock'),
  })
  t.deepEqual(standing, {
    hidden: true,
    reason: 'names a minor',
    status: 'featured',
    sticky: true,
    locked: true,
  })
})

test('a decision ends what its moderator saw, and the most restrictive of several counts', (t) => {
  t.false(standingOf({ a: decision('hide'), b: decision('unhide', ['a']) }).hidden)
  t.true(standingOf({ a: decision('hide'), b: decision('unhide') }).hidden)
  t.true(standingOf({ a: decision('hide'), b: decision('unhide', ['a']), c: decision('hide') }).hidden)
  t.is(standingOf({ a: decision('feature'), b: decision('promote') }).status, 'promoted')
  t.is(standingOf({ a: decision('feature'), b: decision('promote', ['a']) }).status, 'promoted')
})

test('actions of later versions, and decisions that name themselves or each other, do no harm', (t) => {
  t.is(aspectOf('levitate'), undefined)
  t.false(standingOf({ a: decision('levitate') }).hidden)
  t.true(standingOf({ a: decision('hide', ['a']) }).hidden)
  // Two that end each other end: neither is in force, as nobody could have seen both.
  t.deepEqual(inForce({ a: decision('hide', ['b']), b: decision('hide', ['a']) }, 'visibility'), [])
})

const action = fc.constantFrom(
  'hide',
  'unhide',
  'publish',
  'promote',
  'feature',
  'stick',
  'unstick',
  'lock',
  'x',
)
const history = fc
  .array(fc.record({ action, seen: fc.array(fc.nat({ max: 9 }), { maxLength: 4 }) }), { maxLength: 10 })
  .map((list) =>
    list.map(({ action: what, seen }, index): [string, KnownDecision] => [
      `d${index}`,
      decision(
        what,
        seen.filter((number) => number < index).map((number) => `d${number}`),
      ),
    ]),
  )

test('the order in which decisions arrive never matters', (t) => {
  fc.assert(
    fc.property(history, fc.infiniteStream(fc.nat()), (list, order) => {
      const shuffled = [...list].sort(() => ((order.next().value as number) % 2 === 0 ? 1 : -1))
      t.deepEqual(standingOf(Object.fromEntries(shuffled)), standingOf(Object.fromEntries(list)))
    }),
  )
})

test('nothing that did not know of a hide undoes it', (t) => {
  fc.assert(
    fc.property(history, (list) => {
      const decisions = Object.fromEntries([...list, ['hide', decision('hide')]] as [string, KnownDecision][])
      t.true(standingOf(decisions).hidden)
    }),
  )
})
