import test from 'ava'
import { bodiesNeeded, headsOf } from '../../src/resolve/graph.ts'
import type { Graph } from '../../src/resolve/graph.ts'

test('heads are the edits that no other names, sorted', (t) => {
  t.deepEqual(headsOf({ o: [], c: ['o'], b: ['o'], d: ['b'] }), ['c', 'd'])
  t.deepEqual(headsOf({}), [])
})

test('two edits of one version need that version', (t) => {
  t.deepEqual(bodiesNeeded({ p: [], o: ['p'], a: ['o'], b: ['o'] }), ['a', 'b', 'o'])
})

test('a merge that somebody saved is a single head and needs nothing else', (t) => {
  t.deepEqual(bodiesNeeded({ o: [], a: ['o'], b: ['o'], m: ['a', 'b'] }), ['m'])
})

test('the nearest common ancestor counts, not one behind it', (t) => {
  const graph = { o: [], p: ['o'], a: ['p', 'o'], b: ['x', 'o'], x: ['p'] }
  t.deepEqual(bodiesNeeded(graph), ['a', 'b', 'p'])
})

test('a criss-cross needs both nearest ancestors and theirs', (t) => {
  const graph = { o: [], a: ['o'], b: ['o'], m: ['a', 'b'], n: ['a', 'b'] }
  t.deepEqual(bodiesNeeded(graph), ['a', 'b', 'm', 'n', 'o'])
})

test('parents that are not here, and roots without each other, leave no base', (t) => {
  t.deepEqual(bodiesNeeded({ a: ['gone'], b: ['gone'] }), ['a', 'b'])
  t.deepEqual(bodiesNeeded({ a: [], b: [] }), ['a', 'b'])
})

test('the order in which a graph was built does not matter', (t) => {
  const graph: Graph = {
    o: [],
    a: ['o'],
    b: ['o'],
    m: ['a', 'b'],
    n: ['b', 'a'],
    q: ['m', 'n'],
    r: ['n', 'm'],
  }
  const turned = Object.fromEntries(Object.entries(graph).reverse())
  t.deepEqual(bodiesNeeded(turned), bodiesNeeded(graph))
  t.deepEqual(headsOf(turned), ['q', 'r'])
})

test('bodies needed after 10,000 edits in a row are three, as after one', (t) => {
  const graph: Record<string, string[]> = { e0: [] }
  for (let number = 1; number < 10_000; number += 1) graph[`e${number}`] = [`e${number - 1}`]
  graph['left'] = ['e9999']
  graph['right'] = ['e9999']
  t.deepEqual(bodiesNeeded(graph), ['e9999', 'left', 'right'])
})

test('a criss-cross that is wide and deep needs a bounded number of bodies', (t) => {
  const graph: Record<string, string[]> = {}
  const wide = 10
  for (let level = 0; level < 200; level += 1)
    for (let place = 0; place < wide; place += 1)
      graph[`l${level}p${place}`] =
        level === 0 ? [] : Array.from({ length: wide }, (_, parent) => `l${level - 1}p${parent}`)
  const needed = bodiesNeeded(graph)
  t.is(headsOf(graph).length, wide)
  t.true(needed.length <= 18 * wide, `${needed.length} bodies`)
  t.true(needed.includes('l198p0'))
})

test('a graph that runs in a circle comes to an end', (t) => {
  t.deepEqual(bodiesNeeded({ a: ['b'], b: ['a'] }), [])
  const hung = { a: ['c'], b: ['d'], c: ['d'], d: ['c'], self: ['self'] }
  t.deepEqual(headsOf(hung), ['a', 'b'])
  t.notThrows(() => bodiesNeeded(hung))
})
