import test from 'ava'
import type { ExecutionContext } from 'ava'
import { until } from '../helpers/wait.ts'
import { serveStore } from './store.ts'

const DESIGN = {
  _id: '_design/items',
  views: {
    by_group: { map: 'function (doc) { if (doc.group) emit(doc.group, doc.n) }' },
    sum: { map: 'function (doc) { if (doc.group) emit([doc.group, doc.n], doc.n) }', reduce: '_sum' },
    throwing: { map: 'function (doc) { if (doc.n === 3) throw new Error("no"); emit(doc._id) }' },
  },
}

/** Thirty items in three groups: in group `g1` are i01, i04, i07 … */
async function withItems(t: ExecutionContext) {
  const store = await serveStore(t)
  await store.database.put(DESIGN)
  const items = Array.from({ length: 30 }, (_, n) => ({
    _id: `i${String(n).padStart(2, '0')}`,
    group: `g${n % 3}`,
    n,
  }))
  await store.database.bulkDocs(items)
  const path = '/ledger/_design/items/_view/'
  const rows = async (query: string) => {
    const { body } = await store.call('GET', `${path}${query}`)
    return body.rows.map(({ id }: { id: string }) => id) as string[]
  }
  const group = (name: string) => items.filter(({ group }) => group === name).map(({ _id }) => _id)
  return { ...store, rows, path, group, all: [...group('g0'), ...group('g1'), ...group('g2')] }
}

test('a view answers keys and ranges in both directions', async (t) => {
  const { rows, group, all, database, call, path } = await withItems(t)
  t.deepEqual(await rows('by_group'), all)
  t.deepEqual(await rows('by_group?descending=true'), all.toReversed())
  t.deepEqual(await rows('by_group?key="g1"'), group('g1'))
  t.deepEqual(await rows('by_group?startkey="g1"&endkey="g2"&inclusive_end=false'), group('g1'))
  t.deepEqual(await rows('by_group?skip=2&limit=3'), all.slice(2, 5))
  t.deepEqual(await rows('by_group?limit=0'), [])
  const posted = await call('POST', `${path}by_group?include_docs=true`, { keys: ['g2', 'g0'] })
  t.is(posted.body.rows.length, 20)
  t.is(posted.body.rows[0].doc._id, 'i02')
  t.is(posted.body.total_rows, 30)
  const byNano = await database.view<number>('items', 'by_group', { startkey: 'g1', endkey: 'g1', limit: 1 })
  t.deepEqual(byNano.rows[0], { id: 'i01', key: 'g1', value: 1 })
})

test('startkey_docid and endkey_docid begin and end a range within one key', async (t) => {
  const { rows, group, all } = await withItems(t)
  const g1 = group('g1')
  t.deepEqual(await rows('by_group?startkey="g1"&startkey_docid=i07&limit=3'), g1.slice(2, 5))
  t.deepEqual(await rows('by_group?startkey="g1"&startkey_docid=i08&limit=3'), g1.slice(3, 6))
  t.deepEqual(await rows('by_group?startkey="g1"&startkey_docid=i07'), all.slice(12))
  t.deepEqual(await rows('by_group?start_key="g1"&start_key_doc_id=i07&skip=1&limit=1'), [g1[3] ?? ''])
  t.deepEqual(await rows('by_group?startkey="g1"&startkey_docid=i07&descending=true&limit=4'), [
    'i07',
    'i04',
    'i01',
    'i27',
  ])
  t.deepEqual(await rows('by_group?key="g1"&startkey_docid=i07&endkey_docid=i10'), ['i07', 'i10'])
  t.deepEqual(await rows('by_group?startkey="g1"&endkey="g1"&endkey_docid=i07&inclusive_end=false'), [
    'i01',
    'i04',
  ])
  t.deepEqual(await rows('by_group?startkey_docid=i07'), all, 'without a startkey it means nothing')
})

