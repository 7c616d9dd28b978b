import test from 'ava'
import { hashInId } from '../../src/ledger/document.ts'
import { startGateway } from '../helpers/gateway.ts'
import { intrude, intrudeInto, pagesNeverShow } from '../helpers/intruder.ts'
import { startNode } from '../helpers/node.ts'
import { until } from '../helpers/wait.ts'

test('peers get the true revision or nothing, whatever stands in the database', async (t) => {
  const gateway = await startGateway(t)
  const { honest, writtenOver, beside, forged, invented } = await intrude(
    gateway.ledger.database,
    gateway.key,
  )
  const { results } = (await (await gateway.request('/ledger/_changes')).json()) as {
    results: { id: string; changes: { rev: string }[] }[]
  }
  t.deepEqual(
    results.filter(({ id }) => !id.includes(':')),
    [],
  )
  for (const { id, changes } of results) t.deepEqual(changes, [{ rev: `1-${hashInId(id).slice(0, 32)}` }], id)
  const ids = [honest._id, writtenOver._id, beside._id, forged._id, invented, 'shopping-list']
  for (const docs of [
    ids.map((id) => ({ id })),
    ids.map((id) => ({ id, rev: `1-${hashInId(id).slice(0, 32)}` })),
    [{ id: writtenOver._id }, { id: beside._id, rev: `1-${'f'.repeat(32)}` }],
  ]) {
    const response = await gateway.request('/ledger/_bulk_get', {
      method: 'POST',
      body: JSON.stringify({ docs }),
    })
    const text = await response.text()
    t.is(response.status, 200)
    t.false(text.includes('Bogus text'))
    if (docs.length > 2) for (const edit of [honest, writtenOver, beside]) t.true(text.includes(edit.sig))
  }
  const single = await gateway.request(`/ledger/${encodeURIComponent(forged._id)}`)
  t.is(single.status, 404)
})

test('readers never see what was written past the gateway', async (t) => {
  const node = await startNode(t)
  const intrusion = await intrudeInto(node)
  const { honest, writtenOver, beside } = intrusion
  await until('the projector has seen all', async () => {
    const titles = await node.html('/newswire')
    return ['Honest', 'The true text', 'The only one'].every((title) => titles.includes(title))
  })
  for (const { item, fields } of [honest, writtenOver, beside])
    t.true((await node.html(`/articles/${item}`)).includes(String(fields.title)))
  await until('the forged one is held', async () => {
    const { held } = JSON.parse((await node.run('status', '--json')).out) as { held: { reason: string }[] }
    return held.some(({ reason }) => reason === 'unproven')
  })
  await pagesNeverShow(t, node, intrusion)
})
