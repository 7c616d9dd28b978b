import test from 'ava'
import { hybridTime } from '../../src/ledger/clock.ts'
import { makeDocument } from '../../src/ledger/document.ts'
import { NETWORK } from '../../src/ledger/item-id.ts'
import { computeMembership } from '../../src/project/membership.ts'
import { startGateway } from '../helpers/gateway.ts'
import { makeEdit, newKey } from '../helpers/keys.ts'

test('what will never be right is forbidden, each document by itself', async (t) => {
  const gateway = await startGateway(t, { documentBytes: 100_000 })
  const edit = (fields = {}) => makeEdit(gateway.key, { fields })
  const victim = edit()
  const bad: [string, Record<string, unknown>, RegExp][] = [
    ['forged signature', { ...edit(), sig: victim.sig }, /signature of the node/],
    ['altered body', { ...edit(), fields: { ...victim.fields, title: 'x' } }, /id does not follow/],
    ['wrong revision', { ...edit(), _rev: `1-${'0'.repeat(32)}` }, /revision does not follow/],
    ['second revision', { ...edit(), _rev: '2-abc' }, /revision does not follow/],
    ['another id', { ...edit(), _id: victim._id }, /id does not follow/],
    ['no ledger id', { _id: 'hello', _rev: '1-abc' }, /not one of a ledger document/],
    ['design document', { _id: '_design/evil', _rev: '1-abc', views: {} }, /design documents/],
    ['deletion', { ...edit(), _deleted: true }, /nothing in the ledger is deleted/],
    ['attachment', { ...edit(), _attachments: { a: {} } }, /no attachments/],
    ['other special field', { ...edit(), _conflicts: [] }, /_conflicts is not a field/],
    [
      'history of revisions',
      { ...edit(), _revisions: { start: 2, ids: ['a', 'b'] } },
      /history of revisions/,
    ],
    ['lone surrogate', { ...edit(), note: '\ud800' }, /not well-formed/],
    ['null', { ...edit(), note: null }, /null/],
    ['fraction', { ...edit(), number: 1.5 }, /not an integer/],
    ['oversized', edit({ extra: 'x'.repeat(100_001) }), /bytes; 100000 are allowed/],
    ['unknown type', { ...edit(), type: 'poem' }, /not one of a ledger document|does not follow/],
    ['stolen item', makeEdit(gateway.key, { item: victim.item }), /first edit must be/],
  ]
  const good = Array.from({ length: 50 }, () => edit())
  const refused = await gateway.push([
    ...good.slice(0, 25),
    ...bad.map(([, document]) => document),
    'not a document',
    ...good.slice(25),
  ])
  t.is(refused.length, bad.length + 1)
  for (const [name, document, reason] of bad) {
    const answer = refused.find(({ id, reason: given }) => id === document._id && reason.test(given))
    t.is(
      answer?.error,
      'forbidden',
      `${name}: ${JSON.stringify(refused.find(({ id }) => id === document._id))}`,
    )
  }
  const { rows } = await gateway.ledger.database.allDocs({})
  t.deepEqual(
    rows.map(({ key }) => key),
    good.map(({ _id }) => _id).sort(),
  )
  t.is(gateway.refusals.summary().counts.peer?.forbidden, bad.length + 1)
})

