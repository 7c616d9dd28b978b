import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import * as fc from 'fast-check'
import { readQuery } from '../../src/search/query.ts'
import { SearchIndex } from '../../src/search/search-index.ts'
import type { IndexEntry, SearchQuery } from '../../src/search/search-index.ts'
import { highlight, snippetOf } from '../../src/search/snippet.ts'
import { testFolder } from '../helpers/folder.ts'

function onDay(day: number): string {
  return `2026-03-0${day}T00:00:00.000Z-0000`
}

function namesOf(counts: { name: string }[]): string[] {
  return counts.map(({ name }) => name)
}

const MARK = { source: 'test', seq: 1 }

function entry(id: string, fields: Partial<IndexEntry> = {}): IndexEntry {
  const at = fields.at ?? '2026-03-04T05:06:07.000Z-0000'
  return {
    id,
    item: id,
    kind: 'article',
    at,
    updatedAt: at,
    language: 'en',
    title: 'Untitled',
    summary: '',
    body: '',
    tags: [],
    places: [],
    counts: [],
    ...fields,
  }
}

function indexOf(...put: IndexEntry[]): SearchIndex {
  const index = SearchIndex.open(':memory:')
  index.apply({ put, remove: [] }, MARK)
  return index
}

function found(index: SearchIndex, text: string, more: Partial<SearchQuery> = {}): string[] {
  return index.search({ text, order: 'best', limit: 100, ...more }).results.map(({ id }) => id)
}

test('words, phrases, beginnings and exclusions', (t) => {
  using index = indexOf(
    entry('one', { title: 'The night bus', body: 'runs again along the river' }),
    entry('two', { title: 'The bus at night', body: 'does not run' }),
    entry('three', { title: 'Night buses', body: 'for everybody', tags: ['transport'] }),
  )
  t.deepEqual(found(index, 'night bus').sort(), ['one', 'two'])
  t.deepEqual(found(index, '"night bus"'), ['one'])
  t.deepEqual(found(index, '“night bus”'), ['one'])
  t.deepEqual(found(index, 'night bus*').sort(), ['one', 'three', 'two'])
  t.deepEqual(found(index, 'bus -river'), ['two'])
  t.deepEqual(found(index, 'night -"night bus"').sort(), ['three', 'two'])
  t.deepEqual(found(index, '-river').sort(), ['three', 'two'])
  t.deepEqual(found(index, 'transport'), ['three'])
  t.deepEqual(found(index, 'title:night'), [])
  t.deepEqual(found(index, 'nothing'), [])
})

test('accents and vowel marks do not matter, and scripts without spaces are found by words', (t) => {
  using index = indexOf(
    entry('es', { title: 'Canción del pingüino' }),
    entry('de', { title: 'Straßenfest im Öhrchen' }),
    entry('tr', { title: 'Işık ve ırmak İSTANBUL' }),
    entry('ar', { title: 'مُؤتَمَر الأُمّهات في المَدينة' }),
    entry('zh', { title: '夜间巴士恢复运行' }),
    entry('ja', { title: '夜のバスが再開した' }),
    entry('el', { title: 'Η Αθήνα τη νύχτα' }),
    entry('pl', { title: 'Łódź' }),
  )
  for (const [text, id] of [
    ['cancion', 'es'],
    ['PINGUINO', 'es'],
    ['strassenfest', 'de'],
    ['Straßenfest', 'de'],
    ['ohrchen', 'de'],
    ['istanbul', 'tr'],
    ['isik', 'tr'],
    ['المدينه', 'ar'],
    ['الامهات', 'ar'],
    ['巴士', 'zh'],
    ['バス', 'ja'],
    ['αθηνα', 'el'],
    ['lodz', 'pl'],
  ] as const)
    t.deepEqual(found(index, text), [id], text)
  t.deepEqual(found(index, '士巴'), [])
})

test('filters by kind, tag, place, group, language, author and period', (t) => {
  using index = indexOf(
    entry('a', { title: 'x', kind: 'event', tags: ['rent'], at: '2026-01-10T00:00:00.000Z-0000' }),
    entry('b', { title: 'x', places: ['quay'], group: 'g', at: '2026-02-10T00:00:00.000Z-0000' }),
    entry('c', { title: 'x', language: 'es', author: 'Ana', at: '2026-03-10T23:59:59.999Z-0000' }),
    entry('comment:a:1', {
      item: 'a',
      title: 'x',
      kind: 'comment',
      language: '',
      at: '2026-04-10T00:00:00.000Z-0000',
    }),
  )
  const only = (more: Partial<SearchQuery>) => found(index, 'x', more).sort()
  t.deepEqual(only({ kind: 'event' }), ['a'])
  t.deepEqual(only({ kind: 'comment' }), ['comment:a:1'])
  t.deepEqual(only({ tag: 'rent' }), ['a'])
  t.deepEqual(only({ tag: 'Rent' }), [])
  t.deepEqual(only({ place: 'quay' }), ['b'])
  t.deepEqual(only({ group: 'g', place: 'quay' }), ['b'])
  t.deepEqual(only({ group: 'g', tag: 'rent' }), [])
  t.deepEqual(only({ language: 'es' }), ['c'])
  t.deepEqual(only({ author: 'Ana' }), ['c'])
  t.deepEqual(only({ from: '2026-02-10', until: '2026-03-10' }), ['b', 'c'])
  t.deepEqual(only({ until: '2026-02-09' }), ['a'])
  t.deepEqual(found(index, '', { tag: 'rent' }), ['a'])
})

