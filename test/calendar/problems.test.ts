import test from 'ava'
import * as fc from 'fast-check'
import { eventProblems } from '../../src/calendar/problems.ts'
import { occurrencesOf } from '../../src/calendar/occurrences.ts'
import { EVENT_LIMITS, type EventFields } from '../../src/calendar/fields.ts'
import { simpleEvents, WEEKLY } from './events.ts'

const SINGLE = { start: '2026-11-24T19:00', zone: 'Europe/Berlin' }

function sentences(fields: Record<string, unknown>, options?: Parameters<typeof eventProblems>[1]): string[] {
  return eventProblems(fields, options).map(({ field, problem }) => `${field} ${problem}`)
}

function saysOf(changed: Record<string, unknown>): string {
  return sentences({ ...WEEKLY, ...changed }).join('; ')
}

test('an event, a series and an event of whole days have no problems', (t) => {
  t.deepEqual(sentences(SINGLE), [])
  t.deepEqual(sentences({ ...WEEKLY }), [])
  t.deepEqual(sentences({ start: '2026-11-24', end: '2026-11-24', allDay: true, zone: 'UTC' }), [])
  t.deepEqual(sentences({ ...SINGLE, latitude: '-34.6037', longitude: '-58.3816' }), [])
})

test('impossible dates and times are named', (t) => {
  const notATime = 'start is not a day and a time such as 2026-11-23T19:00'
  for (const start of [
    '2026-02-30T19:00',
    '2026-02-32T19:00',
    '2026-13-01T19:00',
    '2025-02-29T19:00',
    '2026-11-24T25:00',
    '2026-11-24T24:00',
    '2026-11-24T19:60',
    '2026-11-24',
    '2026-11-24 19:00',
    '2026-11-24T19:00Z',
    '0000-01-01T00:00',
    '9999-12-31T00:00',
    'tomorrow',
    7,
    ['2026-11-24T19:00'],
  ]) {
    t.deepEqual(sentences({ ...SINGLE, start }), [notATime], String(start))
  }
  t.deepEqual(sentences({ zone: 'UTC' }), ['start is missing'])
  t.deepEqual(sentences({ ...SINGLE, end: '2026-11-31T19:00' }), [
    'end is not a day and a time such as 2026-11-23T19:00',
  ])
  t.deepEqual(sentences({ ...SINGLE, allDay: true }), ['start is not a day such as 2026-11-23'])
  t.deepEqual(sentences({ ...SINGLE, allDay: 'yes' }), ['allDay is not true or false'])
})

test('an end has to follow its start within 31 days', (t) => {
  t.deepEqual(sentences({ ...SINGLE, end: '2026-11-24T18:59' }), ['end is before the start'])
  t.deepEqual(sentences({ ...SINGLE, end: '2026-11-24T19:00' }), ['end is no later than the start'])
  t.deepEqual(sentences({ ...SINGLE, end: '2026-12-25T19:00' }), [])
  t.deepEqual(sentences({ ...SINGLE, end: '2026-12-25T19:01' }), ['end is more than 31 days after the start'])
  const days = { start: '2026-11-24', allDay: true, zone: 'UTC' }
  t.deepEqual(sentences({ ...days, end: '2026-12-24' }), [])
  t.deepEqual(sentences({ ...days, end: '2026-12-25' }), ['end is more than 31 days after the start'])
})

test('a series takes at most 400 days in all', (t) => {
  const days = { start: '2026-11-02', end: '2026-11-05', allDay: true, zone: 'UTC' }
  const weekly = (count: number) => sentences({ ...days, rrule: `FREQ=WEEKLY;COUNT=${count}` })
  t.deepEqual(weekly(100), [])
  t.deepEqual(weekly(101), ['rrule takes more than 400 days in all'])
})

test('a zone is an IANA name in its own letters', (t) => {
  for (const zone of ['Asia/Kolkata', 'Asia/Calcutta', 'GB-Eire', 'UTC', 'America/Port-au-Prince']) {
    t.deepEqual(sentences({ ...SINGLE, zone }), [], zone)
  }
  for (const zone of [
    'europe/berlin',
    '+01:00',
    'CEST',
    'Europe/Atlantis',
    'Europe/Berlin\r\nX:',
    '../etc',
    5,
  ]) {
    t.deepEqual(
      sentences({ ...SINGLE, zone }),
      ['zone is not a time zone such as Europe/Berlin'],
      String(zone),
    )
  }
  t.deepEqual(sentences({ start: SINGLE.start }), ['zone is missing'])
})

