import test from 'ava'
import { isExecuted, isToExecute, ordersInForce } from '../../src/project/erasures.ts'
import type { KnownErasure } from '../../src/project/erasures.ts'
import { policy } from '../helpers/policy.ts'

const OWN = 'own'
const at = '2026-01-01T00:00:00.000Z-0000'
const order = (node: string): KnownErasure => ({ at, node, category: 'danger' })
const answer = (node: string, to: string, did: 'executed' | 'declined'): KnownErasure => ({
  at,
  node,
  order: to,
  did,
})

test('an order of another node waits for an answer, an own one does not', (t) => {
  const asks = policy(OWN)
  t.deepEqual(ordersInForce({ a: order('other') }, asks), ['a'])
  t.false(isToExecute({ a: order('other') }, asks))
  t.true(isToExecute({ a: order('other'), b: order(OWN) }, asks))
  t.true(isToExecute({ a: order('other') }, policy(OWN, { erasures: 'execute' })))
})

test('only the own word declines or carries out an order here', (t) => {
  const executes = policy(OWN, { erasures: 'execute' })
  t.deepEqual(ordersInForce({ a: order('other'), b: answer('third', 'a', 'declined') }, executes), ['a'])
  t.deepEqual(ordersInForce({ a: order('other'), b: answer(OWN, 'a', 'declined') }, executes), [])
  t.false(isExecuted({ a: order('other'), b: answer('third', 'a', 'executed') }, executes))
  t.true(isExecuted({ a: order('other'), b: answer(OWN, 'a', 'executed') }, executes))
  const another = { a: order('other'), b: answer(OWN, 'a', 'executed'), c: order('third') }
  t.false(isExecuted(another, executes), 'each order is answered')
})

test('nodes whose decisions do not count here order nothing here', (t) => {
  const alone = policy(OWN, { decisions: 'own', erasures: 'execute' })
  t.deepEqual(ordersInForce({ a: order('other'), b: order(OWN) }, alone), ['b'])
  t.false(isToExecute({ a: order('other') }, alone))
})
