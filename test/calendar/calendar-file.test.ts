import test from 'ava'
import * as fc from 'fast-check'
import { Temporal } from 'temporal-polyfill'
import { calendarFile } from '../../src/calendar/file/calendar-file.ts'
import type { EventFields } from '../../src/calendar/fields.ts'
import type { CalendarEntry } from '../../src/calendar/file/event.ts'
import { changeOccurrence, cancelOccurrence } from '../../src/calendar/edit-series.ts'
import { occurrencesOf, timesOf } from '../../src/calendar/occurrences.ts'
import { addDays } from '../../src/calendar/wall-time.ts'
import { simpleEvents, WEEKLY } from './events.ts'
import { expand, parseCalendar } from './parse-calendar.ts'

const CALENDAR = { name: 'Events in Harrow', url: 'https://node.example/events.ics' }

function entry(fields: CalendarEntry['fields'], more: Partial<CalendarEntry> = {}): CalendarEntry {
  return {
    item: '01jdzq3v5k9m2n4p6r8s0t1v3w',
    fields,
    updatedAt: '2026-11-23T07:00:00.000Z-0000',
    ...more,
  }
}

/** What a parser should find, from the occurrences that this node shows. */
function expected(fields: CalendarEntry['fields']) {
  return occurrencesOf(fields).map(({ start, end, localStart, localEnd, title = fields.title }) =>
    fields.allDay
      ? { start: localStart, end: addDays(localEnd ?? localStart, 1), summary: title }
      : { start, end, summary: title },
  )
}

test('an event has everything that a calendar program shows', (t) => {
  const fields = {
    ...WEEKLY,
    title: 'Assembly; with soup, bread \\ and\nsongs',
    venue: 'Café “Roter Faden”, Hof 2',
    latitude: '52.4934',
    longitude: '13.4234',
    organiser: 'Tenants’ union',
    contact: 'Ring twice; ask for Ada',
    tags: ['housing', 'soup, bread'],
  }
  const file = calendarFile(
    [
      entry(fields, {
        at: '2026-09-01T08:00:00.000Z-0003',
        sequence: 2,
        url: 'https://node.example/events/01jdzq3v5k9m2n4p6r8s0t1v3w',
        description: 'Bring a bowl.\n\nAll welcome; children too.',
      }),
    ],
    CALENDAR,
  )
  const { root, events } = parseCalendar(file)
  t.is(root.getFirstPropertyValue('version'), '2.0')
  t.is(root.getFirstPropertyValue('name'), CALENDAR.name)
  t.is(root.getFirstPropertyValue('source'), CALENDAR.url)
  const [event] = events
  t.truthy(event)
  if (!event) return
  const value = (name: string) => String(event.component.getFirstPropertyValue(name))
  t.is(event.summary, fields.title)
  t.is(event.location, fields.venue)
  t.is(event.description, 'Bring a bowl.\n\nAll welcome; children too.')
  t.is(event.uid, 'urn:hyperactive:01jdzq3v5k9m2n4p6r8s0t1v3w')
  t.is(event.sequence, 2)
  t.is(value('url'), 'https://node.example/events/01jdzq3v5k9m2n4p6r8s0t1v3w')
  t.is(value('dtstamp'), '2026-11-23T07:00:00Z')
  t.is(value('last-modified'), '2026-11-23T07:00:00Z')
  t.is(value('created'), '2026-09-01T08:00:00Z')
  t.is(value('rrule'), 'FREQ=WEEKLY;UNTIL=20261124T225900Z')
  t.deepEqual(event.component.getFirstPropertyValue('geo'), [52.4934, 13.4234])
  t.deepEqual(event.component.getFirstProperty('categories')?.getValues(), fields.tags)
  t.deepEqual(
    event.component.getAllProperties('contact').map((property) => property.getFirstValue()),
    [fields.organiser, fields.contact],
  )
})

test('lines are of at most 75 octets, end with CRLF, and break no character', (t) => {
  const title = '🐝 Bienen, Ähren, 蜜蜂 '.repeat(20)
  const file = calendarFile([entry({ ...WEEKLY, title })], CALENDAR)
  t.true(file.endsWith('END:VCALENDAR\r\n'))
  t.false(/[^\r]\n|\r[^\n]/u.test(file))
  t.true(file.split('\r\n').every((line) => Buffer.byteLength(line) <= 75))
  t.is(parseCalendar(file).events[0]?.summary, title)
})

