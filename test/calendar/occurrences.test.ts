import test from 'ava'
import * as fc from 'fast-check'
import type { EventFields } from '../../src/calendar/fields.ts'
import { isOver, occurrencesOf, type Occurrence } from '../../src/calendar/occurrences.ts'
import { simpleEvents, WEEKLY } from './events.ts'

function onlyOne(fields: EventFields): Occurrence {
  const [one, ...more] = occurrencesOf(fields)
  if (!one || more.length > 0) throw new Error('The event takes place once')
  return one
}

test('a weekly series stays at its time on the wall when the clocks change', (t) => {
  const occurrences = occurrencesOf(WEEKLY)
  t.deepEqual(
    occurrences.slice(2, 5).map(({ start, end, localStart }) => [start, end, localStart]),
    [
      ['2026-10-20T17:00:00.000Z', '2026-10-20T19:30:00.000Z', '2026-10-20T19:00'],
      ['2026-10-27T18:00:00.000Z', '2026-10-27T20:30:00.000Z', '2026-10-27T19:00'],
      ['2026-11-03T18:00:00.000Z', '2026-11-03T20:30:00.000Z', '2026-11-03T19:00'],
    ],
  )
  t.is(occurrences.length, 8)
  t.is(occurrences.at(-1)?.day, '2026-11-24')
})

test('a time that the clock jumps over moves forward, and the series goes on at its own time', (t) => {
  const occurrences = occurrencesOf({
    start: '2026-03-28T02:30',
    end: '2026-03-28T02:45',
    zone: 'Europe/Berlin',
    rrule: 'FREQ=DAILY;COUNT=3',
  })
  t.deepEqual(
    occurrences.map(({ start, end, localStart }) => [start, end, localStart]),
    [
      ['2026-03-28T01:30:00.000Z', '2026-03-28T01:45:00.000Z', '2026-03-28T02:30'],
      ['2026-03-29T01:30:00.000Z', '2026-03-29T01:45:00.000Z', '2026-03-29T03:30'],
      ['2026-03-30T00:30:00.000Z', '2026-03-30T00:45:00.000Z', '2026-03-30T02:30'],
    ],
  )
})

test('an end before the start moved forward is the start', (t) => {
  const { start, end } = onlyOne({
    start: '2026-03-29T02:30',
    end: '2026-03-29T03:00',
    zone: 'Europe/Berlin',
  })
  t.is(start, '2026-03-29T01:30:00.000Z')
  t.is(end, start)
})

test('of a time that comes twice the first is meant', (t) => {
  const { start } = onlyOne({ start: '2026-10-25T02:30', zone: 'Europe/Berlin' })
  t.is(start, '2026-10-25T00:30:00.000Z')
})

const lastDayUntil = (end: string) =>
  onlyOne({ start: '2026-11-23T22:00', end, zone: 'Europe/Berlin' }).lastDay

test('an event that ends at midnight does not touch the next day', (t) => {
  t.is(lastDayUntil('2026-11-24T00:00'), '2026-11-23')
  t.is(lastDayUntil('2026-11-24T00:01'), '2026-11-24')
  t.is(lastDayUntil('2026-11-26T00:00'), '2026-11-25')
})

test('an event that begins at midnight is on the day that begins', (t) => {
  const one = onlyOne({ start: '2026-11-23T00:00', zone: 'America/New_York' })
  t.like(one, { day: '2026-11-23', lastDay: '2026-11-23', start: '2026-11-23T05:00:00.000Z' })
})

test('an end at a midnight that does not exist touches no next day', (t) => {
  // Havana's clocks go from 00:00 to 01:00.
  const one = onlyOne({ start: '2026-03-07T22:00', end: '2026-03-08T00:00', zone: 'America/Havana' })
  t.like(one, { lastDay: '2026-03-07', end: '2026-03-08T05:00:00.000Z' })
})

test('an event without an end lasts no time', (t) => {
  const one = onlyOne({ start: '2026-11-23T22:00', zone: 'UTC' })
  t.like(one, { start: '2026-11-23T22:00:00.000Z', end: '2026-11-23T22:00:00.000Z', lastDay: '2026-11-23' })
  t.false('localEnd' in one)
})