test('a zone that only newer data know is taken from a peer', (t) => {
  t.deepEqual(sentences({ ...SINGLE, zone: 'Europe/Atlantis' }, { zones: 'named' }), [])
  t.deepEqual(sentences({ ...SINGLE, zone: 'x y' }, { zones: 'named' }), [
    'zone is not a time zone such as Europe/Berlin',
  ])
  const [occurrence] = occurrencesOf({ ...SINGLE, zone: 'Europe/Atlantis' })
  t.is(occurrence?.start, '2026-11-24T19:00:00.000Z')
})

test('a point on the map has two numbers within the globe', (t) => {
  t.deepEqual(sentences({ ...SINGLE, latitude: '52.5' }), ['longitude is missing'])
  t.deepEqual(sentences({ ...SINGLE, longitude: '13.4' }), ['latitude is missing'])
  t.deepEqual(sentences({ ...SINGLE, latitude: '90.1', longitude: '181' }), [
    'latitude is not a number of degrees from -90 to 90',
    'longitude is not a number of degrees from -180 to 180',
  ])
  for (const latitude of ['1e1', '0x10', '52,5', ' 52', '', 52.5, 'NaN']) {
    t.regex(sentences({ ...SINGLE, latitude, longitude: '0' })[0] ?? '', /^latitude is not/, String(latitude))
  }
})

test('a rule that is no rule of ours is named', (t) => {
  const cases: [string, string][] = [
    ['', 'is not a rule such as'],
    ['weekly', 'is not a rule such as'],
    ['freq=weekly;count=2', 'is not a rule such as'],
    ['FREQ=WEEKLY;COUNT=2;', 'is not a rule such as'],
    ['RRULE:FREQ=WEEKLY;COUNT=2', 'is not a rule such as'],
    ['FREQ=WEEKLY;COUNT=2\nDTSTART:20260101', 'is not a rule such as'],
    ['COUNT=2', 'has no FREQ'],
    ['FREQ=HOURLY;COUNT=2', 'repeats neither by days'],
    ['FREQ=SECONDLY;COUNT=2', 'repeats neither by days'],
    ['FREQ=WEEKLY;COUNT=2;COUNT=3', 'has COUNT twice'],
    ['FREQ=WEEKLY;COUNT=0', 'has a COUNT that is not right'],
    ['FREQ=WEEKLY;INTERVAL=0;COUNT=2', 'has a INTERVAL that is not right'],
    ['FREQ=WEEKLY;BYHOUR=9;COUNT=2', 'has a part that is not taken: BYHOUR'],
    ['RSCALE=HEBREW;FREQ=YEARLY;COUNT=2', 'has a part that is not taken: RSCALE'],
    ['FREQ=WEEKLY;constructor=1', 'is not a rule'],
    ['FREQ=MONTHLY;BYMONTHDAY=32;COUNT=2', 'has a BYMONTHDAY that is not right'],
    ['FREQ=WEEKLY;BYMONTHDAY=3;COUNT=2', 'has BYMONTHDAY, which FREQ=WEEKLY does not know'],
    ['FREQ=WEEKLY;BYDAY=2TU;COUNT=2', 'has a number in BYDAY'],
    ['FREQ=WEEKLY;BYSETPOS=1;COUNT=2', 'has BYSETPOS without another BY part'],
    ['FREQ=WEEKLY;UNTIL=20261301', 'has an UNTIL that is no date'],
    ['FREQ=WEEKLY;UNTIL=20261101T256000Z', 'has an UNTIL that is no date'],
    ['FREQ=WEEKLY;COUNT=2;UNTIL=20261101', 'has COUNT and UNTIL'],
    [`FREQ=YEARLY;COUNT=2;BYYEARDAY=${'1,'.repeat(200)}1`, 'is longer than 300 characters'],
  ]
  for (const [rrule, problem] of cases) {
    t.true(saysOf({ rrule }).startsWith(`rrule ${problem}`), `${rrule}: ${saysOf({ rrule })}`)
  }
})