test('a series keeps its time on the wall in the parser, too', (t) => {
  const fields = { ...WEEKLY, rrule: 'FREQ=WEEKLY;UNTIL=20270601' }
  const [event] = parseCalendar(calendarFile([entry(fields)], CALENDAR)).events
  t.is(expected(fields).length, 35)
  t.deepEqual(event && expand(event), expected(fields))
})

test('cancelled and changed occurrences are so in the parser, too', (t) => {
  let fields = cancelOccurrence({ ...WEEKLY, latitude: '52.5', longitude: '13.4' }, '2026-10-13T19:00')
  fields = changeOccurrence(fields, '2026-10-20T19:00', { title: 'Assembly in the park', venue: 'Park' })
  fields = changeOccurrence(fields, '2026-10-27T19:00', { start: '2026-10-28T20:00', note: 'A day later.' })
  const { root, events } = parseCalendar(calendarFile([entry(fields, { description: 'Usual.' })], CALENDAR))
  t.is(events.length, 1)
  t.deepEqual(events[0] && expand(events[0]), expected(fields))
  const [inThePark, later] = root.getAllSubcomponents('vevent').slice(1)
  t.is(inThePark?.getFirstPropertyValue('location'), 'Park')
  t.is(inThePark?.getFirstPropertyValue('geo'), null)
  t.is(later?.getFirstPropertyValue('description'), 'A day later.\n\nUsual.')
  t.is(later?.getFirstPropertyValue('rrule'), null)
})

test('whole days have no zone, and end the day after', (t) => {
  const fields = {
    title: 'Camp',
    start: '2026-07-31',
    end: '2026-08-02',
    allDay: true,
    zone: 'Europe/Berlin',
    rrule: 'FREQ=YEARLY;UNTIL=20280731',
    exceptions: ['2027-07-31'],
    changes: [{ occurrence: '2028-07-31', start: '2028-08-01' }],
  }
  const file = calendarFile([entry(fields)], CALENDAR)
  t.false(file.includes('VTIMEZONE'))
  t.true(file.includes('DTSTART;VALUE=DATE:20260731\r\n'))
  t.true(file.includes('DTEND;VALUE=DATE:20260803\r\n'))
  const [event] = parseCalendar(file).events
  t.deepEqual(event && expand(event), expected(fields))
  t.is(expected(fields).length, 2)
})

test('an event without an end has none in the file', (t) => {
  const file = calendarFile([entry({ title: 'Vigil', start: '2026-11-23T19:00', zone: 'UTC' })], CALENDAR)
  t.false(file.includes('DTEND'))
})

test('a series that begins on the night of a clock change keeps its end on the wall', (t) => {
  const fields = {
    ...WEEKLY,
    start: '2026-10-24T22:00',
    end: '2026-10-25T06:00',
    rrule: 'FREQ=WEEKLY;UNTIL=20261201',
  }
  const file = calendarFile([entry(fields)], CALENDAR)
  t.true(file.includes('DURATION:PT8H0M\r\n'))
  const [event] = parseCalendar(file).events
  t.deepEqual(event && expand(event), expected(fields))
  t.is(expected(fields)[0]?.end, '2026-10-25T05:00:00.000Z')
  t.is(expected(fields)[1]?.end, '2026-11-01T05:00:00.000Z')
})

test('many events share their time zones', (t) => {
  const entries = ['Europe/Berlin', 'Europe/Berlin', 'America/New_York'].map((zone, index) =>
    entry({ ...WEEKLY, zone }, { item: `item${index}` }),
  )
  const { root, events } = parseCalendar(calendarFile(entries, CALENDAR))
  t.is(events.length, 3)
  t.deepEqual(
    root.getAllSubcomponents('vtimezone').map((zone) => zone.getFirstPropertyValue('tzid')),
    ['America/New_York', 'Europe/Berlin'],
  )
  t.deepEqual(
    events.map((event) => expand(event).length),
    [8, 8, 8],
  )
})

