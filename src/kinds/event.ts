import { z } from 'zod'
import {
  commonFields,
  commonStrategies,
  commonSummary,
  FIELDS,
  flag,
  line,
  LIMITS,
  name,
  text,
} from './base/fields.ts'
import type { Input, Kind } from './base/kind.ts'
import type { Fields } from '../ledger/document.ts'
import { cancelOccurrence, changeOccurrence, changeSeries } from '../calendar/edit-series.ts'
import { EVENT_LIMITS } from '../calendar/fields.ts'
import type { EventFields } from '../calendar/fields.ts'
import { occurrencesOf, timesOf } from '../calendar/occurrences.ts'
import { eventProblems } from '../calendar/problems.ts'
import { readRepeat, REPEATS, showRepeat } from '../calendar/repeat.ts'
import { seriesOf } from '../calendar/series.ts'
import { addDays, isDay, isWallTime } from '../calendar/wall-time.ts'

/** Something that takes place, once or again and again. */
export const event: Kind = {
  name: 'event',
  path: 'events',
  by: 'anyone',
  comments: true,
  schema: z
    .looseObject({
      ...commonFields,
      body: text(LIMITS.body).optional(),
      /** Local wall time in `zone`, "2026-11-23T19:00", or a day where it lasts all day. */
      start: name(16),
      end: line(16).optional(),
      allDay: flag().optional(),
      /** IANA name of a time zone. */
      zone: name(50),
      /** RFC 5545, without "RRULE:". */
      rrule: line(500).optional(),
      /** Local starts of occurrences that do not take place. */
      exceptions: z.array(line(16)).max(200, 'has more than 200 entries').optional(),
      /** Occurrences that differ from the series, by their local start. */
      changes: z
        .array(z.looseObject({ occurrence: name(16) }))
        .max(200, 'has more than 200 entries')
        .optional(),
      venue: line(LIMITS.contact).optional(),
      latitude: line(20).optional(),
      longitude: line(20).optional(),
      contact: line(LIMITS.contact).optional(),
      organiser: line(LIMITS.contact).optional(),
    })
    .superRefine((fields, context) => {
      // A peer with newer time zone data may know a zone that this node will know after its next update.
      for (const { field, problem } of eventProblems(fields, { zones: 'named' }))
        context.addIssue({ code: 'custom', path: [field], message: problem })
    }),
  strategies: {
    ...commonStrategies,
    start: 'latest',
    end: 'latest',
    allDay: 'latest',
    zone: 'latest',
    rrule: 'latest',
    exceptions: 'set',
    changes: 'list',
    venue: 'latest',
    latitude: 'latest',
    longitude: 'latest',
    contact: 'latest',
    organiser: 'latest',
  },
  form: [
    FIELDS.title,
    { name: 'start', control: 'moment', required: true },
    { name: 'end', control: 'moment' },
    { name: 'zone', control: 'zone', required: true },
    { name: 'repeat', control: 'choice', choices: [...REPEATS, 'custom'] },
    { name: 'until', control: 'day' },
    { name: 'venue', control: 'line', longest: LIMITS.contact },
    FIELDS.summary,
    { name: 'body', control: 'markdown', rows: 8 },
    FIELDS.files,
    { name: 'organiser', control: 'line', longest: LIMITS.contact },
    { name: 'contact', control: 'line', longest: LIMITS.contact },
    FIELDS.author,
    FIELDS.tags,
    FIELDS.places,
    FIELDS.language,
    { name: 'latitude', control: 'line', longest: 20, more: true },
    { name: 'longitude', control: 'line', longest: 20, more: true },
    FIELDS.commentsClosed,
    FIELDS.dayOnly,
    FIELDS.group,
    FIELDS.translationOf,
  ],
  sections: () => [],
  listing: (fields) => {
    const { start, end, zone, venue, allDay } = fields
    return {
      ...commonSummary(fields),
      start,
      zone,
      ...(end === undefined ? {} : { end }),
      ...(venue === undefined ? {} : { venue }),
      ...(allDay === true ? { allDay: true } : {}),
    }
  },
  occurrences: (fields) => occurrencesOf(asEvent(fields)),
  read: (input, fields, before) => readEvent(input, fields, before),
  show: (fields) => ({ ...showRepeat(fields.rrule as string | undefined, asEvent(fields)) }),
  parts: (fields) => {
    if (fields.rrule === undefined || fields.start === undefined) return []
    const series = seriesOf(asEvent(fields))
    return typeof series === 'string' ? [] : series
  },
  part: (fields, name) => (event.parts?.(fields).includes(name) ? occurrenceForm(name) : undefined),
}