test('a series has an end, within three years and 200 occurrences', (t) => {
  t.is(saysOf({ rrule: 'FREQ=WEEKLY' }), 'rrule never ends: it needs UNTIL or COUNT')
  t.is(saysOf({ rrule: 'FREQ=WEEKLY;UNTIL=20261005' }), 'rrule ends before the start')
  t.is(saysOf({ rrule: 'FREQ=MONTHLY;UNTIL=20291007' }), 'rrule ends more than 3 years after the start')
  t.is(saysOf({ rrule: 'FREQ=MONTHLY;UNTIL=20291006' }), '')
  t.is(saysOf({ rrule: 'FREQ=YEARLY;COUNT=4' }), '')
  t.is(saysOf({ rrule: 'FREQ=YEARLY;COUNT=5' }), 'rrule ends more than 3 years after the start')
  t.is(saysOf({ rrule: 'FREQ=DAILY;COUNT=200' }), '')
  t.is(saysOf({ rrule: 'FREQ=DAILY;COUNT=201' }), 'rrule gives more than 200 occurrences')
  t.is(saysOf({ rrule: 'FREQ=DAILY;UNTIL=20290101' }), 'rrule gives more than 200 occurrences')
})

test('a series begins with its start', (t) => {
  t.is(saysOf({ rrule: 'FREQ=WEEKLY;BYDAY=WE;COUNT=3' }), 'rrule does not take place at the start')
  t.is(
    saysOf({ rrule: 'FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;COUNT=3' }),
    'rrule does not take place at the start',
  )
})

test('exceptions name occurrences of the series, once', (t) => {
  t.is(saysOf({ exceptions: ['2026-10-13T19:00'] }), '')
  t.is(
    saysOf({ exceptions: ['2026-10-13T18:00'] }),
    'exceptions name 2026-10-13T18:00, at which the series has no occurrence',
  )
  t.is(saysOf({ exceptions: ['<script>'] }), 'exceptions name a time, at which the series has no occurrence')
  t.is(
    saysOf({ exceptions: ['2026-10-13T19:00', '2026-10-13T19:00'] }),
    'exceptions name an occurrence twice',
  )
  t.is(saysOf({ exceptions: 'all' }), 'exceptions are not a list of at most 200 entries')
  t.deepEqual(sentences({ ...SINGLE, exceptions: [SINGLE.start] }), [
    'exceptions are for an event that repeats',
  ])
})

const saysOfChange = (change: unknown) => saysOf({ changes: [change] })

test('changes name occurrences, and are as valid as an event', (t) => {
  const occurrence = '2026-10-13T19:00'
  t.is(saysOfChange({ occurrence, start: '2026-10-14T20:00', venue: 'Park', note: 'Bring chairs.' }), '')
  t.is(
    saysOfChange({ occurrence: '2026-10-12T19:00' }),
    'changes name 2026-10-12T19:00, at which the series has no occurrence',
  )
  t.is(saysOfChange(null), 'changes are not changes of occurrences')
  t.is(saysOfChange({}), 'changes name a time, at which the series has no occurrence')
  t.regex(
    saysOfChange({ occurrence, start: '2026-02-30T19:00' }),
    /have for 2026-10-13T19:00 a start that is not a day/,
  )
  t.regex(saysOfChange({ occurrence, start: '2028-10-13T19:00' }), /a start that is more than 366 days away/)
  t.regex(saysOfChange({ occurrence, end: '2026-10-13T18:00' }), /an end that is before the start/)
  t.regex(
    saysOfChange({ occurrence, title: 'x'.repeat(201) }),
    /a title that is no text of at most 200 characters/,
  )
  t.regex(saysOfChange({ occurrence, note: 7 }), /a note that is no text/)
})

test('an event of the simple controls never has a problem, and takes place', (t) => {
  fc.assert(
    fc.property(simpleEvents, (event) => {
      t.deepEqual(eventProblems({ ...event }), [])
      const occurrences = occurrencesOf(event)
      t.true(occurrences.length > 0 && occurrences.length <= EVENT_LIMITS.occurrences)
    }),
    { numRuns: 300 },
  )
})

const number = fc.oneof(fc.integer({ min: -400, max: 400 }), fc.integer()).map(String)
const numbers = fc.array(number, { minLength: 1, maxLength: 60 }).map((list) => list.join(','))
const day = fc
  .tuple(fc.option(number, { nil: '' }), fc.constantFrom('MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU', 'XX'))
  .map((pair) => pair.join(''))
