import test from 'ava'
import * as fc from 'fast-check'
import { aspectOf, inForce, standingOf, supersededBy } from '../../src/project/decisions.ts'
import type { KnownDecision } from '../../src/project/decisions.ts'
import { policy } from '../helpers/policy.ts'

const NODE = 'n'
const OPEN = policy('own')

const standing = (decisions: Record<string, KnownDecision>) => standingOf(decisions, OPEN)

function decision(action: string, supersedes: string[] = [], reason?: string): KnownDecision {
  const at = '2026-01-01T00:00:00.000Z-0000'
  return { action, supersedes, at, node: NODE, ...(reason === undefined ? {} : { reason }) }
}

test('what nobody decided on is published, shown, and takes comments', (t) => {
  t.deepEqual(standing({}), { hidden: false, status: 'published', sticky: false, locked: false })
})

test('each aspect is settled by itself: who promotes does not unhide', (t) => {
  const made = standing({
    a: decision('hide', [], 'names a minor'),
    b: decision('feature', ['a']),
    c: decision('stick'),
    d: decision('lock'),
  })
  t.deepEqual(made, {
    hidden: true,
    reason: 'names a minor',
    status: 'featured',
    sticky: true,
    locked: true,
  })
})

test('a decision ends what its moderator saw, and the most restrictive of several counts', (t) => {
  t.false(standing({ a: decision('hide'), b: decision('unhide', ['a']) }).hidden)
  t.true(standing({ a: decision('hide'), b: decision('unhide') }).hidden)
  t.true(standing({ a: decision('hide'), b: decision('unhide', ['a']), c: decision('hide') }).hidden)
  t.is(standing({ a: decision('feature'), b: decision('promote') }).status, 'promoted')
  t.is(standing({ a: decision('feature'), b: decision('promote', ['a']) }).status, 'promoted')
})

test('actions of later versions, and decisions that name themselves or each other, do no harm', (t) => {
  t.is(aspectOf('levitate'), undefined)
  t.false(standing({ a: decision('levitate') }).hidden)
  t.true(standing({ a: decision('hide', ['a']) }).hidden)
  // Two that end each other end: neither is in force, as nobody could have seen both.
  t.deepEqual(inForce({ a: decision('hide', ['b']), b: decision('hide', ['a']) }, 'visibility', OPEN), [])
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
      t.deepEqual(standing(Object.fromEntries(shuffled)), standing(Object.fromEntries(list)))
    }),
  )
})

test('nothing that did not know of a hide undoes it', (t) => {
  fc.assert(
    fc.property(history, (list) => {
      const decisions = Object.fromEntries([...list, ['hide', decision('hide')]] as [string, KnownDecision][])
      t.true(standing(decisions).hidden)
    }),
  )
})

test('a policy says whose decisions count; its own node’s always do', (t) => {
  const decisions = { a: { ...decision('hide'), node: 'far' } }
  t.true(standingOf(decisions, policy('own', { decisions: 'all' })).hidden)
  t.false(standingOf(decisions, policy('own', { decisions: 'own' })).hidden)
  t.true(standingOf(decisions, policy('far', { decisions: 'own' })).hidden)
  t.true(standingOf(decisions, policy('own', { decisions: ['far'] })).hidden)
  t.false(standingOf(decisions, policy('own', { decisions: ['near'] })).hidden)
  // What does not count takes nothing else out of force.
  const undone = { ...decisions, b: { ...decision('unhide', ['a']), node: 'near' } }
  t.true(standingOf(undone, policy('own', { decisions: ['far'] })).hidden)
})

test('hiding completely takes as many moderators as the policy says, and hides meanwhile', (t) => {
  const two = policy('own', { concealNeeds: 2 })
  const first = { ...decision('conceal'), by: 'x' }
  t.like(standingOf({ a: first }, policy('own')), { hidden: true, closed: 'concealed' })
  t.like(standingOf({ a: first }, two), { hidden: true, closed: undefined })
  const again = { ...decision('conceal'), by: 'x' }
  t.is(standingOf({ a: first, b: again }, two).closed, undefined, 'one who says it twice is one')
  t.is(standingOf({ a: first, b: { ...again, by: 'y' } }, two).closed, 'concealed')
  t.is(standingOf({ a: first, b: { ...again, node: 'far' } }, two).closed, undefined, 'nor on two nodes')
  const commands = { a: decision('conceal'), b: { ...decision('conceal'), node: 'far' } }
  t.is(standingOf(commands, two).closed, 'concealed', 'the command lines of two nodes are two')
  t.deepEqual(supersededBy({ action: 'conceal', node: NODE, by: 'y' }, { a: first }, two), [])
  t.deepEqual(supersededBy({ action: 'conceal', node: NODE, by: 'x' }, { a: first }, two), ['a'])
  t.deepEqual(supersededBy({ action: 'unhide', node: NODE, by: 'y' }, { a: first }, two), ['a'])
})

test('what its author withdrew no moderator brings back, whatever the policy', (t) => {
  const decisions = {
    a: { ...decision('withdraw'), node: 'far' },
    b: decision('unhide'),
    c: decision('feature'),
  }
  const own = policy('own', { decisions: 'own' })
  t.like(standingOf(decisions, own), { hidden: true, closed: 'withdrawn' })
  t.like(standingOf({ ...decisions, d: decision('reinstate', ['a']) }, own), {
    hidden: false,
    closed: undefined,
  })
})

const reviewed = (decisions: Record<string, KnownDecision>) =>
  standingOf(decisions, OPEN, { needsReview: true })

test('what needs review is closed until somebody approves of it or puts it forward', (t) => {
  t.like(reviewed({}), { hidden: true, closed: 'awaiting' })
  t.like(reviewed({ a: decision('lock') }), { closed: 'awaiting' })
  for (const action of ['approve', 'unhide', 'promote', 'feature'])
    t.like(reviewed({ a: decision(action) }), { hidden: false, closed: undefined }, action)
  // Whoever hides it has read it: it stands behind the notice like everything that is hidden.
  t.like(reviewed({ a: decision('hide') }), { hidden: true, closed: undefined })
})
