import test from 'ava'
import { loadConfig } from '../../src/config/config.ts'
import { wordingOf } from '../../src/i18n/wording.ts'
import { OFFICE_DATABASE } from '../../src/newsroom/reports.ts'
import { Slow } from '../../src/newsroom/slow.ts'
import { Gate } from '../../src/web/abuse/gate.ts'
import type { Attempt } from '../../src/web/abuse/gate.ts'
import { Limits } from '../../src/web/abuse/limits.ts'
import { Questions } from '../../src/web/abuse/questions.ts'
import { Spent } from '../../src/web/abuse/spent.ts'
import { Budget, Budgets } from '../../src/web/budget.ts'
import { startStore } from '../helpers/store.ts'
import { prove } from '../helpers/work.ts'

const { config } = loadConfig({}, {})
const DAY_MS = 86_400_000
const en = wordingOf('en')

test('half of a budget makes a node busy, and it calms down again', (t) => {
  const limits = new Limits({ ...config.abuse, comment: { atOnce: 4, perHour: 3600 } })
  for (let count = 0; count < 2; count += 1) limits.take('comment', 'a', 0)
  t.false(limits.isBusy('comment', 'a', 0), 'half is left')
  limits.take('comment', 'a', 0)
  t.true(limits.isBusy('comment', 'b', 0), 'for everybody')
  t.false(limits.isBusy('publish', undefined, 0))
  t.false(limits.isBusy('comment', 'b', 1000))
})

test('an item has a budget of its own, and what is taken back counts as not done', (t) => {
  const limits = new Limits({ ...config.abuse, commentsOnItem: { atOnce: 2, perHour: 60 } })
  limits.take('comment', 'a', 0)
  const undo = limits.take('comment', 'a', 0)
  t.deepEqual(limits.wait('comment', 'a', 0), { waitMs: 60_000, forItem: true })
  t.is(limits.wait('comment', 'b', 0).waitMs, 0)
  undo()
  t.is(limits.wait('comment', 'a', 0).waitMs, 0)
  const none = new Limits({ ...config.abuse, limits: 'off', publish: { atOnce: 1, perHour: 1 } })
  for (let count = 0; count < 3; count += 1) none.take('publish', undefined, 0)
  t.is(none.wait('publish', undefined, 0).waitMs, 0)
})

test('budgets of many items take bounded memory: the one that was not asked for longest goes', (t) => {
  const budgets = new Budgets(() => new Budget(1, 1000), 2)
  budgets.of('a').take('', 0)
  budgets.of('b').take('', 0)
  budgets.of('a')
  for (const name of ['x', 'y', 'z']) t.is(budgets.known(name), undefined, 'looking forgets nothing')
  budgets.of('c')
  t.true(budgets.of('a').waitMs(0) > 0, 'it was asked for lately')
  t.is(budgets.of('b').waitMs(0), 0, 'forgotten')
})

test('spent tokens are known for a day, and their number is bounded', (t) => {
  const spent = new Spent(2)
  spent.add('a', 0)
  t.true(spent.has('a'))
  spent.add('b', 1)
  spent.add('c', 2)
  t.false(spent.has('a'))
  spent.add('d', DAY_MS + 10)
  t.false(spent.has('b') || spent.has('c'))
  spent.remove('d')
  t.false(spent.has('d'))
})

test('without questions of its own a node asks for its name, however it is written', (t) => {
  const questions = new Questions({ questions: [] }, 'Río  Negro-Post')
  t.regex(questions.ask('token', en).ask, /site called/)
  for (const answer of ['Río Negro-Post', 'rio negro post', '  RIO NEGRO POST '])
    t.true(questions.isAnswer(answer), answer)
  for (const answer of ['', 'rio', 'Hyperactive', 'x'.repeat(100_000)])
    t.false(questions.isAnswer(answer), answer.slice(0, 20))
})

