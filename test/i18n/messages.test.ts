import { readFile, glob } from 'node:fs/promises'
import test from 'ava'
import { LANGUAGES, readMessages } from '../../src/i18n/messages.ts'
import { GRANTED, TO_DECIDE } from '../../src/accounts/permissions.ts'
import { CATEGORIES } from '../../src/newsroom/categories.ts'
import { ACTIONS } from '../../src/project/decisions.ts'
import type { Language } from '../../src/i18n/messages.ts'

/** Forms for numbers by CLDR; which of them a language has, its plural rules say. */
const FORMS = new Set(['zero', 'one', 'two', 'few', 'many', 'other'])

/** Messages whose names are put together where they are used. */
const BUILT =
  /^(?:(?:people\.problem|role|decide|decided|reason|standing|closed|kind|field|hint|choice|offer|problem|status|listing|cloud|comments|calendar\.(?:previous|next)|search\.notice|erasure\.state|live)\.|filters\.(?:way|part|deed|problem)\.|files\.(?:(?:problem|say|faces)\.|(?:alt|caption|credit|licence|name)$)|people\.(?:wrong_password|too_many_attempts|set-up|invitation)$)/

/** The messages of a language with the forms of one message together, by its name. */
function grouped(language: Language): Map<string, Map<string, string>> {
  const groups = new Map<string, Map<string, string>>()
  const all = readMessages(language)
  for (const [path, text] of all) {
    const [, stem = '', form = ''] = /^(.*)\.(\w+)$/.exec(path) ?? []
    // "one" and "many" of a kind are what one and several are called, whatever the number.
    const isForm = FORMS.has(form) && all.has(`${stem}.other`) && all.has(`${stem}.one`)
    const name = isForm ? stem : path
    const forms = groups.get(name) ?? new Map<string, string>()
    forms.set(isForm ? form : '', text)
    groups.set(name, forms)
  }
  return groups
}

function bracesIn(text: string): string[] {
  return [...new Set(text.match(/\{\w+\}/g))].sort()
}

const english = grouped('en')

for (const language of LANGUAGES) {
  test(`every message is there in ${language}, with the forms that the language has`, (t) => {
    const own = grouped(language)
    t.deepEqual(
      [...english.keys()].filter((name) => !own.has(name)),
      [],
      'missing',
    )
    t.deepEqual(
      [...own.keys()].filter((name) => !english.has(name)),
      [],
      'too much',
    )
    const needed = new Intl.PluralRules(language).resolvedOptions().pluralCategories
    for (const [name, forms] of own) {
      const isPlural = english.get(name)?.has('other') ?? false
      const missing = isPlural ? needed.filter((form) => !forms.has(form)) : []
      t.deepEqual(missing, [], name)
    }
  })

  test(`every message in ${language} says something, has the braces of the original, and is no HTML`, (t) => {
    for (const [name, forms] of grouped(language)) {
      const original = english.get(name) ?? new Map<string, string>()
      const allowed = new Set([...original.values()].flatMap(bracesIn))
      const needed = bracesIn(original.get('other') ?? original.get('') ?? '')
      for (const [form, text] of forms) {
        t.regex(text, /\S/, name)
        t.notRegex(text, /<[a-z/!]|&[a-z#]+;/i, name)
        t.deepEqual(
          bracesIn(text).filter((brace) => !allowed.has(brace)),
          [],
          name,
        )
        // "One comment" need not hold the number.
        if (form === '' || form === 'other') t.deepEqual(bracesIn(text), needed, `${name} ${form}`)
      }
    }
  })
}

test('every message that is asked for by name is there, and none is there for nothing', async (t) => {
  const asked = new Set<string>()
  for await (const file of glob('src/**/*.{ts,njk}')) {
    const text = await readFile(file, 'utf8')
    for (const [, name = ''] of text.matchAll(/\bt\(\s*(?:answered \? )?'([^']+)'/g)) asked.add(name)
    for (const [, one = '', other = ''] of text.matchAll(/\bt\(\w+ \? '([^']+)' : '([^']+)'/g))
      asked.add(one).add(other)
  }
  t.true(asked.size > 100)
  const known = [...english.keys()]
  t.deepEqual(
    [...asked].filter((name) => !name.endsWith('.') && !english.has(name)),
    [],
    'asked for and missing',
  )
  t.deepEqual(
    known.filter((name) => !asked.has(name) && !BUILT.test(name)),
    [],
    'for nothing',
  )
})

test('whatever can be decided, given or said for a reason has its words', (t) => {
  const names = [
    ...GRANTED.map((role) => `role.${role}`),
    ...Object.keys(TO_DECIDE).map((action) => `decide.${action}`),
    ...ACTIONS.map((action) => `decided.${action}`),
    ...CATEGORIES.map((category) => `reason.${category}`),
  ]
  for (const name of names) t.true(english.has(name), name)
})