test('whole days last from midnight to midnight in the zone', (t) => {
  const one = onlyOne({ start: '2026-10-24', end: '2026-10-25', allDay: true, zone: 'Europe/Berlin' })
  t.deepEqual(one, {
    occurrence: '2026-10-24',
    start: '2026-10-23T22:00:00.000Z',
    end: '2026-10-25T23:00:00.000Z',
    localStart: '2026-10-24',
    localEnd: '2026-10-25',
    day: '2026-10-24',
    lastDay: '2026-10-25',
  })
  const monthly = { start: '2026-01-31', allDay: true, zone: 'UTC', rrule: 'FREQ=MONTHLY;COUNT=3' }
  t.deepEqual(
    occurrencesOf(monthly).map(({ day, lastDay }) => [day, lastDay]),
    ['2026-01-31', '2026-03-31', '2026-05-31'].map((day) => [day, day]),
  )
})

const lastWith = (until: string) =>
  occurrencesOf({ ...WEEKLY, rrule: `FREQ=WEEKLY;UNTIL=${until}` }).at(-1)?.day

test('the end of a rule is a day, a local time or an instant', (t) => {
  t.is(lastWith('20261110'), '2026-11-10')
  t.is(lastWith('20261110T190000'), '2026-11-10')
  t.is(lastWith('20261110T185900'), '2026-11-03')
  t.is(lastWith('20261110T180000Z'), '2026-11-10')
  t.is(lastWith('20261110T175900Z'), '2026-11-03')
})

test('cancelled occurrences are out, changed ones stand where they were moved to', (t) => {
  const occurrences = occurrencesOf({
    ...WEEKLY,
    rrule: 'FREQ=WEEKLY;COUNT=4',
    exceptions: ['2026-10-13T19:00'],
    changes: [
      { occurrence: '2026-10-06T19:00', start: '2026-10-21T20:00', title: 'Late', note: 'Moved.' },
      { occurrence: '2026-10-27T19:00', venue: 'Park', end: '2026-10-28T00:00' },
    ],
  })
  t.deepEqual(
    occurrences.map(({ occurrence, localStart, localEnd, changed }) => [
      occurrence,
      localStart,
      localEnd,
      changed,
    ]),
    [
      ['2026-10-20T19:00', '2026-10-20T19:00', '2026-10-20T21:30', undefined],
      ['2026-10-06T19:00', '2026-10-21T20:00', '2026-10-21T22:30', true],
      ['2026-10-27T19:00', '2026-10-27T19:00', '2026-10-28T00:00', true],
    ],
  )
  t.like(occurrences[1], { title: 'Late', note: 'Moved.' })
  t.like(occurrences[2], { venue: 'Park', lastDay: '2026-10-27' })
})

test('an occurrence both cancelled and changed does not take place', (t) => {
  const name = '2026-10-13T19:00'
  const fields = { ...WEEKLY, exceptions: [name], changes: [{ occurrence: name, venue: 'Park' }] }
  t.false(occurrencesOf(fields).some(({ occurrence }) => occurrence === name))
})

test('fields that are not valid take place never', (t) => {
  t.deepEqual(occurrencesOf({ start: '2026-02-30T19:00', zone: 'UTC' }), [])
  t.deepEqual(occurrencesOf({ ...WEEKLY, rrule: 'FREQ=DAILY' }), [])
})

test('an event is over at its end', (t) => {
  const one = onlyOne({ start: '2026-11-23T22:00', end: '2026-11-23T23:00', zone: 'UTC' })
  t.false(isOver(one, '2026-11-23T22:59:59Z'))
  t.true(isOver(one, '2026-11-23T23:00:00.000Z'))
})

test('occurrences are in order, on their days, within their times', (t) => {
  fc.assert(
    fc.property(simpleEvents, (event) => {
      const occurrences = occurrencesOf(event)
      t.deepEqual(
        occurrences.map(({ start }) => start),
        occurrences.map(({ start }) => start).toSorted(),
      )
      for (const { start, end, day, lastDay, localStart } of occurrences) {
        t.true(start <= end && day <= lastDay && localStart.startsWith(day))
      }
    }),
    { numRuns: 200 },
  )
})