test('paging by key and docid walks through a key that many documents share', async (t) => {
  const { database } = await withItems(t)
  const ids = Array.from({ length: 700 }, (_, n) => `m${String(n).padStart(4, '0')}`)
  await database.bulkDocs(ids.map((_id) => ({ _id, group: 'many', n: 0 })))
  const seen: string[] = []
  let from = ''
  for (;;) {
    const { rows } = await database.view('items', 'by_group', {
      startkey: 'many',
      endkey: 'many',
      startkey_docid: from,
      limit: 101,
    })
    seen.push(...rows.slice(0, 100).map(({ id }) => id))
    if (rows.length <= 100) break
    from = rows.at(-1)?.id ?? ''
  }
  t.deepEqual(seen, ids)
})

test('a reduce answers whole, by group and by level', async (t) => {
  const { call, path } = await withItems(t)
  t.deepEqual((await call('GET', `${path}sum`)).body.rows, [{ key: null, value: 435 }])
  t.is((await call('GET', `${path}sum?group=true`)).body.rows.length, 30)
  t.deepEqual((await call('GET', `${path}sum?group_level=1`)).body.rows[0], { key: ['g0'], value: 135 })
  t.is((await call('GET', `${path}sum?reduce=false&limit=2`)).body.rows.length, 2)
})

test('update=false answers from what is built, update=lazy builds behind the answer', async (t) => {
  const { rows, all, database } = await withItems(t)
  t.deepEqual(await rows('by_group'), all)
  await database.bulkDocs([{ _id: 'new', group: 'g9', n: 1 }])
  t.deepEqual(await rows('by_group?update=false'), all)
  t.deepEqual(await rows('by_group?update=lazy'), all)
  await until('the lazy update is done', async () => (await rows('by_group?update=false')).includes('new'))
  t.true((await rows('by_group')).includes('new'))
})

test('a map function that throws skips its document; one that does not parse is refused', async (t) => {
  const { rows, call } = await withItems(t)
  t.is((await rows('throwing')).length, 29)
  const views = { broken: { map: 'function (doc) {' } }
  for (const broken of [
    await call('PUT', '/ledger/_design/broken', { views }),
    await call('POST', '/ledger/_bulk_docs', { docs: [{ _id: '_design/broken', views }] }),
  ]) {
    t.is(broken.status, 400)
    t.is(broken.body.error, 'compilation_error')
  }
  t.is((await rows('by_group')).length, 30)
})

test('view errors are those of CouchDB', async (t) => {
  const { call, path } = await withItems(t)
  const answer = async (rest: string) => {
    const { status, body } = await call('GET', rest)
    return [status, body.error, body.reason] as const
  }
  t.deepEqual(await answer('/ledger/_design/none/_view/x'), [404, 'not_found', 'missing'])
  t.deepEqual(await answer(`${path}none`), [404, 'not_found', 'missing_named_view'])
  t.deepEqual(await answer(`${path}constructor`), [404, 'not_found', 'missing_named_view'])
  const mapOnly = [400, 'query_parse_error', 'Reduce is invalid for map-only views.'] as const
  t.deepEqual(await answer(`${path}by_group?reduce=true`), mapOnly)
  for (const query of [
    'startkey={',
    'limit=-1',
    'limit=x',
    'descending=yes',
    'update=x',
    'key=1&keys=[1]',
    'startkey="b"&endkey="a"',
  ]) {
    const [status, error] = await answer(`${path}by_group?${query}`)
    t.deepEqual([status, error], [400, 'query_parse_error'], query)
  }
  t.is((await answer(`${path}sum?keys=["a"]`))[0], 400)
  t.is((await answer(`${path}sum?include_docs=true`))[0], 400)
})

test('_view_cleanup removes the files of views that no design document defines', async (t) => {
  const { database, rows, folder } = await withItems(t)
  await rows('by_group')
  const { readdir } = await import('node:fs/promises')
  const files = async () => (await readdir(`${folder}/databases`)).filter((name) => name.includes('.views-'))
  t.is((await files()).length, 1)
  const design = await database.get('_design/items')
  await database.delete('_design/items', design?._rev ?? '')
  await database.viewCleanup()
  t.deepEqual(await files(), [])
})
