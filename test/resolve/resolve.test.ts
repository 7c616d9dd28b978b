import test from 'ava'
import { resolve } from '../../src/resolve/resolve.ts'
import { History, STRATEGIES } from './histories.ts'

/** Two versions made from one: the second is the later. */
function fork(
  base: Record<string, unknown>,
  earlier: Record<string, unknown>,
  later: Record<string, unknown>,
) {
  const history = new History()
  const o = history.add([], base)
  const a = history.add([o], earlier)
  const b = history.add([o], later)
  return { ...history.resolve(), earlier: a, later: b, base: o }
}

const body = (base: string, earlier: string, later: string) =>
  fork({ body: base }, { body: earlier }, { body: later })

test('changes in different paragraphs are both kept', (t) => {
  const merged = body('One.\n\nTwo.\n\nThree.', 'First.\n\nTwo.\n\nThree.', 'One.\n\nTwo.\n\nThird.')
  t.deepEqual(merged.fields, { body: 'First.\n\nTwo.\n\nThird.' })
  t.deepEqual(merged.clashes, [])
})

test('changes in neighbouring paragraphs are both kept', (t) => {
  const merged = body('One.\n\nTwo.', 'First.\n\nTwo.', 'One.\n\nSecond.')
  t.deepEqual(merged.fields, { body: 'First.\n\nSecond.' })
  t.deepEqual(merged.clashes, [])
})

test('two rewritings of one sentence clash, and the later stands', (t) => {
  const merged = body('Intro.\n\nThe march is on.', 'Intro!\n\nNobody came.', 'Intro.\n\nThousands marched.')
  t.deepEqual(merged.fields, { body: 'Intro!\n\nThousands marched.' })
  t.deepEqual(merged.clashes, [{ field: 'body', kept: merged.later, other: merged.earlier }])
})

test('words changed apart in one paragraph are both kept', (t) => {
  const merged = body(
    'The march begins at noon in the old square.',
    'The march begins at ten in the old square.',
    'The march begins at noon in the old town.',
  )
  t.deepEqual(merged.fields, { body: 'The march begins at ten in the old town.' })
  t.deepEqual(merged.clashes, [])
})

test('changes of neighbouring words clash', (t) => {
  const merged = body('It was a red house there.', 'It was a blue house there.', 'It was a red barn there.')
  t.deepEqual(merged.fields, { body: 'It was a red barn there.' })
  t.is(merged.clashes.length, 1)
})

test('paragraphs that both append are both kept, the earlier first, and equal ones once', (t) => {
  const merged = body('One.\n', 'One.\n\nFrom here.\n\nSame.\n', 'One.\n\nFrom there.\n\nSame.\n')
  t.deepEqual(merged.fields, { body: 'One.\n\nFrom here.\n\nFrom there.\n\nSame.\n' })
  t.deepEqual(merged.clashes, [])
})

test('a paragraph appended behind one that the other side rewrote is kept', (t) => {
  const merged = body('One.\n\nTwo.', 'One.\n\nTwo.\n\nThree.', 'One.\n\nSomething else.')
  t.deepEqual(merged.fields, { body: 'One.\n\nSomething else.\n\nThree.' })
  t.deepEqual(merged.clashes, [])
})

test('a paragraph that one side removed and the other changed clashes', (t) => {
  const merged = body('One.\n\nTwo.\n\nThree.', 'One.\n\nTwo, changed.\n\nThree.', 'One.\n\nThree.')
  t.deepEqual(merged.fields, { body: 'One.\n\nThree.' })
  t.deepEqual(merged.clashes, [{ field: 'body', kept: merged.later, other: merged.earlier }])
})

test('indented paragraphs stay indented when one is put before them', (t) => {
  const merged = body(
    'List:\n\n    code\n\nEnd.',
    'List:\n\nNew.\n\n    code\n\nEnd.',
    'List:\n\n    code\n\nThe end.',
  )
  t.deepEqual(merged.fields, { body: 'List:\n\nNew.\n\n    code\n\nThe end.' })
})

test('blank lines that only one side changed are kept as it left them', (t) => {
  const merged = body(
    '```\na\n\nb\n```\n\nEnd.',
    '```\na\n\n\n\nb\n```\n\nEnd.',
    '```\na\n\nb\n```\n\nThe end.\n',
  )
  t.deepEqual(merged.fields, { body: '```\na\n\n\n\nb\n```\n\nThe end.\n' })
})

