import test from 'ava'
import { CLASHES, scope } from '../../src/project/site-rows.ts'
import { makeEdit, newKey } from '../helpers/keys.ts'
import { project } from '../helpers/projector.ts'
import { startStore } from '../helpers/store.ts'

test('what a listing has is counted exactly up to a bound', async (t) => {
  const store = await startStore(t)
  const { key } = store
  const documents = [0, 1, 2].flatMap(() => {
    const author = newKey()
    const first = makeEdit(key, { author })
    const { item } = first
    const parents = [first._id.slice(-40)]
    const heads = ['Here.', 'There.'].map((body) =>
      makeEdit(key, { author, item, parents, fields: { body } }),
    )
    return [first, ...heads]
  })
  await store.ledger.database.bulkDocs(documents, { newEdits: false })
  await using projected = await project(store)
  const { site } = projected
  t.deepEqual(await site.count(CLASHES), { count: 3, more: false })
  t.deepEqual(await site.count(CLASHES, 3), { count: 3, more: false })
  t.deepEqual(await site.count(CLASHES, 2), { count: 2, more: true })
  t.deepEqual(await site.count(scope('kind', 'event')), { count: 0, more: false })
})
