import { randomBytes } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { until } from '../helpers/wait.ts'
import { serveStore } from './store.ts'

const REV = '1-0123456789abcdef0123456789abcdef'

test('_bulk_docs answers for each document, and only for failures when revisions are brought along', async (t) => {
  const { call } = await serveStore(t)
  const made = await call('POST', '/ledger/_bulk_docs', { docs: [{ _id: 'a' }, { _id: 'b' }, { text: 'x' }] })
  t.is(made.status, 201)
  t.deepEqual(
    made.body.map(({ ok }: { ok: boolean }) => ok),
    [true, true, true],
  )
  const again = await call('POST', '/ledger/_bulk_docs', { docs: [{ _id: 'a' }, { _id: 'c' }] })
  t.deepEqual(again.body[0], { id: 'a', error: 'conflict', reason: 'Document update conflict.' })
  t.true(again.body[1].ok)
  const brought = { docs: [{ _id: 'a', _rev: REV }], new_edits: false }
  t.deepEqual((await call('POST', '/ledger/_bulk_docs', brought)).body, [])
  t.deepEqual((await call('POST', '/ledger/_bulk_docs', brought)).body, [])
  t.is((await call('GET', `/ledger/a?rev=${REV}`)).status, 200)
  t.deepEqual((await call('POST', '/ledger/_bulk_docs', { docs: [] })).body, [])
})

test('_bulk_docs refuses what would corrupt a revision tree', async (t) => {
  const { call, database } = await serveStore(t)
  const bad = [
    1,
    [],
    { _id: 5 },
    { _id: '' },
    { _id: '_x' },
    { _id: 'x', _rev: 'nonsense' },
    { _id: 'x' },
    { _rev: REV },
    { _id: 'x', _rev: REV, _rev_tree: [] },
    { _id: 'x', _revisions: { start: 1, ids: [] } },
    { _id: 'x', _revisions: { start: 'a', ids: ['b'] } },
    { _id: 'x', _rev: REV, _attachments: { a: { data: '' } } },
    { _id: 'x', _rev: REV, _unknown: 1 },
  ]
  for (const document of bad) {
    const docs = [{ _id: 'good', _rev: REV }, document]
    const { status } = await call('POST', '/ledger/_bulk_docs', { docs, new_edits: false })
    t.is(status, 400, JSON.stringify(document))
  }
  t.is((await database.info()).doc_count, 0)
  t.is((await call('POST', '/ledger/_bulk_docs', {})).status, 400)
  t.is((await call('POST', '/ledger/_bulk_docs', { docs: {} })).status, 400)
})

test('_bulk_get gives winners, old revisions, deleted ones, and says what is missing', async (t) => {
  const { call, database } = await serveStore(t)
  const first = (await database.put({ _id: 'a' })).rev
  const second = (await database.put({ _id: 'a', _rev: first })).rev
  const gone = (await database.put({ _id: 'gone' })).rev
  await database.delete('gone', gone)
  const tombstone = (await database.allDocs({ keys: ['gone'] })).rows[0]?.value?.rev ?? ''
  const docs = [
    { id: 'a', rev: second },
    { id: 'a', rev: first },
    { id: 'gone', rev: tombstone },
    { id: 'a', rev: '9-ff' },
    { id: 'nowhere' },
    { id: 'a' },
    { id: 'a', rev: 'nonsense' },
    { rev: '1-a' },
  ]
  for (const latest of ['', '&latest=false']) {
    const { body } = await call('POST', `/ledger/_bulk_get?revs=true${latest}`, { docs })
    const answers = body.results.map((result: { docs: object[] }) => result.docs[0])
    t.is(answers[0].ok._rev, second)
    t.deepEqual(answers[0].ok._revisions.ids, [second.slice(2), first.slice(2)])
    t.is(answers[1].ok._rev, first)
    t.true(answers[2].ok._deleted)
    t.deepEqual(answers[3].error, { id: 'a', rev: '9-ff', error: 'not_found', reason: 'missing' })
    t.deepEqual(answers[4].error, { id: 'nowhere', rev: 'undefined', error: 'not_found', reason: 'missing' })
    t.is(answers[5].ok._rev, second)
    t.is(answers[6].error.error, 'bad_request')
    t.is(answers[7].error.error, 'bad_request')
  }
  const { body } = await call('POST', '/ledger/_bulk_get?latest=true', { docs: [{ id: 'a', rev: first }] })
  t.is(body.results[0].docs[0].ok._rev, second)
})