test('a calendar without events is one', (t) => {
  const { root, events } = parseCalendar(calendarFile([], { name: 'Nothing yet' }))
  t.deepEqual(events, [])
  t.is(root.getAllSubcomponents().length, 1)
})

test('what people write cannot add a line', (t) => {
  const evil = 'x\r\nEND:VEVENT\nATTACH:file:///etc/passwd\u0000\u2028\u007f\ud800'
  const changes = [{ occurrence: WEEKLY.start, title: evil, venue: evil, note: evil }]
  const fields = {
    ...WEEKLY,
    title: evil,
    venue: evil,
    contact: evil,
    organiser: evil,
    tags: [evil],
    changes,
  }
  const url = 'https://node.example/\r\nATTACH:x'
  const file = calendarFile([entry(fields, { description: evil, url, item: evil })], { name: evil, url })
  t.false(/^(ATTACH|END:VEVENT.)/mu.test(file))
  const { root } = parseCalendar(file)
  t.is(root.getAllSubcomponents('vevent').length, 2)
  t.true(root.getAllSubcomponents('vevent').every((event) => !event.hasProperty('attach')))
})

test('any text comes back from the parser', (t) => {
  const texts = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 200 })
  fc.assert(
    fc.property(texts, texts, (title, venue) => {
      const file = calendarFile([entry({ ...WEEKLY, title: `“${title}”`, venue: `“${venue}”` })], CALENDAR)
      const [event] = parseCalendar(file).events
      t.is(event?.summary, `“${title}”`)
      t.is(event?.location, `“${venue}”`)
    }),
    { numRuns: 200 },
  )
})

/**
 * Whether a time on the wall is there once. The parser takes the others by the offset after the clock change, which is
 * not RFC 5545, 3.3.5.
 */
function isOnce(wall: string | undefined, { zone, allDay }: EventFields): boolean {
  if (wall === undefined || allDay) return true
  const [earlier, later] = (['earlier', 'later'] as const).map((disambiguation) =>
    Temporal.PlainDateTime.from(wall).toZonedDateTime(zone, { disambiguation }).toString(),
  )
  return earlier === later
}

/**
 * Whether the event recurs every year from 29 February. RFC 5545, 3.3.10, leaves out the years that have no such day;
 * the parser takes 1 March.
 */
function isLeapYearly({ rrule = '', start }: EventFields): boolean {
  return rrule.includes('FREQ=YEARLY') && start.slice(5, 10) === '02-29'
}

/** The local times that a file gives for an occurrence. */
function wallTimes(fields: EventFields, occurrence: string): (string | undefined)[] {
  const change = fields.changes?.find((one) => one.occurrence === occurrence)
  const { from, to } = timesOf(fields, occurrence, change)
  return [occurrence, timesOf(fields, occurrence).to, from, to]
}

/** The event with its first picked occurrence cancelled and further ones moved by days. */
function edited(event: CalendarEntry['fields'], picks: readonly number[]): CalendarEntry['fields'] {
  if (event.rrule === undefined) return event
  const names = occurrencesOf(event).map(({ occurrence }) => occurrence)
  const [first, ...others] = [...new Set(picks.map((pick) => names[pick % names.length] ?? ''))]
  return others.reduce(
    (fields, name, index) =>
      changeOccurrence(fields, name, {
        title: 'Changed',
        start: addDays(name.slice(0, 10), index + 1) + name.slice(10),
      }),
    first === undefined ? event : cancelOccurrence(event, first),
  )
}

test('the parser finds the very occurrences that this node shows', (t) => {
  let compared = 0
  const picks = fc.array(fc.integer({ min: 0, max: 999 }), { maxLength: 3 })
  fc.assert(
    fc.property(simpleEvents, picks, (event, picked) => {
      const fields = edited(event, picked)
      const [found] = parseCalendar(calendarFile([entry(fields)], CALENDAR)).events
      const shown = occurrencesOf(fields)
      fc.pre(!isLeapYearly(fields))
      fc.pre(
        [fields.start, ...shown.flatMap(({ occurrence }) => wallTimes(fields, occurrence))].every((wall) =>
          isOnce(wall, fields),
        ),
      )
      t.deepEqual(found && expand(found), expected(fields))
      compared += shown.length
    }),
    { numRuns: 300 },
  )
  t.true(compared > 1_000)
})
