import test from 'ava'
import { HybridClock } from '../../src/ledger/clock.ts'
import { makeDocument } from '../../src/ledger/document.ts'
import { heldByReason } from '../../src/project/held.ts'
import { isExecuted, isToExecute, ordersInForce } from '../../src/project/erasures.ts'
import type { KnownErasure } from '../../src/project/erasures.ts'
import { startGateway } from '../helpers/gateway.ts'
import { makeEdit, newKey } from '../helpers/keys.ts'
import { policy } from '../helpers/policy.ts'
import { project } from '../helpers/projector.ts'
import { startStore } from '../helpers/store.ts'

const clock = new HybridClock()

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

test('a stranger orders nothing, and an order with words or another shape is refused at the door', async (t) => {
  const gateway = await startGateway(t)
  const story = makeEdit(gateway.key, { author: newKey() })
  const draft = { type: 'erasure', item: story.item, target: story.item, category: 'danger' } as const
  const stranger = newKey()
  const byStranger = makeDocument(draft, clock.now(), stranger)
  t.deepEqual(await gateway.push([story, byStranger]), [])
  const { site } = await project(gateway)
  t.is((await site.item(story.item))?.standing.hidden, false)
  t.deepEqual(await heldByReason(site.database), { stranger: 1 })

  const bad = [
    { ...draft, category: 'She lives in Elm Street' },
    { ...draft, target: 'everything' },
    { ...draft, did: 'destroyed' as 'executed' },
    { ...draft, order: 'x' },
  ].map((one) => makeDocument(one, clock.now(), gateway.key))
  const refused = await gateway.push(bad)
  t.deepEqual(
    refused.map(({ error }) => error),
    bad.map(() => 'forbidden'),
  )
  const forged = { ...makeDocument(draft, clock.now(), stranger), node: gateway.key.publicKey }
  t.is((await gateway.push([forged]))[0]?.error, 'forbidden', 'in a member’s name')
})

test('documents that were deleted past the gateway, without an order, change nothing on the site', async (t) => {
  const store = await startStore(t)
  const story = makeEdit(store.key, { author: newKey() })
  await store.ledger.database.bulkDocs([story], { newEdits: false })
  const { projector, site } = await project(store)
  await store.ledger.database.delete(story._id, story._rev)
  await projector.catchUp()
  t.is((await site.item(story.item))?.listing.title, 'A title')
})