test('a question is asked in the language of the reader, and any of them may be answered', (t) => {
  const asked = [
    { ask: 'Which river?', answers: ['Elbe', 'the Elbe'] },
    { ask: 'Welcher Fluss?', answers: ['Elbe'], language: 'de' },
    { ask: 'Welche Farbe?', answers: ['Rot'], language: 'de' },
  ]
  const questions = new Questions({ questions: asked }, 'Name')
  const german = new Set(
    Array.from({ length: 50 }, (_, number) => questions.ask(`token ${number}`, wordingOf('de')).ask),
  )
  t.deepEqual([...german].sort(), ['Welche Farbe?', 'Welcher Fluss?'])
  t.is(questions.ask('token 1', wordingOf('de')).ask, questions.ask('token 1', wordingOf('de')).ask)
  t.deepEqual(questions.ask('token', en), { ask: 'Which river?', language: undefined })
  t.true(questions.isAnswer('rot') && questions.isAnswer('THE ELBE'))
  t.false(questions.isAnswer('Name'))
})

async function slow(
  t: Parameters<typeof startStore>[0],
): Promise<{ slow: Slow; again: () => Promise<Slow> }> {
  const { couch } = await startStore(t)
  const database = await couch.ensureDatabase(OFFICE_DATABASE)
  return { slow: await Slow.open(database), again: () => Slow.open(database) }
}

test('slow mode lets one pass in a while, outlives a restart, and is taken away', async (t) => {
  const { slow: slowed, again } = await slow(t)
  await slowed.set('item:a', 5)
  await slowed.set('tag:straße/„x“', 60)
  t.deepEqual(slowed.wait(['item:a'], 0), { waitMs: 0, minutes: 0 })
  const undo = slowed.take(['item:a', 'item:other'], 0)
  t.deepEqual(slowed.wait(['item:a', 'tag:straße/„x“'], 60_000), { waitMs: 4 * 60_000, minutes: 5 })
  t.is(slowed.wait(['item:other'], 0).waitMs, 0)
  t.is(slowed.wait(['item:a'], 5 * 60_000).waitMs, 0)
  undo()
  t.is(slowed.wait(['item:a'], 1).waitMs, 0)
  const after = await again()
  t.deepEqual(after.all(), [
    { key: 'item:a', minutes: 5 },
    { key: 'tag:straße/„x“', minutes: 60 },
  ])
  await after.set('item:a', 15)
  await after.set('tag:straße/„x“', 0)
  t.deepEqual((await again()).all(), [{ key: 'item:a', minutes: 15 }])
})

test('a proof serves once; what fails costs nothing and can be tried again', async (t) => {
  const abuse = { ...config.abuse, challenge: 'always', workBits: 8 } as const
  const gate = new Gate({ ...config, abuse }, (await slow(t)).slow)
  const work = prove('token', 8)
  const attempt: Attempt = { activity: 'comment', item: 'a', token: 'token', work }
  const pass = (given: Partial<Attempt> = {}, act: () => Promise<string> = () => Promise.resolve('done')) =>
    gate.pass({ ...attempt, ...given }, en, act)
  await t.throwsAsync(pass({ work: '' }), { code: 'challenge_missing' })
  await t.throwsAsync(pass({ work: '', answer: 'wrong' }), { code: 'wrong_answer' })
  await t.throwsAsync(
    pass({}, () => Promise.reject(new Error('the store is away'))),
    { message: 'the store is away' },
  )
  t.is(await pass(), 'done')
  await t.throwsAsync(pass(), { code: 'stale_form' })
  await t.throwsAsync(pass({ answer: 'Hyperactive' }), { code: 'stale_form' })
  t.is(await pass({ repeats: true }), 'done', 'what makes one thing anyway may come again')
  t.is(await pass({ token: 'another', work: '', answer: 'hyperactive' }), 'done')
  t.is(await pass({ token: '', work: '', known: true }), 'done', 'editors are not asked')
})