/** One occurrence of a series, which is edited apart from the others. */
function occurrenceForm(occurrence: string): Kind {
  return {
    ...event,
    form: [
      { name: 'cancelled', control: 'flag' },
      FIELDS.title,
      { name: 'start', control: 'moment', required: true },
      { name: 'end', control: 'moment' },
      { name: 'venue', control: 'line', longest: EVENT_LIMITS.venue },
      { name: 'note', control: 'text', longest: EVENT_LIMITS.note, rows: 4 },
    ],
    show: (fields) => {
      const series = asEvent(fields)
      const change = series.changes?.find((one) => one.occurrence === occurrence)
      const { from, to = '' } = timesOf(series, occurrence, change)
      const [start = '', startTime = ''] = from.split('T')
      const [end = '', endTime = ''] = to.split('T')
      return {
        cancelled: series.exceptions?.includes(occurrence) ? 'yes' : '',
        title: change?.title ?? series.title ?? '',
        start,
        startTime,
        end,
        endTime,
        venue: change?.venue ?? series.venue ?? '',
        note: change?.note ?? '',
      }
    },
    read: (_, typed, before) => {
      const series = asEvent(before)
      const { start, end } = completed(typed)
      if (typed.cancelled === true) return outcome(cancelOccurrence(series, occurrence))
      const { title, venue, note } = typed as Partial<Record<string, string>>
      const wanted = {
        start: start ?? '',
        ...(end && { end }),
        ...(title && { title }),
        ...(venue && { venue }),
        ...(note && { note }),
      }
      return outcome(changeOccurrence(series, occurrence, wanted), { changes: 'start', exceptions: 'start' })
    },
  }
}

/** An event of the form's fields and of its controls for repeating. */
function readEvent(input: Input, typed: Fields, before: Fields) {
  const { repeat: _, until: __, start: ___, end: ____, allDay: _____, rrule: ______, ...rest } = typed
  const { start, end } = completed(typed)
  const event = {
    ...rest,
    ...(start === undefined ? {} : { start }),
    ...(end === undefined ? {} : { end }),
    ...(start !== undefined && isDay(start) ? { allDay: true } : {}),
  } as unknown as EventFields
  // What is wrong with the start is said first.
  if (start === undefined) return { fields: fieldsOf(event), problems: {} }
  const kept = typeof before.rrule === 'string' ? before.rrule : undefined
  const { repeat = '', until = '' } = input
  const { rrule, problems } = readRepeat({ repeat, until }, event, kept)
  const whole = rrule === undefined ? event : { ...event, rrule }
  if (problems.length > 0) return { fields: fieldsOf(whole), problems: named(problems) }
  return outcome(changeSeries(asEvent(before), whole).fields)
}

/** An event's fields, and what is wrong with them by name of the input. */
function outcome(fields: EventFields, inputs: Readonly<Record<string, string>> = {}) {
  return { fields: fieldsOf(fields), problems: named(eventProblems(fieldsOf(fields)), inputs) }
}

function named(
  problems: readonly { field: string; problem: string }[],
  inputs: Readonly<Record<string, string>> = {},
) {
  return Object.fromEntries(
    problems.map(({ field, problem }) => [inputs[field] ?? (field === 'rrule' ? 'repeat' : field), problem]),
  )
}

/** Start and end as people leave them: an end that is a time alone is on the day of the start, or after midnight. */
function completed({ start, end }: Fields): { start?: string; end?: string } {
  if (typeof start !== 'string') return typeof end === 'string' ? { end } : {}
  if (typeof end !== 'string') return { start }
  if (!end.startsWith('T') || !isWallTime(start)) return { start, end }
  const day = start.slice(0, 10)
  return { start, end: `${end > start.slice(10) ? day : addDays(day, 1)}${end}` }
}

function asEvent(fields: Fields): EventFields {
  return fields as unknown as EventFields
}

function fieldsOf(event: EventFields): Fields {
  return event as unknown as Fields
}
