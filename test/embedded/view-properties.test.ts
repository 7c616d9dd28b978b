import test from 'ava'
import * as fc from 'fast-check'
import { collate } from 'pouchdb-collate'
import type { RangeQuery } from '../../src/couch/database.ts'
import { serveStore } from './store.ts'

const RUNS = { numRuns: 40 }

/** Few different keys of every type, so that many documents share one. */
const keys = fc.oneof(
  fc.constantFrom(
    null,
    false,
    true,
    0,
    -1,
    -1.0000000000000002,
    1e300,
    '',
    'a',
    'b',
    '\uffff',
    '\u{1f600}',
    [],
    ['a'],
    {},
  ),
  fc.jsonValue({ maxDepth: 2, depthSize: 'xsmall' }),
)
const ids = fc.constantFrom('a', 'b', 'b\u0001', 'c', 'd e', 'x\u{1f600}', 'x\uffee', 'z/é')
const write = fc.record({ id: ids, deleted: fc.boolean(), keys: fc.array(keys, { maxLength: 4 }) })
const batches = fc.array(
  fc.record({
    writes: fc.uniqueArray(write, { selector: ({ id }) => id, maxLength: 8 }),
    view: fc.option(fc.constantFrom('keys', 'twice', 'none')),
  }),
  { minLength: 1, maxLength: 6 },
)

interface Row {
  id: string
  key: unknown
  value: unknown
}

interface Stored {
  _id: string
  _rev: string
  keys: unknown[]
}

const VIEWS: Record<string, { map: string; rows: (doc: Stored) => Row[] }> = {
  keys: {
    map: 'function (doc) { doc.keys.forEach(function (key, n) { emit(key, n) }) }',
    rows: ({ _id: id, keys }) => keys.map((key, value) => ({ id, key, value })),
  },
  twice: {
    map: 'function (doc) { emit([doc._id, doc.keys]); emit(doc.keys.length, doc.keys[0]) }',
    rows: ({ _id: id, keys }) => [
      { id, key: [id, keys], value: null },
      { id, key: keys.length, value: keys[0] ?? null },
    ],
  },
  none: { map: 'function (doc) { if (doc.keys.length > 9) emit(1) }', rows: () => [] },
}

const byKey = (a: Row, b: Row) => collate(a.key, b.key) || collate(a.id, b.id)

function expectedRows(sorted: Row[], { startkey, endkey, descending, inclusive_end: inclusive }: RangeQuery) {
  const turn = descending ? -1 : 1
  return (descending ? sorted.toReversed() : sorted).filter(
    ({ key }) =>
      (startkey === undefined || turn * collate(key, startkey) >= 0) &&
      (endkey === undefined ||
        (inclusive === false ? turn * collate(key, endkey) < 0 : turn * collate(key, endkey) <= 0)),
  )
}

test('each view has the rows that a computation over all documents gives, in both directions and every range', async (t) => {
  const { database } = await serveStore(t)
  await database.put({ _id: '_design/test', views: VIEWS } as { _id: string })
  await fc.assert(
    fc.asyncProperty(
      batches,
      fc.array(
        fc.record({ from: keys, to: keys, inclusive: fc.boolean(), skip: fc.nat(3), limit: fc.nat(5) }),
      ),
      async (steps, ranges) => {
        for (const { writes, view } of steps) {
          const { rows: there } = await database.allDocs({ endkey: '_', include_docs: true })
          const after = (await database.allDocs({ startkey: '`', include_docs: true })).rows
          const revisions = new Map([...there, ...after].map(({ key, value }) => [key, value?.rev]))
          const docs = writes.map(({ id, deleted, keys }) => {
            const rev = revisions.get(id)
            return { _id: id, ...(rev ? { _rev: rev, _deleted: deleted } : {}), keys }
          })
          if (docs.length > 0) await database.bulkDocs(docs)
          if (view) await database.view('test', view, { limit: 1 })
        }
        const { rows } = await database.allDocs({ include_docs: true })
        const documents = rows
          .filter(({ key }) => !key.startsWith('_'))
          .map(({ doc }) => doc as unknown as Stored)
        for (const [view, { rows: rowsOf }] of Object.entries(VIEWS)) {
          // Rows of one document under one key keep the order in which they were emitted.
          const sorted = documents.flatMap(rowsOf).sort(byKey)
          const reversed = { ...(await database.view('test', view, { descending: true })) } as {
            rows: Row[]
            total_rows: number
          }
          t.deepEqual((await database.view('test', view, {})).rows, sorted)
          t.deepEqual(reversed.rows, sorted.toReversed())
          t.is(reversed.total_rows, sorted.length)
          const queries = ranges.map(({ from, to, inclusive, limit }) => {
            const descending = collate(from, to) > 0
            return { startkey: from, endkey: to, inclusive_end: inclusive, descending, limit }
          })
          const answers = await database.viewQueries('test', view, queries)
          for (const [index, query] of queries.entries()) {
            t.deepEqual(answers[index], expectedRows(sorted, query).slice(0, query.limit))
          }
          for (const { from } of ranges) {
            const found = await database.view('test', view, { keys: [from] })
            t.deepEqual(found.rows, expectedRows(sorted, { startkey: from, endkey: from }))
          }
        }
      },
    ),
    RUNS,
  )
  t.pass()
})
