import test from 'ava'
import * as fc from 'fast-check'
import { align, written } from '../../src/resolve/passages.ts'
import type { Aligned, Choice } from '../../src/resolve/passages.ts'

const RUNS = { numRuns: 1000 }

/** Texts whose paragraphs repeat, with blank lines of many sorts between and around them. */
const paragraph = fc.constantFrom('One.', 'Two words.', 'Three', '  indented', '> quoted\n> twice', '')
const gap = fc.constantFrom('\n\n', '\n\n\n', '\n \n', '\r\n\r\n', '\n', ' ')
const texts = fc
  .array(fc.tuple(paragraph, gap), { maxLength: 6 })
  .map((parts) => parts.flat().join(''))
  .chain((text) => fc.constantFrom(text, text.trimEnd(), `\n\n${text}`))
const anything = fc.oneof(texts, fc.string({ unit: 'grapheme', maxLength: 40 }))
const several = fc.array(anything, { minLength: 2, maxLength: 4 })

function everywhere({ passages }: Aligned, choice: Choice): Map<number, Choice> {
  return new Map(passages.map((_, at) => [at, choice]))
}

test('choosing one side everywhere gives that side, byte for byte', (t) => {
  fc.assert(
    fc.property(anything, several, fc.constantFrom(Infinity, 1, 2), (merged, sides, most) => {
      const aligned = align(merged, sides, most)
      for (const [side, text] of sides.entries()) t.is(written(aligned, everywhere(aligned, side)), text)
    }),
    RUNS,
  )
})

test('choosing nothing leaves the text as it was merged', (t) => {
  fc.assert(
    fc.property(anything, several, (merged, sides) => {
      t.is(written(align(merged, sides), new Map()), merged)
    }),
    RUNS,
  )
})

test('all of them has what every side says, at every place', (t) => {
  fc.assert(
    fc.property(anything, several, (merged, sides) => {
      const aligned = align(merged, sides)
      const text = written(aligned, everywhere(aligned, 'all'))
      for (const passage of aligned.passages)
        for (const side of passage.sides) t.true(text.includes(side.trimEnd()))
      t.true(sides.every((side) => side.split(/\s+/).every((word) => text.includes(word))))
    }),
    RUNS,
  )
})

test('what is the same in all texts stands once, and paragraphs that differ are chosen one by one', (t) => {
  const kept = 'First.\n\nHere A.\n\nHere B.\n\nLast.'
  const other = 'First.\n\nThere A.\n\nThere B.\n\nLast.\n\nMore.\n'
  const aligned = align(kept, [kept, other])
  t.deepEqual(
    aligned.passages.map(({ same, merged }) => [same, merged.trim()]),
    [
      [true, 'First.'],
      [false, 'Here A.'],
      [false, 'Here B.'],
      [true, 'Last.'],
      [false, ''],
    ],
  )
  const choices = new Map<number, Choice>([
    [1, 'all'],
    [2, { anew: 'Anywhere.\n' }],
    [4, 1],
  ])
  t.is(written(aligned, choices), 'First.\n\nHere A.\n\nThere A.\n\nAnywhere.\n\nLast.\n\nMore.\n')
  t.is(written(aligned, new Map([[2, { anew: ' ' }]])), 'First.\n\nHere A.\n\nLast.')
})

test('a text that repeats without end is one passage, in bounded time', (t) => {
  const kept = 'a\n\n'.repeat(20_000)
  const other = 'b\n\na\n\n'.repeat(20_000)
  const aligned = align(kept, [kept, other])
  t.is(aligned.passages.length, 1)
  t.is(written(aligned, everywhere(aligned, 1)), other)
})
