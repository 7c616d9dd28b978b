import test from 'ava'
import * as fc from 'fast-check'
import { orderedValue } from '../../src/couch/embedded/key-order.ts'
import { makeItemId } from '../../src/ledger/item-id.ts'
import { cacheControlOf } from '../../src/pages/store/lifetime.ts'
import { PageStore } from '../../src/pages/store/page-store.ts'
import { changedKeys, surrogateKeys } from '../../src/pages/store/surrogate-keys.ts'
import { Reads } from '../../src/reads.ts'

const LIFETIMES = { leastSeconds: 60, mostSeconds: 3600, listingSeconds: 60, errorSeconds: 1000 }
const ITEM = makeItemId('a', 0)
const NOW = 1_000_000_000_000

function said(path: string, ageSeconds: number, leftSeconds = Infinity): Record<string, string | true> {
  const reads = new Reads()
  reads.untilMs = NOW + leftSeconds * 1000
  const text = cacheControlOf(
    { key: ` en ${path}`, changedMs: NOW - ageSeconds * 1000, reads },
    LIFETIMES,
    NOW,
  )
  const parts = text.split(', ').map((part) => part.split('=') as [string, string?])
  return Object.fromEntries(parts.map(([name, value]) => [name, value ?? true]))
}

test('proxies keep an item for a tenth of its age, between a minute and an hour; browsers ask each time', (t) => {
  const path = `/articles/${ITEM}`
  t.is(said(path, 0)['s-maxage'], '60')
  t.is(said(path, 6000)['s-maxage'], '600')
  t.is(said(path, 1_000_000)['s-maxage'], '3600')
  const all = said(`/de${path}?comments=2`, 6000)
  t.like(all, { public: true, 'max-age': '0', 'must-revalidate': true, 's-maxage': '600' })
  t.like(all, { 'stale-while-revalidate': '10', 'stale-if-error': '1000' })
  t.is(said(`${path}/versions/abc`, 6000)['s-maxage'], '600')
})

test('proxies keep listings for a minute at most', (t) => {
  for (const path of [
    '/',
    '/newswire',
    '/de',
    '/tags/river',
    `/groups/${ITEM}`,
    `/articles/${ITEM}/feed.atom`,
  ])
    t.is(said(path, 1_000_000)['s-maxage'], '60', path)
})

test('proxies keep nothing longer than it is true', (t) => {
  const path = `/events/${ITEM}`
  t.is(said(path, 1_000_000, 300)['s-maxage'], '300')
  t.is(said(path, 1_000_000, 300)['stale-while-revalidate'], undefined)
  t.like(said(path, 6000, 605), { 's-maxage': '600', 'stale-while-revalidate': '5' })
  t.true(said(path, 6000, 0.5)['no-cache'])
})

test('what drops a page has one of its keys, and the header stays short', (t) => {
  const name = fc.string({ unit: 'binary', maxLength: 20 })
  const place = fc.array(name, { minLength: 1, maxLength: 3 }).map(orderedValue)
  const reads = fc.record({
    documents: fc.array(name),
    names: fc.array(name),
    ranges: fc.array(fc.tuple(fc.constantFrom('listing', 'changes'), place, place), { maxLength: 10 }),
    many: fc.nat(3000),
  })
  const change = fc.record({
    documents: fc.array(name, { maxLength: 3 }),
    names: fc.array(name, { maxLength: 3 }),
    rows: fc.array(fc.record({ view: fc.constantFrom('listing', 'changes'), ordered: place }), {
      maxLength: 3,
    }),
    pick: fc.boolean(),
  })
  fc.assert(
    fc.property(reads, change, ({ documents, names, ranges, many }, { pick, ...given }) => {
      const read = new Reads()
      for (const id of documents) read.documents.add(id)
      for (let at = 0; at < many; at += 1) read.documents.add(`one of many ${at}`)
      for (const one of names) read.names.add(one)
      for (const [view, one, other] of ranges) {
        const [from = '', to = ''] = [one, other].sort()
        read.ranges.push({ view, from, to })
      }
      const dropping = pick ? { ...given, documents: [...given.documents, ...documents.slice(0, 1)] } : given
      const header = surrogateKeys(read)
      t.true(header.length <= 2000)
      t.regex(header, /^all(?: [\w-]+)*$/)
      const store = new PageStore({ mostBytes: 1000 })
      const body = Buffer.from('a')
      const rest = { type: '', etag: '', changedMs: 0, status: 200, headers: {}, forms: {}, asked: 0 }
      store.put({ key: 'page', body, reads: read, ...rest }, store.now)
      const isDropped = store.changed(dropping).length > 0
      const keys = new Set(header.split(' '))
      if (isDropped) t.true(changedKeys(dropping).some((key) => keys.has(key)))
    }),
  )
})

test('the keys of a page tell what else has them, and not what they stand for', (t) => {
  const reads = new Reads()
  reads.documents.add(ITEM)
  const header = surrogateKeys(reads)
  t.false(header.includes(ITEM))
  const [key = ''] = changedKeys({ documents: [ITEM], names: [], rows: [] })
  t.is(header, `all ${key}`)
  t.false(changedKeys({ documents: ['another'], names: [], rows: [] }).includes(key))
})