test('what stands in the title, or stands there often, comes first; of the same the newer', (t) => {
  using index = indexOf(
    entry('title', { title: 'Harbour closed', body: 'words', at: onDay(1) }),
    entry('once', { title: 'News', body: 'At the harbour some people wait.', at: onDay(3) }),
    entry('often', { title: 'News', body: 'harbour, harbour and the harbour', at: onDay(2) }),
  )
  t.deepEqual(found(index, 'harbour'), ['title', 'often', 'once'])
  t.deepEqual(found(index, 'harbour', { order: 'newest' }), ['once', 'often', 'title'])
})

test('pages follow one another without a gap, in both orders, as far as is ranked', (t) => {
  const put = Array.from({ length: 1_203 }, (_, number) => {
    const at = new Date(Date.UTC(2026, 0, 1) + number * 60_000).toISOString()
    return entry(`i${number}`, {
      title: number % 3 === 0 ? 'Word here' : 'Other',
      body: 'the word',
      at: `${at}-0000`,
    })
  })
  using index = indexOf(...put)
  for (const order of ['best', 'newest'] as const) {
    const seen: string[] = []
    let after: string | undefined
    do {
      const page = index.search({ text: 'word', order, limit: 37, ...(after === undefined ? {} : { after }) })
      seen.push(...page.results.map(({ id }) => id))
      t.true(page.capped)
      t.is(page.found, 1_000)
      after = page.next
    } while (after !== undefined)
    t.is(seen.length, 1_000)
    t.is(new Set(seen).size, 1_000)
  }
  t.is(found(index, 'word', { order: 'newest', limit: 1 })[0], 'i1202')
})

test('any text is a query that is answered, and what it cannot mean is noted', (t) => {
  using index = indexOf(entry('a', { title: 'A "quoted" word AND NOT (others) * -x', body: 'NEAR(a b)' }))
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary', maxLength: 80 }),
        fc
          .array(
            fc.constantFrom('"', '*', '-', '(', ')', 'AND', 'NOT', 'a', ':', '^', '+', '{', 'NEAR', ' '),
            { maxLength: 30 },
          )
          .map((parts) => parts.join('')),
      ),
      (text) => {
        const page = index.search({ text, order: 'best', limit: 10 })
        return page.results.length <= 1
      },
    ),
    { numRuns: 500 },
  )
  t.deepEqual(readQuery('"not closed').notices, ['unclosed_quote'])
  t.deepEqual(readQuery('* word').notices, ['lone_sign'])
  t.deepEqual(readQuery('x '.repeat(30)).notices, ['too_long'])
  t.deepEqual(readQuery('y'.repeat(500)).notices, ['too_long'])
  t.deepEqual(readQuery('plain').notices, [])
  t.deepEqual(found(index, 'NEAR(a'), ['a'])
})

const someEntries = fc.array(
  fc.record({
    id: fc.constantFrom('a', 'b', 'c', 'd'),
    word: fc.constantFrom('river', 'bread', 'night'),
    tag: fc.constantFrom('x', 'y'),
    remove: fc.boolean(),
    minute: fc.integer({ min: 0, max: 3 }),
  }),
  { maxLength: 30 },
)

test('after any puts and removals the index finds and counts just what is there', (t) => {
  fc.assert(
    fc.property(someEntries, (steps) => {
      using index = SearchIndex.open(':memory:')
      const there = new Map<string, { word: string; tag: string }>()
      for (const { id, word, tag, remove, minute } of steps) {
        const at = `2026-03-04T05:0${minute}:00.000Z-0000`
        const put = remove ? [] : [entry(id, { title: word, tags: [tag], at, counts: [['tag', tag]] })]
        index.apply({ put, remove: remove ? [id] : [] }, MARK)
        if (remove) there.delete(id)
        else there.set(id, { word, tag })
      }
      for (const word of ['river', 'bread', 'night']) {
        const expected = [...there].filter(([, some]) => some.word === word).map(([id]) => id)
        t.deepEqual(found(index, word).sort(), expected.sort())
      }
      const counted = ['x', 'y'].flatMap((name) => {
        const count = [...there.values()].filter(({ tag }) => tag === name).length
        return count === 0 ? [] : [{ name, count }]
      })
      t.deepEqual(index.names('tag', { limit: 10 }), counted)
      t.deepEqual(
        [...index.counts('tag', ['x', 'y'])].map(([name, count]) => ({ name, count })),
        counted,
      )
    }),
    { numRuns: 60 },
  )
})