test('texts with Windows line ends merge by paragraphs too', (t) => {
  const merged = body('A.\r\n\r\nB.\r\n', 'A.\r\n\r\nB.\r\n\r\nC.\r\n', 'A.\r\n\r\nB.\r\n\r\nD.\r\n')
  t.deepEqual(merged.fields, { body: 'A.\r\n\r\nB.\r\n\r\nC.\r\n\r\nD.\r\n' })
})

test('scripts without spaces merge by character and never within one', (t) => {
  t.deepEqual(body('今天下午在广场集会', '明天下午在广场集会', '今天下午在广场游行').fields, {
    body: '明天下午在广场游行',
  })
  const rare = body(
    '\u{20000}\u{20001}\u{20002}',
    '\u{20003}\u{20001}\u{20002}',
    '\u{20000}\u{20001}\u{20004}',
  )
  t.deepEqual(rare.fields, { body: '\u{20003}\u{20001}\u{20004}' })
})

test('an Arabic paragraph merges by words', (t) => {
  const merged = body(
    'تبدأ المسيرة ظهرا في الساحة',
    'تنطلق المسيرة ظهرا في الساحة',
    'تبدأ المسيرة ظهرا في المدينة',
  )
  t.deepEqual(merged.fields, { body: 'تنطلق المسيرة ظهرا في المدينة' })
})

test('tags that both sides added are there, and those that either removed are not', (t) => {
  const merged = fork({ tags: ['a', 'b', 'c'] }, { tags: ['a', 'c', 'x y'] }, { tags: ['b', 'c', 'x'] })
  t.deepEqual(merged.fields, { tags: ['c', 'x', 'x y'] })
  t.deepEqual(merged.clashes, [])
})

test('elements of a set are compared by what they hold', (t) => {
  const merged = fork({ tags: [] }, { tags: [{ a: 1, b: 2 }, 1] }, { tags: [{ b: 2, a: 1 }, '1'] })
  t.deepEqual(merged.fields, { tags: ['1', 1, { a: 1, b: 2 }] })
})

test('a list keeps its order, and what each side added stands behind it', (t) => {
  const merged = fork(
    { steps: ['z', 'm', 'a'] },
    { steps: ['z', 'm', 'a', 'k'] },
    { steps: ['z', 'a', 'k', 'b'] },
  )
  t.deepEqual([...(merged.fields['steps'] as string[])].slice(0, 2), ['z', 'a'])
  t.deepEqual([...(merged.fields['steps'] as string[])].sort(), ['a', 'b', 'k', 'z'])
})

test('a title changed on one side and a body on the other are both kept', (t) => {
  const merged = fork({ title: 'T', body: 'B' }, { title: 'New T', body: 'B' }, { title: 'T', body: 'New B' })
  t.deepEqual(merged.fields, { title: 'New T', body: 'New B' })
  t.deepEqual(merged.clashes, [])
})

test('a field that both changed goes by the later edit, and the other is listed', (t) => {
  for (const field of ['language', 'unknown']) {
    const merged = fork({ [field]: 'en' }, { [field]: 'de' }, { [field]: { deep: ['fr'] } })
    t.deepEqual(merged.fields, { [field]: { deep: ['fr'] } })
    t.deepEqual(merged.clashes, [{ field, kept: merged.later, other: merged.earlier }])
  }
})

test('of two edits at one time the one with the greater hash is the later', (t) => {
  const history = new History()
  const o = history.add([], { language: 'en' })
  const heads = [history.add([o], { language: 'de' }, 5), history.add([o], { language: 'fr' }, 5)].sort()
  const kept = heads[1] ?? ''
  t.is(history.resolve().fields['language'], history.bodies.get(kept)?.fields['language'])
  t.is(history.resolve().clashes[0]?.kept, kept)
})

test('removing a field is a change', (t) => {
  t.deepEqual(fork({ a: 1, b: 1 }, { b: 1 }, { a: 1, b: 2 }).fields, { b: 2 })
  const clash = fork({ author: 'A' }, { author: 'B' }, {})
  t.deepEqual(clash.fields, {})
  t.deepEqual(clash.clashes, [{ field: 'author', kept: clash.later, other: clash.earlier }])
})

test('versions with nothing in common keep the later text and list the other', (t) => {
  const history = new History()
  const a = history.add(['gone'], { body: 'A.', tags: ['a'] })
  const b = history.add(['gone'], { body: 'B.', tags: ['b'] })
  t.deepEqual(history.resolve(), {
    fields: { body: 'B.', tags: ['a', 'b'] },
    clashes: [{ field: 'body', kept: b, other: a }],
  })
})

