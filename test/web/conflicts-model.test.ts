import test from 'ava'
import * as fc from 'fast-check'
import { kindOf } from '../../src/kinds/base/registry.ts'
import type { Kind } from '../../src/kinds/base/kind.ts'
import { mergeHeads } from '../../src/project/merge-item.ts'
import type { Version } from '../../src/resolve/resolve.ts'
import { chosenFields, clashingFields, inputName, shownInput } from '../../src/web/conflicts-model.ts'
import type { ClashingField } from '../../src/web/conflicts-model.ts'

const ARTICLE = kindOf('article') as Kind
const BASE = { title: 'Bridge', body: 'One.\n\nTwo.\n\nThree.', tags: ['river'], language: 'en' }

/** Heads with one base. */
function clash(kind: Kind, base: object, heads: readonly object[]) {
  const versions = new Map<string, Version>()
  const graph: Record<string, { parents: string[]; at: string }> = {}
  for (const [number, fields] of [base, ...heads].entries()) {
    const hash = String(number)
    versions.set(hash, { hash, at: `2026-01-0${number + 1}`, fields: { ...fields } })
    graph[hash] = { parents: number === 0 ? [] : ['0'], at: `2026-01-0${number + 1}` }
  }
  const merged = mergeHeads(kind, graph, versions)
  return { ...merged, clashing: clashingFields(kind, merged, versions) }
}

/** The form of somebody who chooses the same everywhere. */
function everywhere(clashing: readonly ClashingField[], choiceOf: (field: ClashingField) => string) {
  const typed: Record<string, string> = {}
  for (const [at, field] of clashing.entries()) {
    typed[inputName.choice(at)] = choiceOf(field)
    Object.assign(typed, shownInput(field, undefined))
    for (const number of (field.aligned?.passages ?? []).keys())
      typed[inputName.choice(at, number)] = choiceOf(field)
  }
  return typed
}

const body = fc
  .array(fc.constantFrom('One.', 'Two.', 'Three.', 'Four,\nand five.', '  six'), {
    minLength: 1,
    maxLength: 5,
  })
  .map((parts) => parts.join('\n\n'))
const fields = fc.record({
  title: fc.constantFrom('Bridge', 'A bridge', 'The bridge', 'Bridges', '😀'.repeat(90)),
  body,
  tags: fc.constantFrom([], ['river'], ['bus', 'river']),
  language: fc.constantFrom('en', 'es'),
})

test('whoever takes one version everywhere has its fields, byte for byte, and taking nothing leaves what stands', (t) => {
  let clashes = 0
  fc.assert(
    fc.property(fc.array(fields, { minLength: 2, maxLength: 3 }), (heads) => {
      const found = clash(ARTICLE, BASE, heads)
      clashes += found.clashing.length
      t.deepEqual(chosenFields(ARTICLE, found.fields, found.clashing, {}), found.fields)
      for (const { side } of found.clashing.flatMap(({ sides }) => sides.map((_, side) => ({ side })))) {
        const typed = everywhere(found.clashing, () => String(side))
        const chosen = chosenFields(ARTICLE, found.fields, found.clashing, typed)
        for (const { name, sides } of found.clashing)
          if (sides[side]) t.deepEqual(chosen[name], sides[side].value, name)
      }
    }),
    { numRuns: 500 },
  )
  t.true(clashes > 200, String(clashes))
})

test('a text is chosen by paragraphs, a title as a whole, and what somebody wrote counts without being chosen', (t) => {
  const { fields: merged, clashing } = clash(ARTICLE, BASE, [
    { ...BASE, title: 'Bridge open', body: 'One!\n\nTwo.\n\nThree!' },
    { ...BASE, title: 'Bridge shut', body: 'One?\n\nTwo.\n\nThree?' },
  ])
  t.deepEqual(
    clashing.map(({ name, aligned }) => [name, aligned?.passages.map(({ same }) => same)]),
    [
      ['title', undefined],
      ['body', [false, true, false]],
    ],
  )
  const chosen = (typed: Record<string, string>) => chosenFields(ARTICLE, merged, clashing, typed)
  t.like(chosen({ 'choose-0': '1', 'choose-1-0': 'all', 'choose-1-2': '1' }), {
    title: 'Bridge open',
    body: 'One?\n\nOne!\n\nTwo.\n\nThree!',
  })
  // The radio button still stands where it stood.
  t.like(chosen({ 'choose-0': '0', title: 'Bridge half open', 'choose-1-0': '0', 'text-1-0': 'One…' }), {
    title: 'Bridge half open',
    body: 'One…\n\nTwo.\n\nThree?',
  })
  // What was chosen besides is meant.
  t.like(chosen({ 'choose-0': '1', title: 'Bridge half open' }), { title: 'Bridge open' })
  for (const strange of ['', '9', '-1', 'constructor', '1e3', '0x1'])
    t.is(chosen({ 'choose-0': strange, 'choose-1-0': strange }).title, 'Bridge shut', strange)
  const emptied = { 'choose-1-0': 'anew', 'text-1-0': '', 'choose-1-2': 'anew', 'text-1-2': ' ' }
  t.is(chosen(emptied).body, 'Two.')
})

test('where whole versions clash every field that differs is chosen; lists can be joined', (t) => {
  const long = 'x'.repeat(160)
  const { fields: merged, clashing } = clash(ARTICLE, { ...BASE, title: `${long} middle end` }, [
    { ...BASE, title: `${long} and a long beginning middle end`, tags: ['bus', 'river'] },
    { ...BASE, title: `${long} middle and a very long end`, tags: ['river', 'town'], language: 'es' },
  ])
  t.deepEqual(
    clashing.map(({ name, listed }) => [name, listed]),
    [
      ['title', false],
      ['tags', true],
      ['language', false],
    ],
  )
  const typed = { 'choose-0': '1', 'choose-1': 'all', 'choose-2': 'anew', language: 'fr' }
  t.deepEqual(chosenFields(ARTICLE, merged, clashing, typed), {
    ...BASE,
    title: `${long} and a long beginning middle end`,
    tags: ['bus', 'river', 'town'],
    language: 'fr',
  })
})
