import { isDeepStrictEqual } from 'node:util'
import test from 'ava'
import { openEdit, publish, saveEdit } from '../helpers/forms.ts'
import { join2, startNode } from '../helpers/node.ts'
import { until } from '../helpers/wait.ts'

const BODY = [
  'The bridge was closed at dawn.',
  'Nobody had told the bus drivers, who turned back at the river with full buses.',
  'The council will meet on Thursday.',
].join('\n\n')

test('three nodes that edited apart come together: equal items everywhere, and every text is there or listed', async (t) => {
  const [a, b, c] = await Promise.all([startNode(t), startNode(t), startNode(t)])
  await join2(a, b)
  await join2(b, c)
  const article = await publish(a, { title: 'Bridge closed', body: BODY, tags: 'transport, council' })
  for (const node of [b, c]) {
    await until('the article is on every node', async () =>
      (await node.html('/newswire')).includes('Bridge closed'),
    )
  }

  // Each node on its own: B is the only road between A and C.
  const forms = {
    a: await openEdit(a, article),
    b: await openEdit(b, article),
    c: await openEdit(c, article),
  }
  await a.stop()
  await saveEdit(c, article, forms.c, { body: BODY.replace('on Thursday', 'on Friday, in the school') })
  await c.stop()
  await saveEdit(b, article, forms.b, {
    body: BODY.replace('on Thursday', 'on Wednesday evening'),
    tags: 'transport, council, buses',
  })
  await b.stop()
  await a.start()
  await saveEdit(a, article, forms.a, {
    body: BODY.replace('at dawn', 'at five in the morning'),
    title: 'Bridge closed since five',
  })

  await Promise.all([b.start(), c.start()])
  const documents = await until('all three have equal site documents with all four edits', async () => {
    const [onA, onB, onC] = await Promise.all([a, b, c].map((node) => node.siteDocuments()))
    const complete = Object.keys(onA?.[article.item]?.graph ?? {}).length === 4
    return complete && isDeepStrictEqual(onA, onB) && isDeepStrictEqual(onB, onC) && onA
  })
  const item = documents[article.item]
  t.is(item?.heads.length, 3)
  t.is(item?.fields.title, 'Bridge closed since five')
  t.deepEqual(item?.fields.tags, ['buses', 'council', 'transport'])
  const body = String(item?.fields.body)
  t.true(body.includes('at five in the morning'), 'another paragraph is merged')
  t.true(
    body.includes('on Wednesday evening') !== body.includes('on Friday, in the school'),
    'one side of the same sentence stands',
  )
  t.is(item?.clashes.length, 1)
  const [clash] = item?.clashes ?? []
  t.is(clash?.field, 'body')

  const clashes = await c.html('/clashes')
  t.true(
    clashes.includes('on Wednesday evening') && clashes.includes('on Friday, in the school'),
    'both texts are on the page of clashes',
  )
  for (const hash of Object.keys(item?.graph ?? {})) {
    t.is((await b.page(`${article.path}/versions/${hash}`)).status, 200, 'every version stays readable')
  }

  const settled = await openEdit(c, article)
  t.is(settled.parents?.split(' ').length, 3, 'the next edit names all heads')
  await saveEdit(c, article, settled, { body: BODY.replace('on Thursday', 'on Wednesday, not on Friday') })
  await until('the settled text is on A without clashes', async () => {
    const now = (await a.siteDocuments())[article.item]
    return (
      now?.heads.length === 1 && now.clashes.length === 0 && String(now.fields.body).includes('not on Friday')
    )
  })
  const ids = await Promise.all([a, b, c].map((node) => node.ledgerIds()))
  t.deepEqual(ids[0], ids[1])
  t.deepEqual(ids[1], ids[2])
  t.is(ids[0]?.filter((id) => id.includes(':edit:')).length, 5, 'merging wrote nothing to the ledger')
})
