import test from 'ava'
import { cancelOccurrence, changeOccurrence, changeSeries } from '../../src/calendar/edit-series.ts'
import { eventProblems } from '../../src/calendar/problems.ts'
import { WEEKLY } from './events.ts'

const FIRST = '2026-10-06T19:00'
const SECOND = '2026-10-13T19:00'

test('an edit of one occurrence leaves the series, and the fields it was made from', (t) => {
  const before = structuredClone(WEEKLY)
  const after = changeOccurrence(WEEKLY, SECOND, { venue: 'Park', note: 'Bring chairs.', title: '' })
  t.deepEqual(WEEKLY, before)
  t.deepEqual(after, {
    ...WEEKLY,
    changes: [{ occurrence: SECOND, venue: 'Park', note: 'Bring chairs.' }],
  })
  t.deepEqual(eventProblems({ ...after }), [])
})

test('what is as in the series is no change', (t) => {
  const input = { start: SECOND, end: '2026-10-13T21:30', title: WEEKLY.title, venue: '', note: '' }
  t.deepEqual(changeOccurrence(WEEKLY, SECOND, input), WEEKLY)
  const changed = changeOccurrence(WEEKLY, SECOND, { ...input, end: '2026-10-13T22:00' })
  t.deepEqual(changed.changes, [{ occurrence: SECOND, end: '2026-10-13T22:00' }])
  t.deepEqual(changeOccurrence(changed, SECOND, input), WEEKLY)
})

test('changes and exceptions are kept in order, one for each occurrence', (t) => {
  let fields = changeOccurrence(WEEKLY, SECOND, { note: 'Two' })
  fields = changeOccurrence(fields, FIRST, { note: 'One' })
  fields = changeOccurrence(fields, SECOND, { note: 'Two again' })
  t.deepEqual(fields.changes, [
    { occurrence: FIRST, note: 'One' },
    { occurrence: SECOND, note: 'Two again' },
  ])
  fields = cancelOccurrence(fields, SECOND)
  fields = cancelOccurrence(cancelOccurrence(fields, FIRST), FIRST)
  t.deepEqual(fields.exceptions, [FIRST, SECOND])
  t.false('changes' in fields)
})

test('a cancelled occurrence that is edited takes place again', (t) => {
  t.deepEqual(changeOccurrence(cancelOccurrence(WEEKLY, SECOND), SECOND, {}), WEEKLY)
})

test('exceptions and changes go along with a series that moves to another time', (t) => {
  const before = cancelOccurrence(changeOccurrence(WEEKLY, SECOND, { venue: 'Park' }), FIRST)
  const { fields, dropped } = changeSeries(before, {
    ...before,
    start: '2026-10-06T18:00',
    end: '2026-10-06T20:00',
  })
  t.deepEqual(fields.exceptions, ['2026-10-06T18:00'])
  t.deepEqual(fields.changes, [{ occurrence: '2026-10-13T18:00', venue: 'Park' }])
  t.deepEqual(dropped, [])
  t.deepEqual(eventProblems({ ...fields }), [])
})

test('exceptions and changes of days that the series has no more are named', (t) => {
  const before = cancelOccurrence(changeOccurrence(WEEKLY, SECOND, { start: '2026-10-13T20:00' }), FIRST)
  const days = { ...before, start: '2026-10-06', end: '2026-10-06', allDay: true }
  const fortnightly = changeSeries(before, { ...days, rrule: 'FREQ=WEEKLY;INTERVAL=2;COUNT=3' })
  t.deepEqual(fortnightly.fields.exceptions, ['2026-10-06'])
  t.deepEqual(fortnightly.dropped, [SECOND])
  t.deepEqual(eventProblems({ ...fortnightly.fields }), [])
  const { rrule: _, ...single } = before
  const once = changeSeries(before, single)
  t.deepEqual(once.dropped, [FIRST, SECOND])
  t.deepEqual(eventProblems({ ...once.fields }), [])
})
