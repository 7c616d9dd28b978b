import test from 'ava'
import * as fc from 'fast-check'
import { bodiesNeeded, headsOf } from '../../src/resolve/graph.ts'
import { resolve } from '../../src/resolve/resolve.ts'
import type { Version } from '../../src/resolve/resolve.ts'
import { ancestors, histories, History, STRATEGIES } from './histories.ts'

const RUNS = { numRuns: 400 }

const values = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.array(fc.string(), { maxLength: 3 }))
const someFields = fc.dictionary(fc.oneof(fc.constantFrom(...Object.keys(STRATEGIES)), fc.string()), values)
const wordsOf = (body: unknown) => new Set(String(body).match(/\S+/g))

test('the outcome depends neither on arrival nor on the order of graph, parents, bodies or fields', (t) => {
  fc.assert(
    fc.property(histories, fc.infiniteStream(fc.nat()), (history, random) => {
      const shuffled = <Item>(items: Iterable<Item>): Item[] => {
        const list = [...items]
        for (let at = list.length - 1; at > 0; at -= 1) {
          const other = random.next().value % (at + 1)
          const [x, y] = [list[at] as Item, list[other] as Item]
          list[at] = y
          list[other] = x
        }
        return list
      }
      const graph: Record<string, string[]> = {}
      for (const [hash, parents] of shuffled(Object.entries(history.graph))) graph[hash] = shuffled(parents)
      const bodies = new Map<string, Version>()
      for (const [hash, version] of shuffled(history.bodies)) {
        bodies.set(hash, { ...version, fields: Object.fromEntries(shuffled(Object.entries(version.fields))) })
      }
      t.is(JSON.stringify(resolve(STRATEGIES, graph, bodies)), JSON.stringify(history.resolve()))
    }),
    RUNS,
  )
  t.pass()
})

test('no more bodies are read than those that are named as needed', (t) => {
  fc.assert(
    fc.property(histories, (history) => {
      const needed = new Map<string, Version>()
      for (const hash of bodiesNeeded(history.graph)) {
        const version = history.bodies.get(hash)
        if (version) needed.set(hash, version)
      }
      t.deepEqual(resolve(STRATEGIES, history.graph, needed), history.resolve())
    }),
    RUNS,
  )
})

test("no head's words are lost: they are in the text, or the head is listed as one whose text does not stand", (t) => {
  let kept = 0
  let listed = 0
  fc.assert(
    fc.property(histories, (history) => {
      const { fields, clashes } = history.resolve()
      const heads = headsOf(history.graph)
      const merged = wordsOf(fields['body'])
      const others = new Set(clashes.filter(({ field }) => field === 'body').map(({ other }) => other))
      const lines = clashes.map(({ field, kept: standing, other }) => [field, standing, other].join('\n'))
      t.deepEqual(lines, [...new Set(lines)].sort())
      for (const { kept: standing, other } of clashes)
        t.true(heads.includes(standing) && heads.includes(other))
      for (const head of heads) {
        const elsewhere = ancestors(
          history.graph,
          heads.filter((other) => other !== head),
        )
        const known = [...elsewhere].flatMap((hash) => [...wordsOf(history.bodies.get(hash)?.fields['body'])])
        const own = wordsOf(history.bodies.get(head)?.fields['body']).difference(new Set(known))
        const lost = own.difference(merged)
        if (lost.size > 0) t.true(others.has(head), `lost: ${[...lost].join(' ')}`)
        if (heads.length > 1 && lost.size > 0) listed += 1
        if (heads.length > 1 && own.size > 0 && lost.size === 0) kept += 1
      }
    }),
    { numRuns: 1000 },
  )
  t.true(kept > 50 && listed > 50, `the histories hold both cases: ${kept} kept, ${listed} listed`)
})

test('one head gives its own fields and no clashes', (t) => {
  fc.assert(
    fc.property(someFields, someFields, (before, fields) => {
      const history = new History()
      history.add([history.add([], before)], fields)
      t.deepEqual(history.resolve(), { fields, clashes: [] })
    }),
    RUNS,
  )
})

test('heads with equal fields give those fields, whatever came before', (t) => {
  fc.assert(
    fc.property(someFields, someFields, fc.integer({ min: 2, max: 5 }), (before, fields, people) => {
      const history = new History()
      const base = history.add([], before)
      for (let person = 0; person < people; person += 1) history.add([base], fields)
      t.deepEqual(history.resolve(), { fields, clashes: [] })
    }),
    RUNS,
  )
})

test('what only one side changed stands as that side left it', (t) => {
  fc.assert(
    fc.property(someFields, someFields, fc.nat(3), (before, fields, order) => {
      const history = new History()
      const base = history.add([], before)
      history.add([base], fields, order)
      history.add([base], before, 1)
      history.add([base], before, 2)
      t.deepEqual(history.resolve(), { fields, clashes: [] })
    }),
    RUNS,
  )
})

test('saving a merge changes nothing and leaves no clash', (t) => {
  fc.assert(
    fc.property(histories, (history) => {
      const { fields } = history.resolve()
      history.add(headsOf(history.graph), fields)
      t.deepEqual(history.resolve(), { fields, clashes: [] })
    }),
    RUNS,
  )
})

test('a set holds what both kept and what either added, and nothing else', (t) => {
  const sets = fc.uniqueArray(fc.string({ maxLength: 2 }), { maxLength: 8 })
  fc.assert(
    fc.property(sets, sets, sets, (base, a, b) => {
      const history = new History()
      const first = history.add([], { tags: base })
      history.add([first], { tags: a })
      history.add([first], { tags: b })
      const { fields, clashes } = history.resolve()
      const [o, x, y] = [new Set(base), new Set(a), new Set(b)]
      const expected = o.intersection(x).intersection(y).union(x.difference(o)).union(y.difference(o))
      t.deepEqual([...new Set(fields['tags'] as string[])].sort(), [...expected].sort())
      t.deepEqual(clashes, [])
    }),
    RUNS,
  )
})