test('names come by count, by name and by the last that came with them', (t) => {
  using index = indexOf(
    entry('1', { counts: [['group', 'a']], at: onDay(1) }),
    entry('2', { counts: [['group', 'b']], at: onDay(3) }),
    entry('3', { counts: [['group', 'b']], at: onDay(2) }),
    entry('4', { counts: [['group', 'c']], at: onDay(4) }),
  )
  t.deepEqual(namesOf(index.top('group', 2)), ['b', 'a'])
  t.deepEqual(namesOf(index.names('group', { limit: 9 })), ['a', 'b', 'c'])
  t.deepEqual(namesOf(index.latest('group', 9)), ['c', 'b', 'a'])
})

function inGroup(id: string, group: string, day: number): IndexEntry {
  return entry(id, { at: onDay(day), counts: [['group', group]] })
}

test('what is put again under the same counts leaves their order, and says that it does', (t) => {
  using index = indexOf()
  const apply = (put: IndexEntry[], remove: string[] = []) => index.apply({ put, remove }, MARK)
  apply([inGroup('old', 'a', 1), inGroup('between', 'b', 2), inGroup('new', 'a', 3)])
  t.deepEqual(apply([], ['new']), ['count:group:a', 'top:group'])
  const before = namesOf(index.latest('group', 9))
  t.deepEqual(apply([{ ...inGroup('old', 'a', 1), title: 'Changed' }]), [])
  t.deepEqual(namesOf(index.latest('group', 9)), before)
  t.deepEqual(apply([inGroup('old', 'b', 1)]).sort(), ['count:group:a', 'count:group:b', 'top:group'])
  t.deepEqual(namesOf(index.latest('group', 9)), ['b'])
})

test('snippets stand around what was found, mark it in the text as it was written, and are never HTML', (t) => {
  const { terms } = readQuery('cancion "night bus" riv*')
  t.deepEqual(highlight('La Canción <b>', terms), [
    { text: 'La ', hit: false },
    { text: 'Canción', hit: true },
    { text: ' <b>', hit: false },
  ])
  t.deepEqual(highlight('The Night  bus, rivers', terms), [
    { text: 'The ', hit: false },
    { text: 'Night  bus', hit: true },
    { text: ', ', hit: false },
    { text: 'rivers', hit: true },
  ])
  const long = `${'before '.repeat(100)}canción ${'after '.repeat(100)}`
  const snippet = snippetOf(long, terms)
  t.deepEqual(
    snippet.filter(({ hit }) => hit),
    [{ text: 'canción', hit: true }],
  )
  t.is(snippet[0]?.text, '… ')
  t.is(snippet.at(-1)?.text, ' …')
  t.true(snippet.map(({ text }) => text).join('').length < 320)
  t.is(
    snippetOf('Nothing of it', terms)
      .map(({ text }) => text)
      .join(''),
    'Nothing of it',
  )
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme', maxLength: 300 }),
      fc.string({ maxLength: 10 }),
      (text, typed) => {
        const query = readQuery(typed)
        return (
          highlight(text, query.terms)
            .map((piece) => piece.text)
            .join('') === text
        )
      },
    ),
  )
})

test('the file keeps entries and mark; a damaged one, or one of another version, is made anew', async (t) => {
  const file = join(await testFolder(t), 'search.sqlite')
  {
    using index = SearchIndex.open(file)
    t.is(index.mark(), undefined)
    index.apply({ put: [entry('a', { title: 'kept' })], remove: [] }, MARK)
  }
  {
    using index = SearchIndex.open(file)
    t.deepEqual(index.mark(), MARK)
    t.deepEqual(found(index, 'kept'), ['a'])
    index.clear()
    t.is(index.mark(), undefined)
    t.deepEqual(found(index, 'kept'), [])
  }
  await writeFile(file, 'this is no database at all '.repeat(200))
  {
    using index = SearchIndex.open(file)
    t.is(index.mark(), undefined)
    index.apply({ put: [entry('b', { title: 'new' })], remove: [] }, MARK)
    t.deepEqual(found(index, 'new'), ['b'])
  }
})
