import test from 'ava'
import { dayTime, isDayTime, isHybridTime, toldTime } from '../../src/ledger/clock.ts'
import { wordingOf } from '../../src/i18n/wording.ts'

const NOON = Date.parse('2026-11-23T12:34:56.789Z')

test('a day-only time is the first moment of the day in UTC', (t) => {
  t.is(dayTime(NOON), '2026-11-23T00:00:00.000Z-0000')
  t.is(dayTime(NOON, ['2026-11-22T23:59:59.999Z-ffff']), '2026-11-23T00:00:00.000Z-0000')
  t.is(dayTime(Date.parse('1969-12-31T12:00:00.000Z')), '1969-12-31T00:00:00.000Z-0000')
})

test('it is later than what came before, and tells nothing else of its own time', (t) => {
  const cases = [
    [['2026-11-23T00:00:00.000Z-0000'], '2026-11-23T00:00:00.000Z-0001'],
    [['2026-11-23T10:00:00.000Z-0003', '2026-11-20T00:00:00.000Z-0009'], '2026-11-23T10:00:00.000Z-0004'],
    [['2026-11-23T00:00:00.000Z-ffff'], '2026-11-23T00:00:00.001Z-0000'],
    [['2026-11-24T00:00:00.000Z-00ff'], '2026-11-24T00:00:00.000Z-0100'],
  ] as const
  for (const [after, wanted] of cases) {
    const made = dayTime(NOON, after)
    t.is(made, wanted)
    t.true(isHybridTime(made))
    for (const before of after) t.true(made > before)
  }
})

test('pages show the day of such a time, and of any where no more shall be known', (t) => {
  const { moment } = wordingOf('en')
  const day = { iso: '2026-11-23', day: '23 November 2026', text: '23 November 2026' }
  t.deepEqual(moment('2026-11-23T00:00:00.000Z-0001'), day)
  t.deepEqual(moment('2026-11-23T12:34:56.789Z-0000', true), day)
  t.like(moment('2026-11-23T12:34:56.789Z-0000'), { text: '23 November 2026 at 12:34 UTC' })
  t.true(isDayTime('2026-11-23T00:00:00.000Z-00ff'))
  t.false(isDayTime('2026-11-23T00:00:00.001Z-0000'))
  t.is(toldTime('2026-11-23T12:34:56.789Z-0000', true), Date.parse('2026-11-23'))
})
