import test from 'ava'
import * as fc from 'fast-check'
import {
  daysOf,
  monthDays,
  neighboursOf,
  readPeriod,
  showPeriod,
  weekDays,
  weekWith,
} from '../../src/calendar/period.ts'
import { addDays, weekdayOf } from '../../src/calendar/wall-time.ts'

const days = fc.integer({ min: 0, max: 109_570 }).map((count) => addDays('1900-01-01', count))

test('a month is whole weeks from Monday', (t) => {
  const november = monthDays(2026, 11)
  t.is(november[0], '2026-10-26')
  t.is(november.at(-1), '2026-12-06')
  t.is(monthDays(2021, 2).length, 28)
  t.is(monthDays(2026, 8).length, 42)
  fc.assert(
    fc.property(days, (day) => {
      const period = readPeriod(`${day.slice(0, 4)}/${day.slice(5, 7)}`)
      const shown = period ? daysOf(period) : []
      t.true(shown.includes(day))
      t.is(shown.length % 7, 0)
      t.true(shown.length >= 28 && shown.length <= 42)
      t.is(weekdayOf(shown[0] ?? ''), 1)
    }),
  )
})

test('weeks are those of ISO 8601', (t) => {
  t.deepEqual(weekWith('2026-11-23'), { view: 'week', year: 2026, week: 48 })
  t.deepEqual(weekWith('2027-01-03'), { view: 'week', year: 2026, week: 53 })
  t.deepEqual(weekWith('2024-12-30'), { view: 'week', year: 2025, week: 1 })
  t.deepEqual(daysOf({ view: 'week', year: 2026, week: 1 }), weekDays('2026-01-01'))
  fc.assert(
    fc.property(days, (day) => {
      t.true(daysOf(weekWith(day)).includes(day))
    }),
  )
})

test('addresses name months, weeks and days that exist', (t) => {
  t.deepEqual(readPeriod('2026/11'), { view: 'month', year: 2026, month: 11 })
  t.deepEqual(readPeriod('2026-W53'), { view: 'week', year: 2026, week: 53 })
  t.deepEqual(readPeriod('2026-11-23'), { view: 'day', day: '2026-11-23' })
  for (const text of [
    '2026/13',
    '2026/00',
    '2026/1',
    '2026-11',
    '2025-W53',
    '2026-W00',
    '2026-W54',
    '2026-w05',
    '2026-02-30',
    '1899/12',
    '2200/01',
    '',
    '2026/11/',
    '../..',
  ]) {
    t.is(readPeriod(text), undefined, text)
  }
})

const neighbours = (text: string) => {
  const period = readPeriod(text)
  const { previous, next } = period ? neighboursOf(period) : {}
  return [previous && showPeriod(previous), next && showPeriod(next)]
}

test('neighbours are those before and after, up to the ends of the calendar', (t) => {
  t.deepEqual(neighbours('2026/01'), ['2025/12', '2026/02'])
  t.deepEqual(neighbours('2026-W53'), ['2026-W52', '2027-W01'])
  t.deepEqual(neighbours('2024-03-01'), ['2024-02-29', '2024-03-02'])
  t.deepEqual(neighbours('1900/01'), [undefined, '1900/02'])
  t.deepEqual(neighbours('1900-01-01'), [undefined, '1900-01-02'])
  t.deepEqual(neighbours('2199/12'), ['2199/11', undefined])
  t.deepEqual(neighbours('2199-12-31'), ['2199-12-30', undefined])
})
