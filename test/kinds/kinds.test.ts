import test from 'ava'
import * as fc from 'fast-check'
import { LIMITS } from '../../src/kinds/base/fields.ts'
import { allKinds, kindAt, kindOf } from '../../src/kinds/base/registry.ts'
import { normaliseTerm, readTerms } from '../../src/kinds/base/vocabulary.ts'
import { wordingOf } from '../../src/i18n/wording.ts'
import { plainDataProblem } from '../../src/ledger/document.ts'
import { checkInput, inputOf } from '../../src/web/item-form.ts'

const KINDS = [
  'alert',
  'article',
  'audio',
  'event',
  'group',
  'link',
  'page',
  'photo',
  'snippet',
  'term',
  'video',
]

test('every kind is found by its name and by its path', (t) => {
  t.deepEqual(
    allKinds().map(({ name }) => name),
    KINDS,
  )
  for (const kind of allKinds()) {
    t.is(kindOf(kind.name), kind)
    t.is(kindAt(kind.path), kind)
    t.regex(kind.path, /^[a-z]+$/)
  }
  t.is(kindOf('constructor'), undefined)
  t.is(kindAt('__proto__'), undefined)
})

test('every field of a form has a strategy to merge by', (t) => {
  for (const { name, form, strategies } of allKinds()) {
    const ownInputs = new Set(['repeat', 'until'])
    const without = form.filter((field) => !(field.name in strategies) && !ownInputs.has(field.name))
    t.deepEqual(
      without.map((field) => field.name),
      [],
      name,
    )
  }
})

/** Whatever people type. */
const typed = fc.oneof(
  fc.constantFrom('', ' ', 'yes', 'en', '2026-11-23', '19:30', 'https://e.org/a', '<b>', 'a, B,ß'),
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ unit: 'grapheme', maxLength: 60 }),
)

/** Without these a form is seldom one that can be saved. */
const OFTEN_RIGHT: Record<string, fc.Arbitrary<string>> = {
  title: fc.oneof(fc.constantFrom('river', 'school'), typed),
  body: fc.oneof(fc.constant('Text'), typed),
  summary: fc.oneof(fc.constant('Text'), typed),
  language: fc.constantFrom('en', 'pt-BR', 'no language'),
  address: fc.oneof(fc.constant('https://e.org/a?b=c'), typed),
  spot: fc.constantFrom('front', 'side', 'elsewhere'),
  vocabulary: fc.constantFrom('tag', 'place', ''),
  zone: fc.constantFrom('Europe/Madrid', 'UTC', 'Mars/Olympus'),
  start: fc.constantFrom('2026-11-23', '2026-02-30', ''),
  end: fc.constantFrom('', '2026-11-24'),
  startTime: fc.constantFrom('', '19:00', '25:00'),
  endTime: fc.constant(''),
  repeat: fc.constantFrom('none', 'weekly'),
  until: fc.constantFrom('', '2026-12-31'),
  latitude: fc.constantFrom('', '41.5'),
  longitude: fc.constantFrom('', '2.1'),
  group: fc.constant(''),
  translationOf: fc.constant(''),
  author: fc.oneof(fc.constant(''), typed),
  feeds: fc.constantFrom('', 'https://e.org/feed\nhttps://e.org/other', 'file:///etc/passwd'),
  playlist: fc.constantFrom('', 'A song https://e.org/a.mp3', 'no address'),
}

for (const kind of allKinds()) {
  test(`whatever is typed into the form of a kind is told or can be stored: ${kind.name}`, (t) => {
    const names = Object.keys(inputOf({}, kind))
    const input = fc.record(Object.fromEntries(names.map((name) => [name, OFTEN_RIGHT[name] ?? typed])))
    let saved = 0
    fc.assert(
      fc.property(input, (values) => {
        const { fields, errors } = checkInput(values, kind, { wording: wordingOf('en') })
        for (const sentence of Object.values(errors)) t.regex(sentence, /^“.+”.* .*\.$/s)
        if (Object.keys(errors).length > 0) return
        saved += 1
        t.is(plainDataProblem({ fields }), undefined)
        // What listings show follows from the fields alone, and is small however large those are.
        t.true(JSON.stringify(kind.listing(fields)).length < 40_000)
        // What a form shows for the fields, sent again unchanged, gives the same fields.
        const again = checkInput(inputOf(fields, kind), kind, { before: fields, wording: wordingOf('en') })
        t.deepEqual(again, { fields, errors: {} })
      }),
      { numRuns: 300 },
    )
    t.true(saved > 0)
  })
}

test('tags and places are the same however they are typed', (t) => {
  t.is(normaliseTerm('  E\u0301COLE  Libre '), 'école libre')
  t.is(normaliseTerm('Ｆｕｌｌ　Ｗｉｄｔｈ'), 'full width')
  t.is(normaliseTerm('STRASSE\u200b'), 'strasse')
  t.is(normaliseTerm('\u202egnorw\u202c'), 'gnorw')
  t.deepEqual(readTerms('Housing, HOUSING،سكن、住宅\nrent'), ['housing', 'rent', 'سكن', '住宅'])
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
      const once = normaliseTerm(text)
      t.is(normaliseTerm(once), once)
    }),
  )
})

test('a hostile number of tags, or a long one, is told', (t) => {
  const article = kindOf('article')
  if (!article) throw new Error('there is no article')
  const base = { title: 'T', body: 'B', language: 'en', author: '', summary: '' }
  const wording = wordingOf('en')
  const many = Array.from({ length: LIMITS.tags + 1 }, (_, number) => `t${number}`).join(',')
  t.is(
    checkInput({ ...base, tags: many }, article, { wording }).errors.tags,
    '“Tags” has more than 20 entries.',
  )
  t.is(
    checkInput({ ...base, tags: 'x'.repeat(51) }, article, { wording }).errors.tags,
    '“Tags”: an entry is longer than 50 characters.',
  )
})
