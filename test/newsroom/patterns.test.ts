import test from 'ava'
import type { Pattern } from '../../src/newsroom/filters/filter.ts'
import { problemsOf } from '../../src/newsroom/filters/filter.ts'
import { Matcher } from '../../src/newsroom/filters/matcher.ts'
import { compile } from '../../src/newsroom/filters/pattern.ts'
import { LONGEST_TEXT, textsOf } from '../../src/newsroom/filters/texts.ts'
import type { SiteItem } from '../../src/project/site-item.ts'

function pattern(way: Pattern['way'], text: string, more: Partial<Pattern> = {}): Pattern {
  return { way, pattern: text, parts: [], kinds: [], ...more }
}

function texts(fields: Record<string, unknown>, kind = 'article') {
  return textsOf({
    type: 'item',
    kind,
    fields: { title: '', body: '', tags: [], ...fields },
  } as unknown as SiteItem)
}

function matches(one: Pattern, fields: Record<string, unknown>, kind?: string): boolean {
  return compile(one)(texts(fields, kind))
}

test('words count whole, whatever their case and accents, and phrases in their order', (t) => {
  const words = pattern('words', 'Casino\nfree money\n')
  t.true(matches(words, { body: 'A CÀSINO, here.' }))
  t.true(matches(words, { title: 'Free –  Money!' }))
  t.false(matches(words, { body: 'casinos and money for free' }))
  t.true(matches(pattern('words', 'spam.example'), { body: 'See https://www.spam.example/x?y.' }))
  t.true(matches(pattern('words', 'كازينو'), { body: 'لعبة كازينو هنا' }))
  t.true(matches(pattern('words', '賭場'), { body: '這是賭場。' }))
  t.throws(() => compile(pattern('words', '!?\n-')), { message: /no word/ })
})

test('an expression looks at the parts and kinds that it is meant for', (t) => {
  const fields = { title: 'One', summary: 'two', body: 'three', author: 'Four', tags: ['five', 'six'] }
  for (const [part, text] of [
    ['title', '^one$'],
    ['summary', 'TWO'],
    ['body', 'thr[e]{2}'],
    ['author', 'four'],
    ['tags', '^six$'],
  ] as const) {
    t.true(matches(pattern('expression', text, { parts: [part] }), fields), part)
    t.true(matches(pattern('expression', text), fields), `${part} anywhere`)
    const elsewhere = part === 'title' ? 'body' : 'title'
    t.false(matches(pattern('expression', text, { parts: [elsewhere] }), fields), `${part} elsewhere`)
  }
  t.true(matches(pattern('expression', '.', { kinds: ['link'] }), fields, 'link'))
  t.false(matches(pattern('expression', '.', { kinds: ['link', 'comment'] }), fields))
})

test('links are those of the text and of fields that hold addresses', (t) => {
  const links = pattern('expression', '^https?://([^/]+\\.)?shop\\.example(/|$)', { parts: ['links'] })
  t.true(matches(links, { body: 'Buy [here](https://a.shop.example/x) (http://other.example).' }))
  t.true(matches(links, { address: 'https://shop.example' }, 'link'))
  t.true(matches(links, { playlist: [{ title: 'x', address: 'http://shop.example/1.mp3' }] }, 'audio'))
  t.false(matches(links, { body: 'shop.example is a name' }))
  t.false(matches(pattern('expression', '2026', { parts: ['body'] }), { start: '2026-11-23T19:00' }, 'event'))
  t.true(matches(pattern('words', 'cellar', { parts: ['body'] }), { venue: 'The Cellar' }, 'event'))
})

test('an expression that would take for ever elsewhere takes a moment here, and what is too large is refused', (t) => {
  const body = `${'a'.repeat(LONGEST_TEXT - 1)}!`
  const begun = process.cpuUsage()
  for (const bomb of ['(a+)+$', '(a|aa)+$', '(a*)*b', '(.*a){12}$', '(a|a?)+$'])
    t.false(matches(pattern('expression', `^${bomb}`, { parts: ['body'] }), { body }), bomb)
  const { user } = process.cpuUsage(begun)
  t.true(user < 20_000_000, `${user} µs`)
  const large = pattern('expression', '[^x]{1,1000}[^y]{1,1000}')
  t.throws(() => compile(large), { code: 'filter_too_large' })
  const nested = pattern('expression', '((a{100}){100}){100}')
  t.throws(() => compile(nested), { code: 'filter_bad_pattern' })
})

test('only so much of a text is looked at', (t) => {
  const far = `${'x '.repeat(LONGEST_TEXT / 2)}casino`
  t.false(matches(pattern('words', 'casino'), { body: far }))
  t.is(texts({ body: 'é'.repeat(1_000_000) }).parts.body.length, LONGEST_TEXT)
})

test('what is no expression is refused with what is wrong with it', (t) => {
  for (const [wrong, problem] of [
    ['(', /missing closing \): `\(`/],
    ['a**', /repetition/],
    ['(?=a)', /Perl syntax/],
    ['\\1', /escape/],
    ['a{1001}', /repeat/],
    ['[z-a]', /range/],
  ] as const)
    t.throws(() => compile(pattern('expression', wrong)), { code: 'filter_bad_pattern', message: problem })
})

test('a thread that takes too long is ended, and the next task is done by another one', async (t) => {
  await using matcher = new Matcher()
  const slow = pattern('expression', '(.|.|.){1,240}!$')
  const body = 'x'.repeat(LONGEST_TEXT)
  const task = { looks: [{ pattern: slow, at: [0] }], texts: [texts({ body })] }
  await t.throwsAsync(matcher.match(task, 1), { code: 'filter_too_slow' })
  const quick = {
    looks: [{ pattern: pattern('words', 'x'), at: [0, 1] }],
    texts: [texts({}), texts({ body: 'X' })],
  }
  t.deepEqual(await matcher.match(quick), [[1]])
  const bad = matcher.match({ looks: [{ pattern: pattern('expression', '('), at: [0] }], texts: [texts({})] })
  await t.throwsAsync(bad, { code: 'filter_bad_pattern' })
  t.deepEqual(await matcher.match(quick), [[1]], 'a bad expression ends nothing')
  // One that does not work among several costs itself alone.
  const three = [texts({}), texts({ body }), texts({ body: 'x!' })]
  const looks = [pattern('expression', '('), pattern('words', 'x')].map((one) => ({
    pattern: one,
    at: [0, 1, 2],
  }))
  const codes: string[] = []
  const found = await matcher.matchEach({ looks, texts: three }, ({ code }) => codes.push(code))
  t.deepEqual(found, [[], [2]])
  t.deepEqual(codes, ['filter_bad_pattern', 'filter_bad_pattern', 'filter_bad_pattern'])
})

test('what is missing or too long in a filter is said by field', (t) => {
  const input = { name: 'A', ...pattern('words', 'x'), deed: 'queue' as const }
  t.deepEqual(problemsOf(input), {})
  t.deepEqual(problemsOf({ ...input, name: '', pattern: ' \n', deed: 'hide' }), {
    name: 'missing',
    pattern: 'missing',
    category: 'missing',
  })
  const long = { name: 'x'.repeat(101), pattern: 'x'.repeat(501), deed: 'tag' as const, tag: 'x'.repeat(51) }
  t.deepEqual(problemsOf({ ...input, ...long }), { name: 'tooLong', pattern: 'tooLong', tag: 'tooLong' })
  t.deepEqual(problemsOf({ ...input, deed: 'tag', tag: ' ' }), { tag: 'missing' })
  t.deepEqual(problemsOf({ ...input, deed: 'hide', category: '<b>' }), { category: 'missing' })
})
