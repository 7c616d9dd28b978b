import test from 'ava'
import { MapFunctions } from '../../src/couch/embedded/map-functions.ts'
import { orderedValue } from '../../src/couch/embedded/key-order.ts'
import { changedRows } from '../../src/pages/store/changed-rows.ts'
import { PageKeys } from '../../src/pages/store/page-key.ts'
import { PageStore } from '../../src/pages/store/page-store.ts'
import type { StoredPage } from '../../src/pages/store/stored-page.ts'
import { Reads } from '../../src/reads.ts'

function page(key: string, read: (reads: Reads) => void = () => undefined, bytes = 10): StoredPage {
  const reads = new Reads()
  read(reads)
  const body = Buffer.alloc(bytes, 'a')
  return {
    key,
    body,
    forms: {},
    type: 'text/html',
    etag: key,
    changedMs: 0,
    status: 200,
    headers: {},
    reads,
    asked: 0,
  }
}

const rowOf = (value: object) => ({ scope: 'x', at: '1', value })
const reading = (id: string) => page(id, (reads) => reads.documents.add(id))
const place = (at: string) => orderedValue(['x', at])
const nothing = { documents: [], rows: [], names: [] }
const listing = (scope: string, at: string) => ({
  view: 'listing',
  ordered: orderedValue([scope, at, 'item']),
})
const range = (scope: string, from: string, to: string) => ({
  view: 'listing',
  from: orderedValue([scope, from]),
  to: orderedValue([scope, to, '\ufff0']),
})

test('a change drops the pages that read it, and no others', (t) => {
  const store = new PageStore({ mostBytes: 100_000 })
  store.put(
    page('item', (reads) => reads.documents.add('a')),
    store.now,
  )
  store.put(
    page('count', (reads) => reads.names.add('count:tag:river')),
    store.now,
  )
  store.put(
    page('first', (reads) => reads.ranges.push(range('tag:river', '2026-02', '2026-03'))),
    store.now,
  )
  store.put(
    page('second', (reads) => reads.ranges.push(range('tag:river', '2026-01', '2026-02'))),
    store.now,
  )
  store.put(
    page('other', (reads) => reads.ranges.push(range('tag:town', '2026-01', '2026-03'))),
    store.now,
  )
  store.put(
    page('all', (reads) => reads.ranges.push({ view: 'listing', from: '', to: '\uffff' })),
    store.now,
  )
  t.deepEqual(store.changed({ ...nothing, documents: ['b'] }), [])
  t.deepEqual(store.changed({ ...nothing, names: ['count:tag:river'] }), ['count'])
  t.deepEqual(store.changed({ ...nothing, rows: [listing('tag:river', '2026-02-20')] }).sort(), [
    'all',
    'first',
  ])
  t.deepEqual(store.changed({ ...nothing, documents: ['a'] }), ['item'])
  t.deepEqual([...store.keys()].sort(), ['other', 'second'])
})

test('what changes while a page is made keeps it out, and nothing else does', (t) => {
  const store = new PageStore({ mostBytes: 100_000 })
  const since = store.now
  store.changed({ ...nothing, documents: ['a'] })
  t.false(
    store.put(
      page('stale', (reads) => reads.documents.add('a')),
      since,
    ),
  )
  t.true(
    store.put(
      page('fine', (reads) => reads.documents.add('b')),
      since,
    ),
  )
  store.clear()
  t.false(
    store.put(
      page('late', (reads) => reads.documents.add('b')),
      since,
    ),
    'everything may have changed',
  )
  t.true(
    store.put(
      page('new', (reads) => reads.documents.add('b')),
      store.now,
    ),
  )
  const untold = page('untold', (reads) => {
    reads.isUntold = true
  })
  t.false(store.put(untold, store.now))
})

test('a page is true until its time, and the store holds what fits, the last asked for longest', (t) => {
  const one = new PageStore({ mostBytes: 100_000 })
  one.put(page('a'), one.now)
  const store = new PageStore({ mostBytes: 3 * one.bytes })
  const timed = page('t', (reads) => {
    reads.untilMs = 1000
  })
  store.put(timed, store.now)
  t.is(store.get('t', 999), timed)
  t.is(store.get('t', 1000), undefined)
  t.is(store.bytes, 0)
  for (const key of ['a', 'b', 'c']) store.put(page(key), store.now)
  store.get('a')
  store.put(page('d'), store.now)
  t.deepEqual([...store.keys()], ['c', 'a', 'd'])
  t.is(store.bytes, 3 * one.bytes)
})

test('rows that are as they were are no change, whatever else a document has', (t) => {
  const map = 'function (doc) { emit([doc.scope, doc.at], doc.title) }'
  const functions = new MapFunctions([{ name: 'listing', map }], (_, error) => t.fail(String(error)))
  const of = (before: object | undefined, after: object | undefined) =>
    changedRows(before, after, { functions, names: ['listing'] })
      .filter(({ view }) => view === 'listing')
      .map(({ ordered }) => ordered)
  const [one, two] = [
    { scope: 'x', at: '1', title: 'A', body: 'Before' },
    { scope: 'x', at: '2', title: 'A' },
  ]
  t.deepEqual(of(one, { ...one, body: 'After' }), [])
  t.deepEqual(of(one, { ...one, title: 'B' })[0], place('1'))
  t.deepEqual(of(one, two).sort(), [place('1'), place('2')])
  t.deepEqual(of(one, undefined), [place('1')])
  t.deepEqual(of(undefined, one), [place('1')])
})

