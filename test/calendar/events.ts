import * as fc from 'fast-check'
import { readRepeat, REPEATS } from '../../src/calendar/repeat.ts'
import { addDays } from '../../src/calendar/wall-time.ts'
import type { EventFields } from '../../src/calendar/fields.ts'

export const WEEKLY: EventFields & { title: string } = {
  title: 'Tenants’ assembly',
  start: '2026-10-06T19:00',
  end: '2026-10-06T21:30',
  zone: 'Europe/Berlin',
  rrule: 'FREQ=WEEKLY;UNTIL=20261124',
}

/** Zones with and without summer time, on both sides of the equator and of Greenwich. */
export const ZONES = [
  'Europe/Berlin',
  'Europe/London',
  'America/New_York',
  'America/Havana',
  'Australia/Lord_Howe',
  'Asia/Kolkata',
  'Pacific/Chatham',
  'Africa/Casablanca',
  'UTC',
]

const day = fc.integer({ min: 0, max: 1_500 }).map((days) => addDays('2025-01-01', days))
const time = fc
  .tuple(fc.integer({ min: 0, max: 23 }), fc.constantFrom(0, 15, 30, 59))
  .map((numbers) => numbers.map((number) => String(number).padStart(2, '0')).join(':'))

/** Any event that the form's simple controls can make, single or repeated, timed or of whole days. */
export const simpleEvents: fc.Arbitrary<EventFields & { title: string }> = fc
  .record({
    day,
    time,
    minutes: fc.option(fc.integer({ min: 1, max: 3_000 }), { nil: undefined }),
    allDay: fc.boolean(),
    zone: fc.constantFrom(...ZONES),
    repeat: fc.constantFrom(...REPEATS),
    lasts: fc.integer({ min: 0, max: 1_000 }),
  })
  .map(({ day, time, minutes, allDay, zone, repeat, lasts }) => {
    const start = allDay ? day : `${day}T${time}`
    // A series of events of many days soon takes too many of them.
    const length = repeat === 'none' ? (minutes ?? 0) : ((minutes ?? 0) % 1_440) + 1
    const end =
      minutes === undefined
        ? {}
        : allDay
          ? { end: addDays(day, minutes % (repeat === 'none' ? 20 : 2)) }
          : { end: new Date(Date.parse(`${start}Z`) + length * 60_000).toISOString().slice(0, 16) }
    const event = { title: 'Any', start, ...end, zone, ...(allDay ? { allDay } : {}) }
    const { rrule, problems } = readRepeat({ repeat, until: addDays(day, lasts) }, event)
    return problems.length === 0 && rrule ? { ...event, rrule } : event
  })
