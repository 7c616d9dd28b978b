import test from 'ava'
import { Database } from '../../src/couch/database.ts'
import { GatheredReads } from '../../src/couch/gathered-reads.ts'
import type { CouchRequest } from '../../src/couch/request.ts'
import { startStore } from '../helpers/store.ts'

const DESIGN = {
  _id: '_design/test',
  views: { names: { map: 'function (doc) { if (doc.name) emit(doc.name, doc.number) }' } },
}

/** A database with three documents, which counts what it is asked. */
async function start(t: Parameters<typeof startStore>[0]) {
  const { couch } = await startStore(t)
  const { name } = await couch.ensureDatabase('read')
  const asked: string[] = []
  const send = <Answer>(request: CouchRequest) => {
    asked.push(request.path ?? '')
    return couch.request<Answer>(request)
  }
  const database = new Database(name, send, couch.prefix)
  const names = ['anna', 'bert', 'cleo']
  await database.bulkDocs([DESIGN, ...names.map((one, number) => ({ _id: one, name: one, number }))])
  asked.length = 0
  return { database, asked }
}

test('what is asked for at once is asked for together, and everybody gets their own', async (t) => {
  const { database, asked } = await start(t)
  await database.bulkDocs([{ ...(await database.get('cleo')), _id: 'cleo', _deleted: true }])
  asked.length = 0
  const reads = new GatheredReads(database)
  const [anna, several, rows, none, again] = await Promise.all([
    reads.get('anna'),
    reads.several(['bert', 'nobody', 'cleo', 'anna']),
    reads.rows<number>('test', 'names', { startkey: 'b', limit: 5 }),
    reads.rows('test', 'names', { startkey: 'x', limit: 5 }),
    reads.rows('test', 'names', { startkey: 'b', limit: 5 }),
  ])
  t.is(anna?.number, 0)
  t.deepEqual(
    several.map((found) => found?._id),
    ['bert', undefined, undefined, 'anna'],
  )
  t.deepEqual(
    rows.map(({ id, value }) => [id, value]),
    [['bert', 1]],
  )
  t.deepEqual(none, [])
  t.is(again, rows)
  t.deepEqual(asked.sort(), ['_all_docs', '_design/test/_view/names/queries'])
})

test('whoever asks for nothing sensible is told so alone; what is wrong with all of them all are told', async (t) => {
  const { database } = await start(t)
  const reads = new GatheredReads(database, 10)
  const wrong = { startkey: 'b', endkey: 'a', limit: 5 }
  const right = { startkey: 'b', endkey: 'c', limit: 5 }
  const [first, second] = await Promise.allSettled([
    reads.rows('test', 'names', wrong),
    reads.rows('test', 'names', right),
  ])
  t.is(first.status, 'rejected')
  t.is(second.status, 'fulfilled')
  const gone = await Promise.allSettled([
    reads.rows('gone', 'names', right),
    reads.rows('gone', 'names', { limit: 1 }),
  ])
  for (const { status, reason } of gone as PromiseRejectedResult[]) {
    t.is(status, 'rejected')
    t.like(reason, { code: 'couch_404' })
  }
  await database.bulkDocs([{ ...DESIGN, _id: '_design/gone' }])
  t.is((await reads.rows('gone', 'names', right)).length, 1, 'what failed is asked for again')
})

test('rows are remembered until something has changed, also what is under way then', async (t) => {
  const { database, asked } = await start(t)
  const reads = new GatheredReads(database, 2)
  const names = (startkey: string) => reads.rows('test', 'names', { startkey, limit: 9 })
  await names('a')
  await names('b')
  await names('a')
  t.is(asked.length, 2)
  const underWay = names('c')
  await database.bulkDocs([{ _id: 'dora', name: 'dora', number: 3 }])
  reads.forget()
  t.is((await names('a')).length, 4)
  t.is((await names('c')).length, 2)
  await underWay
  asked.length = 0
  await names('c')
  await names('a')
  t.deepEqual(asked, [])
  await names('b')
  await names('c')
  t.is(asked.length, 2, 'the one that was asked for longest ago has made room')
})
