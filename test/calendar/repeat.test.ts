import test from 'ava'
import * as fc from 'fast-check'
import { readRepeat, REPEATS, showRepeat, weekdayOfMonth } from '../../src/calendar/repeat.ts'
import { occurrencesOf } from '../../src/calendar/occurrences.ts'
import { simpleEvents } from './events.ts'

const EVENT = { start: '2026-11-10T19:00', zone: 'Europe/Berlin' }

test('controls become rules, and rules the controls again', (t) => {
  const rules: Record<string, string> = {
    daily: 'FREQ=DAILY;UNTIL=20270131',
    weekly: 'FREQ=WEEKLY;UNTIL=20270131',
    fortnightly: 'FREQ=WEEKLY;INTERVAL=2;UNTIL=20270131',
    monthly: 'FREQ=MONTHLY;UNTIL=20270131',
    'monthly-weekday': 'FREQ=MONTHLY;BYDAY=2TU;UNTIL=20270131',
    yearly: 'FREQ=YEARLY;UNTIL=20270131',
  }
  for (const [repeat, rrule] of Object.entries(rules)) {
    t.deepEqual(readRepeat({ repeat, until: '2027-01-31' }, EVENT), { rrule, problems: [] })
    t.deepEqual(showRepeat(rrule, EVENT), { repeat, until: '2027-01-31' })
  }
  t.deepEqual(readRepeat({ repeat: 'none', until: '2027-01-31' }, EVENT), { problems: [] })
  t.deepEqual(showRepeat(undefined, EVENT), { repeat: 'none', until: '' })
})

test('the last weekday of a month is counted from its end', (t) => {
  const event = { ...EVENT, start: '2026-11-29T10:00' }
  const { rrule } = readRepeat({ repeat: 'monthly-last-weekday', until: '2027-03-01' }, event)
  t.is(rrule, 'FREQ=MONTHLY;BYDAY=-1SU;UNTIL=20270301')
  t.deepEqual(
    occurrencesOf({ ...event, ...(rrule && { rrule }) }).map(({ day }) => day),
    ['2026-11-29', '2026-12-27', '2027-01-31', '2027-02-28'],
  )
  t.deepEqual(weekdayOfMonth('2026-11-29'), { weekday: 7, nth: 5, last: true })
  t.deepEqual(weekdayOfMonth('2026-11-10T19:00'), { weekday: 2, nth: 2, last: false })
  t.deepEqual(weekdayOfMonth('2026-02-22'), { weekday: 7, nth: 4, last: true })
})

const problemsOf = (repeat: string, until: string, start = EVENT.start) =>
  readRepeat({ repeat, until }, { ...EVENT, start })
    .problems.map(({ field, problem }) => `${field} ${problem}`)
    .join()

test('what the controls cannot mean is said', (t) => {
  t.is(problemsOf('weekly', ''), 'until is missing')
  t.is(problemsOf('weekly', '2027-02-30'), 'until is not a day such as 2026-11-23')
  t.is(problemsOf('weekly', '2026-11-09'), 'until is before the start')
  t.is(problemsOf('weekly', '2030-01-01'), 'until is more than 3 years after the start')
  t.is(problemsOf('daily', '2028-01-01'), 'until gives more than 200 occurrences')
  t.regex(problemsOf('hourly', '2027-01-01'), /^repeat is not one of none, daily/)
  t.regex(problemsOf('custom', ''), /^repeat is not one of/)
  t.regex(problemsOf('monthly-weekday', '2027-01-01', '2026-11-30T10:00'), /^repeat counts to the fourth/)
  t.regex(problemsOf('monthly-last-weekday', '2027-01-01'), /^repeat needs a start on the last/)
  t.is(problemsOf('weekly', '2027-01-01', '2026-02-30T10:00'), '')
})

const shownFor = (rrule: string) => showRepeat(rrule, EVENT)

test('a rule that says the start again is shown simply', (t) => {
  const until = '2027-01-31'
  t.deepEqual(shownFor('FREQ=WEEKLY;INTERVAL=1;WKST=MO;BYDAY=TU;UNTIL=20270131'), { repeat: 'weekly', until })
  t.deepEqual(shownFor('UNTIL=20270131T220000Z;FREQ=MONTHLY;BYMONTHDAY=10'), { repeat: 'monthly', until })
  t.deepEqual(shownFor('FREQ=MONTHLY;BYDAY=+2TU;UNTIL=20270131'), { repeat: 'monthly-weekday', until })
  // It ends at noon, before the time of the start.
  t.deepEqual(shownFor('FREQ=DAILY;UNTIL=20270201T110000Z'), { repeat: 'daily', until })
})

test('a rule that the controls cannot show is kept', (t) => {
  for (const rrule of [
    'FREQ=WEEKLY;BYDAY=TU,TH;UNTIL=20270131',
    'FREQ=WEEKLY;COUNT=5',
    'FREQ=WEEKLY;INTERVAL=3;UNTIL=20270131',
  ]) {
    const shown = showRepeat(rrule, EVENT)
    t.is(shown.repeat, 'custom')
    t.is(readRepeat(shown, EVENT, rrule).rrule, rrule)
  }
  t.deepEqual(showRepeat('nonsense', EVENT), { repeat: 'custom', until: '' })
})

test('showing and reading any simple series changes none of its occurrences', (t) => {
  fc.assert(
    fc.property(simpleEvents, (event) => {
      const shown = showRepeat(event.rrule, event)
      t.true((REPEATS as readonly string[]).includes(shown.repeat))
      const { rrule, problems } = readRepeat(shown, event)
      t.deepEqual(problems, [])
      const { rrule: _, ...single } = event
      t.deepEqual(occurrencesOf({ ...single, ...(rrule && { rrule }) }), occurrencesOf(event))
    }),
    { numRuns: 200 },
  )
})