test('_revs_diff names what is missing, and knows tombstones and compacted revisions', async (t) => {
  const { call, database } = await serveStore(t)
  await database.bulkDocs([{ _id: 'kept', _rev: REV }], { newEdits: false })
  await database.bulkDocs([{ _id: 'erased', _rev: REV }], { newEdits: false })
  await database.delete('erased', REV)
  const tombstone = (await database.allDocs({ keys: ['erased'] })).rows[0]?.value?.rev ?? ''
  const asked = {
    kept: [REV, '2-ff'],
    erased: [REV, tombstone],
    new: [REV],
    ['__proto__']: [REV],
  }
  const wanted = {
    kept: { missing: ['2-ff'], possible_ancestors: [REV] },
    new: { missing: [REV] },
    ['__proto__']: { missing: [REV] },
  }
  t.deepEqual((await call('POST', '/ledger/_revs_diff', asked)).body, wanted)
  await database.compact()
  await until('compaction is done', async () => !(await call('GET', '/ledger')).body.compact_running)
  t.is((await call('GET', `/ledger/erased?rev=${REV}`)).status, 404)
  t.deepEqual((await call('POST', '/ledger/_revs_diff', asked)).body, wanted)
  t.is((await call('POST', '/ledger/_revs_diff', { kept: 'no list' })).status, 400)
})

test('_all_docs answers keys in their order, with missing and deleted ones', async (t) => {
  const { call, database } = await serveStore(t)
  await database.put({ _id: 'a' })
  const { rev } = await database.put({ _id: 'b' })
  await database.delete('b', rev)
  const keys = ['b', 'nowhere', 'a', '', 'a']
  for (const includeDocs of [false, true]) {
    const { rows } = await database.allDocs({ keys, include_docs: includeDocs })
    t.deepEqual(
      rows.map(({ key }) => key),
      keys,
    )
    t.true(rows[0]?.value?.deleted)
    t.is(rows[0]?.doc, includeDocs ? null : undefined)
    t.deepEqual(rows[1], { key: 'nowhere', error: 'not_found' })
    t.deepEqual(rows[3], { key: '', error: 'not_found' })
    t.is(rows[4]?.id, 'a')
  }
  const { body } = await call('POST', '/ledger/_all_docs?limit=1&skip=1', { keys: [1, 'b', 'a'] })
  t.is(body.rows.length, 1)
  t.is(body.rows[0].key, 'b')
  t.is((await call('POST', '/ledger/_all_docs', { keys: 'a' })).status, 400)
  t.deepEqual((await call('GET', '/ledger/_all_docs?key="b"')).body.rows, [])
  t.deepEqual((await call('GET', '/ledger/_all_docs?key=""')).body.rows, [])
})

test('_all_docs answers ranges, both ways, also of many pages', async (t) => {
  const { call, database } = await serveStore(t)
  const ids = Array.from({ length: 2500 }, (_, index) => `d${String(index).padStart(4, '0')}`)
  await database.bulkDocs(ids.map((_id) => ({ _id })))
  const read = async (query: string) =>
    (await call('GET', `/ledger/_all_docs?${query}`)).body.rows.map(({ id }: { id: string }) => id)
  t.deepEqual(await read(''), ids)
  t.deepEqual(await read('descending=true&include_docs=true'), ids.toReversed())
  t.deepEqual(await read('skip=3&limit=2000'), ids.slice(3, 2003))
  t.deepEqual(await read('startkey="d0010"&endkey="d0012"'), ids.slice(10, 13))
  t.deepEqual(await read('start_key="d0010"&end_key="d0012"&inclusive_end=false'), ids.slice(10, 12))
  t.deepEqual(await read('startkey="d0012"&endkey="d0010"&descending=true'), ids.slice(10, 13).toReversed())
  t.deepEqual(await read('limit=0'), [])
  t.deepEqual(await read('startkey={}'), [])
  t.deepEqual(await read('startkey=null&limit=1'), ids.slice(0, 1))
  const { body } = await call('GET', '/ledger/_all_docs?update_seq=true&limit=1')
  t.deepEqual([body.total_rows, body.update_seq], [2500, 2500])
  const queries = [{ startkey: 'd0001', limit: 1 }, { keys: ['d0002', 'x'] }]
  const several = (await call('POST', '/ledger/_all_docs/queries', { queries })).body.results
  t.is(several[0].rows[0].id, 'd0001')
  t.deepEqual(several[1].rows[1], { key: 'x', error: 'not_found' })
})

test('deletion and compaction remove the content from the disk', async (t) => {
  const { database, folder, call } = await serveStore(t)
  const secret = randomBytes(200).toString('base64url')
  const { rev } = (await call('PUT', '/ledger/doc', { body: secret })).body
  t.true(await isOnDisk(folder, secret))
  await database.delete('doc', rev)
  await database.compact()
  await until('compaction is done', async () => !(await call('GET', '/ledger')).body.compact_running)
  t.false(await isOnDisk(folder, secret))
})

async function isOnDisk(folder: string, text: string): Promise<boolean> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  const contents = await Promise.all(files.map(({ parentPath, name }) => readFile(join(parentPath, name))))
  // LevelDB's compression may cut the text anywhere.
  const pieces = text.match(/.{8}/g) ?? []
  return pieces.some((piece) => contents.some((bytes) => bytes.includes(piece)))
}