const hostileRules = fc
  .record(
    {
      FREQ: fc.constantFrom('DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY', 'HOURLY'),
      INTERVAL: number,
      COUNT: number,
      UNTIL: fc.constantFrom('20261301', '20270101', '20291001T000000Z', '99991231', '20280229T120000'),
      BYMONTH: numbers,
      BYMONTHDAY: numbers,
      BYYEARDAY: numbers,
      BYWEEKNO: numbers,
      BYDAY: fc.array(day, { minLength: 1, maxLength: 20 }).map((list) => list.join(',')),
      BYSETPOS: numbers,
      WKST: day,
      BYHOUR: numbers,
    },
    { requiredKeys: ['FREQ'] },
  )
  .map((parts) =>
    Object.entries(parts)
      .map(([name, value]) => `${name}=${value}`)
      .join(';'),
  )

/** Like the hostile ones, with numbers that pass the first look: these reach the library. */
const small = (most: number) =>
  fc
    .uniqueArray(fc.integer({ min: -most, max: most }).filter(Boolean), { minLength: 1, maxLength: 40 })
    .map((list) => list.join(','))
const tightRules = fc
  .record(
    {
      FREQ: fc.constantFrom('DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY'),
      INTERVAL: fc.integer({ min: 1, max: 9999 }).map(String),
      BYMONTH: small(12).map((list) => list.replaceAll('-', '')),
      BYMONTHDAY: small(31),
      BYYEARDAY: small(366),
      BYWEEKNO: small(53),
      BYDAY: fc
        .subarray(['MO', 'TU', '1WE', '-1TH', '53FR', 'SU'], { minLength: 1 })
        .map((days) => days.join(',')),
      BYSETPOS: small(366),
      WKST: fc.constantFrom('MO', 'SU'),
    },
    { requiredKeys: ['FREQ'] },
  )
  .chain((parts) =>
    fc
      .constantFrom('COUNT=200', 'COUNT=999999', 'UNTIL=20291001', 'UNTIL=20290101T000000Z')
      .map((end) => [...Object.entries(parts).map(([name, value]) => `${name}=${value}`), end].join(';')),
  )

test('hostile rules get an answer in bounded time', (t) => {
  let slowest = { rrule: '', took: 0 }
  fc.assert(
    fc.property(fc.oneof(hostileRules, tightRules, fc.string()), (rrule) => {
      const began = performance.now()
      const problems = eventProblems({ ...WEEKLY, rrule })
      const took = performance.now() - began
      if (took > slowest.took) slowest = { rrule, took }
      t.true(problems.every(({ problem }) => problem.length < 400))
      const occurrences = occurrencesOf({ ...WEEKLY, rrule })
      t.true(problems.length > 0 ? occurrences.length === 0 : occurrences.length <= EVENT_LIMITS.occurrences)
    }),
    { numRuns: 1_500 },
  )
  t.log(`slowest: ${slowest.took.toFixed(1)} ms`, slowest.rrule)
  // Far above what any machine needs, far below what a rule that is followed for ever would take.
  t.true(slowest.took < 2_000)
})

test('fields of any type get an answer', (t) => {
  const keys = ['start', 'end', 'allDay', 'zone', 'rrule', 'exceptions', 'changes', 'latitude', 'longitude']
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom(...keys), fc.oneof(fc.anything(), fc.array(fc.anything()))),
      (fields) => {
        t.true(Array.isArray(eventProblems({ ...fields })))
        t.true(Array.isArray(eventProblems({ ...WEEKLY, ...fields })))
      },
    ),
    { numRuns: 1_000 },
  )
})

test('whatever passes can be computed', (t) => {
  fc.assert(
    fc.property(simpleEvents, fc.integer({ min: 0, max: 500 }), (event, index) => {
      const one = occurrencesOf(event)[index % occurrencesOf(event).length]
      const fields = event.rrule && one ? { ...event, exceptions: [one.occurrence] } : event
      t.deepEqual(eventProblems({ ...fields }), [])
      t.true(
        occurrencesOf(fields as EventFields).every(
          ({ occurrence }) => occurrence !== one?.occurrence || !event.rrule,
        ),
      )
    }),
    { numRuns: 100 },
  )
})
