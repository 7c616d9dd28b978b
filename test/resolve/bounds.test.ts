import test from 'ava'
import { Budget, MOST_STEPS, stepsToCompare } from '../../src/resolve/bounds.ts'
import { mergeText } from '../../src/resolve/text.ts'
import { History } from './histories.ts'

/** Far above what the slowest machine needs: the bound that counts is the number of steps. */
const SAFETY_NET_MS = 10_000
const MEGABYTE = 1_000_000

/** The time of a merge of texts made from one another, which must be the same twice. */
function timeOf(texts: readonly [base: string, ...heads: string[]]) {
  const history = new History()
  const [base, ...heads] = texts
  const o = history.add([], { body: base })
  for (const body of heads) history.add([o], { body })
  const start = performance.now()
  const merged = history.resolve()
  return { ...merged, history, ms: performance.now() - start }
}

const repeated = (text: string) => text.repeat(Math.floor(MEGABYTE / text.length))
const cut = (text: string) => text.slice(0, MEGABYTE)

const laterStands = (later: string) => later
const same = (length: number) => Array.from({ length }, () => 'x')
const unique = (length: number) => Array.from({ length }, (_, at) => `${at}`)

test('a budget gives steps until they are used, and never a part of them', (t) => {
  const budget = new Budget(10)
  t.true(budget.spend(6))
  t.false(budget.spend(5))
  t.true(budget.spend(4))
  t.false(budget.spend(1))
})

test('the steps of a comparison grow with the pairs of equal words', (t) => {
  t.is(stepsToCompare(same(100), same(100)), 200 + 100 * 100 * 100)
  t.is(stepsToCompare(unique(100), unique(100)), 200 + 100 * 100)
  t.is(stepsToCompare(same(100), unique(100)), 200)
  t.true(stepsToCompare(same(1000), same(1000)) > MOST_STEPS)
})

const adversaries: Record<string, (side: string) => string> = {
  'one word': (side) => `${side} ${repeated('x ')}${side}`,
  'one letter without spaces': (side) => `${side} ${repeated('字')}${side}`,
  'one paragraph': (side) => `${side}\n\n${repeated('x\n\n')}${side}`,
  'blank lines': (side) => `${side}${repeated('\n')}${side}`,
  spaces: (side) => `${side}\n${repeated(' ')}${side}`,
  'two words in turns': (side) =>
    `${side} ${repeated(side === 'o' ? 'x y ' : side === 'a' ? 'y x ' : 'y y x ')}`,
  'many paragraphs of few words': (side) =>
    cut(Array.from({ length: 3000 }, (_, at) => `${side} ${at} ${'x '.repeat(160)}${side}`).join('\n\n')),
  'many paragraphs of many words': (side) =>
    cut(Array.from({ length: 200 }, (_, at) => `${side} ${at} ${'x y '.repeat(1250)}${side}`).join('\n\n')),
  'paragraphs before and behind each other': (side) =>
    side === 'a'
      ? `${numbers(500)}${repeated('x\n\n')}`
      : cut(`${'x\n\n'.repeat(5000)}${numbers(100_000)}${side}`),
}

function numbers(length: number): string {
  return Array.from({ length }, (_, at) => `${at}\n\n`).join('')
}

for (const [name, text] of Object.entries(adversaries)) {
  test(`a megabyte of repetition is merged with bounded work: ${name}`, (t) => {
    const merged = timeOf([text('o'), text('a'), text('b')])
    t.log(`${Math.round(merged.ms)} ms, ${merged.clashes.length} clashes`)
    t.true(merged.ms < SAFETY_NET_MS)
    t.deepEqual(merged.history.resolve(), { fields: merged.fields, clashes: merged.clashes })
  })
}

test('without steps left the later text stands whole, and is not clean', (t) => {
  const merged = [0, 100].map((steps) =>
    mergeText('a b c d!', 'a! b c d', 'a b c d', { budget: new Budget(steps), stands: laterStands }),
  )
  t.deepEqual(merged, [
    { text: 'a b c d!', clean: false },
    { text: 'a! b c d!', clean: true },
  ])
})

test('all heads of an item share one budget: two merge, and of thirty some are listed', (t) => {
  const base = marked(0, 0, '')
  const heads = Array.from({ length: 30 }, (_, person) => marked(5 * person, 250 + 5 * person, `by${person}`))
  t.deepEqual(timeOf([base, ...heads.slice(0, 2)]).clashes, [])
  const { ms, clashes, fields } = timeOf([base, ...heads])
  t.log(`${Math.round(ms)} ms, ${clashes.length} clashes`)
  const others = new Set(clashes.map(({ other }) => other))
  const stand = new Set(String(fields['body']).match(/by\d+/g))
  t.true(others.size > 0)
  t.true(others.size + stand.size >= heads.length, `${others.size} listed, ${stand.size} stand`)
  t.true(ms < SAFETY_NET_MS)
})

/** A paragraph of one word over and over, with a mark at two places. */
function marked(first: number, second: number, mark: string): string {
  const list = Array.from({ length: 410 }, () => 'x')
  if (mark) list.splice(second, 0, mark)
  if (mark) list.splice(first, 0, mark)
  return list.join(' ')
}

test('a text too long to compare whole still merges changes at its two ends', (t) => {
  const long = Array.from({ length: 100_000 }, (_, at) => `word${at % 1000}`).join(' ')
  const { fields, clashes, ms } = timeOf([`o ${long} o`, `a ${long} o`, `o ${long} b`])
  t.log(`${Math.round(ms)} ms`)
  t.true(fields['body'] === `a ${long} b`)
  t.deepEqual(clashes, [])
})

test('a history of 10,000 edits in a row, and heads on its two ends, merges', (t) => {
  const history = new History()
  const first = history.add([], { body: 'One.\n\nTwo.' })
  let last = first
  for (let edit = 0; edit < 10_000; edit += 1) last = history.add([last], { body: `One ${edit}.\n\nTwo.` })
  history.add([first], { body: 'One.\n\nTwo!' })
  const start = performance.now()
  t.deepEqual(history.resolve(), { fields: { body: 'One 9999.\n\nTwo!' }, clashes: [] })
  t.true(performance.now() - start < SAFETY_NET_MS)
})

test('a criss-cross that is wide and deep is merged with bounded work', (t) => {
  const history = new History()
  let level = Array.from({ length: 8 }, (_, person) => history.add([], { body: `Person ${person}.` }))
  for (let depth = 0; depth < 100; depth += 1)
    level = level.map((_, person) => history.add(level, { body: `Person ${person} at ${depth}.` }))
  const start = performance.now()
  const { fields, clashes } = history.resolve()
  t.true(performance.now() - start < SAFETY_NET_MS)
  t.is(fields['body'], 'Person 7 at 99.')
  t.is(new Set(clashes.map(({ other }) => other)).size, 7)
})