test('a clock far ahead is a temporary error, and the document is taken when its time has come', async (t) => {
  const gateway = await startGateway(t, { clockAheadMs: 60_000 })
  const ahead = makeEdit(gateway.key, { at: hybridTime(Date.now() + 24 * 3_600_000) })
  const [refused] = await gateway.push([ahead, makeEdit(gateway.key)])
  t.like(refused, { id: ahead._id, error: 'too_busy' })
  t.regex(refused?.reason ?? '', /ahead of this node's clock/)
  t.true(gateway.ledger.clock.aheadMs(gateway.ledger.clock.now()) < 1000, 'the clock is not dragged along')
  t.deepEqual(await gateway.push([makeEdit(gateway.key, { at: hybridTime(Date.now() + 30_000) })]), [])
})

test('an evicted key brings nothing more', async (t) => {
  const gateway = await startGateway(t)
  const peer = newKey()
  gateway.membership.current = computeMembership({
    anchors: [gateway.key.publicKey],
    admissions: [{ node: gateway.key.publicKey, key: peer.publicKey, at: hybridTime(1) }],
    evictions: [{ node: gateway.key.publicKey, key: peer.publicKey, at: hybridTime(2) }],
  })
  const [refused] = await gateway.push([makeEdit(peer)])
  t.like(refused, { error: 'forbidden' })
  t.regex(refused?.reason ?? '', /evicted/)
})

test('strangers’ documents are kept up to a bound per caller, which outlives a restart and frees up with an admission', async (t) => {
  const gateway = await startGateway(t, { strangersPerPeer: 3 })
  const stranger = newKey()
  const draft = { type: 'admission', item: NETWORK, key: newKey().publicKey } as const
  const documents = [
    makeEdit(stranger),
    makeDocument(draft, hybridTime(1), stranger),
    makeEdit(stranger),
    makeEdit(stranger),
    makeEdit(stranger),
  ]
  const refused = await gateway.push(documents, 'athens')
  t.deepEqual(
    refused.map(({ error }) => error),
    ['too_busy', 'too_busy'],
  )
  t.deepEqual(
    await gateway.push(documents.slice(0, 3), 'athens'),
    [],
    'what is here already does not count again',
  )
  t.deepEqual(
    await gateway.push(documents.slice(3, 4), 'berlin'),
    [],
    'another caller has a bound of its own',
  )
  const stored = await gateway.ledger.database.get('_local/strangers')
  t.deepEqual(stored?.counts, { athens: { [stranger.publicKey]: 3 }, berlin: { [stranger.publicKey]: 1 } })
  gateway.membership.current = computeMembership({
    anchors: [gateway.key.publicKey],
    admissions: [{ node: gateway.key.publicKey, key: stranger.publicKey, at: hybridTime(1) }],
    evictions: [],
  })
  t.deepEqual(await gateway.push(documents.slice(4), 'athens'), [])
})

test('what was erased here does not come back, by whatever way', async (t) => {
  const gateway = await startGateway(t)
  const edit = makeEdit(gateway.key)
  await gateway.push([edit])
  await gateway.ledger.database.delete(edit._id, edit._rev)
  await gateway.ledger.database.compact()
  const diff = await (
    await gateway.request('/ledger/_revs_diff', {
      method: 'POST',
      body: JSON.stringify({ [edit._id]: [edit._rev] }),
    })
  ).json()
  t.deepEqual(diff, {})
  const [refused] = await gateway.push([edit])
  t.like(refused, { error: 'forbidden', reason: 'was erased here' })
  const changes = (await (await gateway.request('/ledger/_changes')).json()) as { results: object[] }
  t.deepEqual(changes.results, [], 'tombstones are not offered')
})

test('a body that is too large is cut off, and one that is not JSON is told', async (t) => {
  const gateway = await startGateway(t, { requestBytes: 1_000_000 })
  const large = await gateway.request('/ledger/_bulk_docs', { method: 'POST', body: 'x'.repeat(2_000_000) })
  t.is(large.status, 413)
  for (const body of ['{', '[]', '"x"', '{"docs":1,"new_edits":false}', '[['.repeat(10_000)]) {
    t.is(
      (await gateway.request('/ledger/_bulk_docs', { method: 'POST', body })).status,
      400,
      body.slice(0, 30),
    )
  }
  const invalid = await gateway.request('/ledger/_bulk_docs', {
    method: 'POST',
    body: new Uint8Array([0x7b, 0xff, 0x7d]),
  })
  t.is(invalid.status, 400)
  const edits = await gateway.request('/ledger/_bulk_docs', {
    method: 'POST',
    body: JSON.stringify({ docs: [] }),
  })
  t.is(edits.status, 403, 'only new_edits: false is taken')
})