test('of a row that is shown in part only the part counts', (t) => {
  const map = 'function (doc) { emit([doc.scope, doc.at], doc.value) }'
  const functions = new MapFunctions([{ name: 'listing', map }], (_, error) => t.fail(String(error)))
  const viewsOf = (before: object | undefined, after: object | undefined) =>
    changedRows(before && rowOf(before), after && rowOf(after), { functions, names: ['listing'] })
      .map(({ view }) => view)
      .sort()
  const entry = { kind: 'article', title: 'A', updatedAt: '1', spot: 'side', body: 'B' }
  t.deepEqual(viewsOf(entry, { ...entry, updatedAt: '2' }), ['listing'])
  t.deepEqual(viewsOf(entry, { ...entry, spot: 'foot' }), ['listing', 'listing|teaser'])
  t.deepEqual(viewsOf(entry, { ...entry, body: 'C' }), ['listing', 'listing|body', 'listing|teaser'])
  t.deepEqual(viewsOf(entry, { ...entry, title: 'C' }), ['listing', 'listing|name', 'listing|teaser'])
  const all = ['listing', 'listing|body', 'listing|name', 'listing|place', 'listing|teaser']
  t.deepEqual(viewsOf(undefined, entry), all, 'it comes')
  t.deepEqual(viewsOf(entry, undefined), all, 'and goes')
})

test('what a page was counted as is given back when it goes, also while it is being compressed', (t) => {
  const store = new PageStore({ mostBytes: 100_000 })
  const compressed = page('a')
  store.put(compressed, store.now)
  compressed.forms.br = Buffer.alloc(5)
  store.changed({ ...nothing, documents: ['b'] })
  store.clear()
  store.grown(compressed, 5)
  t.is(store.bytes, 0)
  store.put(compressed, store.now)
  store.grown(compressed, 5)
  store.clear()
  t.is(store.bytes, 0)
  t.is(store.dependencies, 0)
})

test('changes are remembered up to a bound; a page that was begun before it is not kept', (t) => {
  const store = new PageStore({ mostBytes: 100_000 })
  const since = store.now
  const many = Array.from({ length: 30_000 }, (_, number) => `many ${number}`)
  store.changed({ ...nothing, documents: ['x'] })
  const later = store.now
  store.changed({ ...nothing, documents: many })
  t.true(store.put(reading('a'), since))
  t.false(store.put(reading('x'), since))
  t.true(store.put(reading('x'), later))
  store.changed({ ...nothing, documents: many })
  t.false(store.put(reading('b'), since), 'nobody remembers all that has changed since')
})

test('invented parameters make no new pages; language and host count where they matter', (t) => {
  const keys = new PageKeys({ language: 'en', namesHost: false })
  const keyOf = (url: string, acceptLanguage = '', host = 'a.example') =>
    keys.keyOf({ url, host, acceptLanguage })
  t.is(keyOf('/newswire?x=1&utm_source=y'), keyOf('/newswire'))
  const before = 'before=2026-01-01T00%3A00%3A00.000Z-0000_a'
  t.is(keyOf(`/newswire?x=1&${before}`), keyOf(`/newswire?${before}&y=3`))
  t.not(keyOf(`/newswire?${before}`), keyOf('/newswire'))
  t.is(keyOf(`/newswire?${before.replaceAll('%3A', ':')}`), undefined, 'another spelling of it')
  t.is(keyOf(`/newswire?${'x&'.repeat(20)}${before}`), undefined, 'servers in front do not look so far')
  const letters = '/tags/abcdefghijklmnopqrstuvwxyz'
  t.is(keyOf(`${letters}?${before}`), ` en ${letters}?${before}`, 'no item, though it has as many letters')
  const item = '/articles/01m8amktf7frrsk7azgzph9h7k'
  t.is(keyOf(`${item}?${before}`), ` en ${item}`)
  t.is(
    keyOf(`${item}?${before.replace('before', 'comments')}`),
    ` en ${item}?${before.replace('before', 'comments')}`,
  )
  t.is(keyOf('/newswire?before=2'), undefined, 'no place that there could be')
  t.is(keyOf('/newswire', 'xx'), keyOf('/newswire', 'en-GB,en;q=0.9'))
  t.not(keyOf('/newswire', 'de'), keyOf('/newswire'))
  t.is(keyOf('/es/newswire', 'de'), keyOf('/es/newswire', 'en'), 'the address says which')
  t.is(keyOf('/', '', 'a.example'), keyOf('/', '', 'b.example'))
  t.is(keyOf(`/${'x'.repeat(2000)}`), undefined)
  t.is(keyOf('http://elsewhere.example/'), undefined)
  const local = new PageKeys({ language: 'en', namesHost: true })
  const at = (host: string) => local.keyOf({ url: '/', host, acceptLanguage: '' })
  t.not(at('a.example'), at('b.example'))
})