test('thirty people who each append a paragraph all find it again', (t) => {
  const history = new History()
  const o = history.add([], { body: 'Live:' })
  for (let person = 0; person < 30; person += 1) history.add([o], { body: `Live:\n\nPerson ${person}.` })
  const { fields, clashes } = history.resolve()
  t.is((fields['body'] as string).match(/^Person \d+\.$/gm)?.length, 30)
  t.deepEqual(clashes, [])
})

test('thirty people who each rewrite a sentence leave one and are all named', (t) => {
  const history = new History()
  const o = history.add([], { body: 'Live.' })
  const heads = Array.from({ length: 30 }, (_, person) => history.add([o], { body: `Person ${person}.` }))
  const { fields, clashes } = history.resolve()
  t.deepEqual(fields, { body: 'Person 29.' })
  const named = new Set(clashes.map(({ other }) => other))
  t.deepEqual([...named].sort(), heads.slice(0, 29).sort())
})

test('a criss-cross merges its two bases first', (t) => {
  const history = new History()
  const o = history.add([], { body: 'One.\n\nTwo.\n\nThree.' })
  const a = history.add([o], { body: 'A.\n\nTwo.\n\nThree.' })
  const b = history.add([o], { body: 'One.\n\nTwo.\n\nB.' })
  history.add([a, b], { body: 'A.\n\nTwo!\n\nB.' })
  history.add([a, b], { body: 'A.\n\nTwo.\n\nB, again.' })
  t.deepEqual(history.resolve(), { fields: { body: 'A.\n\nTwo!\n\nB, again.' }, clashes: [] })
})

test('two people who settled one clash in different ways clash again', (t) => {
  for (const field of ['body', 'language']) {
    const history = new History()
    const o = history.add([], { [field]: 'Old.' })
    const a = history.add([o], { [field]: 'Ours.' })
    const b = history.add([o], { [field]: 'Theirs.' })
    const settledA = history.add([a, b], { [field]: 'Ours.' })
    const settledB = history.add([b, a], { [field]: 'Theirs.' })
    t.deepEqual(history.resolve().clashes, [{ field, kept: settledB, other: settledA }])
    t.is(history.resolve().fields[field], 'Theirs.')
  }
})

test('fields with the names of built-in things are fields', (t) => {
  const history = new History()
  const fields = JSON.parse('{"__proto__":"a","constructor":"b","":"c"}') as Record<string, unknown>
  history.add([], fields)
  const merged = history.resolve().fields
  t.deepEqual(Object.keys(merged).sort(), Object.keys(fields).sort())
  for (const [field, value] of Object.entries(fields))
    t.is(Object.getOwnPropertyDescriptor(merged, field)?.value, value)
})

test('a head whose body is not here is left out, and nothing at all gives nothing', (t) => {
  const history = new History()
  const o = history.add([], { body: 'O.' })
  const gone = history.add([o], { body: 'Gone.' })
  history.add([o], { body: 'Here.' })
  history.bodies.delete(gone)
  t.deepEqual(history.resolve(), { fields: { body: 'Here.' }, clashes: [] })
  t.deepEqual(resolve(STRATEGIES, {}, new Map()), { fields: {}, clashes: [] })
  t.deepEqual(resolve(STRATEGIES, { a: ['b'], b: ['a'] }, new Map()), { fields: {}, clashes: [] })
})

const picture = (file: string, caption = '') => ({ file, media: file, caption })

function mergedFiles(base: unknown[], a: unknown[], b: unknown[]): unknown {
  const history = new History()
  const o = history.add([], { files: base })
  history.add([o], { files: a })
  history.add([o], { files: b })
  const { fields, clashes } = history.resolve()
  return clashes.length === 0 ? fields['files'] : clashes
}

test('files that two people changed at once: each keeps what was added, removed, moved and said', (t) => {
  const [one, two, three] = [picture('1'), picture('2'), picture('3')]
  t.deepEqual(mergedFiles([one, two], [one, two, three], [two]), [two, three], 'added here, removed there')
  t.deepEqual(mergedFiles([one, two], [two, one], [picture('1', 'A'), two]), [two, picture('1', 'A')])
  t.deepEqual(mergedFiles([one, two], [picture('1', 'A'), two], [two, one]), [two, picture('1', 'A')])
  t.deepEqual(mergedFiles([one], [picture('1', 'A')], [picture('1', 'B')]), [picture('1', 'B')], 'the later')
  t.deepEqual(mergedFiles([], [one], [two]), [two, one], 'both added; the later comes first')
  t.deepEqual(mergedFiles([], [one, two], [two, one]), [two, one], 'both added both')
})
