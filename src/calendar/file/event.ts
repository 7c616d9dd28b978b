import type { EventFields, OccurrenceChange } from '../fields.ts'
import { timesOf } from '../occurrences.ts'
import { readRule, type Rule } from '../rule.ts'
import { endOf, horizonOf, lastMoment } from '../series.ts'
import { addDays, MINUTES_A_DAY, minutesOf } from '../wall-time.ts'
import { instantOf } from '../zone.ts'
import { contentLine, escapeText } from './content-line.ts'

/** An event as a calendar file takes it. */
export interface CalendarEntry {
  /** The item's id, the same on every node. */
  item: string
  fields: EventFields & { title: string }
  /** When it was first published and last edited: ISO 8601 in UTC, or a ledger clock that begins like it. */
  at?: string
  updatedAt: string
  /** How often it was edited; a calendar program takes the higher one. */
  sequence?: number
  /** The event's page, an absolute address. */
  url?: string
  /** Plain text. */
  description?: string
}

/**
 * The VEVENT of an event or a series, and one for each of its changed occurrences. The fields are taken as
 * {@link eventProblems} takes them: nothing is expanded here, so that a file of many series is quick.
 */
export function eventComponents(entry: CalendarEntry): string {
  const { fields } = entry
  const rule = fields.rrule === undefined ? undefined : readRule(fields.rrule)
  if (typeof rule === 'string') return ''
  const cancelled = new Set(fields.exceptions)
  const main = component(entry, [
    ...times(fields, fields.start),
    ...(rule ? [contentLine('RRULE', ruleValue(rule, fields))] : []),
    ...[...cancelled].map((name) => time('EXDATE', name, fields)),
  ])
  const changes = fields.changes?.filter(({ occurrence }) => !cancelled.has(occurrence)) ?? []
  return [main, ...changes.map((change) => changeComponent(entry, change))].join('')
}

/** The first and the last local time between which an event's clocks matter. */
export function clockRange(fields: EventFields): [first: string, last: string] {
  const rule = fields.rrule === undefined ? undefined : readRule(fields.rrule)
  const repeats = rule !== undefined && typeof rule !== 'string'
  const starts = [
    fields.start,
    ...(repeats ? [lastMoment(rule, fields.zone) ?? horizonOf(fields.start)] : []),
    ...(fields.changes?.flatMap(({ start }) => start ?? []) ?? []),
  ]
  const ends = fields.changes?.flatMap(({ end }) => end ?? []) ?? []
  const all = [...starts, ...starts.map((start) => endOf(fields, start) ?? start), ...ends].toSorted()
  return [all[0] ?? fields.start, all.at(-1) ?? fields.start]
}

function changeComponent(entry: CalendarEntry, change: OccurrenceChange): string {
  const { fields } = entry
  const { latitude: _latitude, longitude: _longitude, ...elsewhere } = fields
  const title = change.title ?? fields.title
  const description = [change.note, entry.description].filter(Boolean).join('\n\n')
  return component(
    {
      ...entry,
      // The series' point on the map is not that of another venue.
      fields: change.venue ? { ...elsewhere, title, venue: change.venue } : { ...fields, title },
      description,
    },
    [time('RECURRENCE-ID', change.occurrence, fields), ...times(fields, change.occurrence, change)],
  )
}

function component(entry: CalendarEntry, when: readonly string[]): string {
  const { fields, description, url } = entry
  return [
    contentLine('BEGIN', 'VEVENT'),
    contentLine('UID', `urn:hyperactive:${escapeText(entry.item)}`),
    contentLine('DTSTAMP', utc(entry.updatedAt)),
    ...(entry.at ? [contentLine('CREATED', utc(entry.at))] : []),
    contentLine('LAST-MODIFIED', utc(entry.updatedAt)),
    contentLine('SEQUENCE', String(entry.sequence ?? 0)),
    ...when,
    ...text('SUMMARY', fields.title),
    ...text('DESCRIPTION', description),
    ...text('LOCATION', fields.venue),
    ...(fields.latitude && fields.longitude
      ? [contentLine('GEO', `${fields.latitude};${fields.longitude}`)]
      : []),
    // ORGANIZER wants an e-mail address, and makes calendar programs take the event for an invitation.
    ...text('CONTACT', fields.organiser),
    ...text('CONTACT', fields.contact),
    ...(fields.tags?.length ? [contentLine('CATEGORIES', fields.tags.map(escapeText).join(','))] : []),
    ...(url ? [contentLine('URL', uri(url))] : []),
    contentLine('END', 'VEVENT'),
  ].join('')
}

function text(name: string, value?: string): string[] {
  return value ? [contentLine(name, escapeText(value))] : []
}

/** DTSTART and, for an event that has an end, what says when: the day after the last one for whole days. */
function times(fields: EventFields, occurrence: string, change?: OccurrenceChange): string[] {
  const { from, to } = timesOf(fields, occurrence, change)
  const start = time('DTSTART', from, fields)
  if (fields.allDay) return [start, time('DTEND', addDays(to ?? from, 1), fields)]
  if (to === undefined) return [start]
  const minutes = minutesOf(to) - minutesOf(from)
  const elapsed = Date.parse(instantOf(to, fields.zone)) - Date.parse(instantOf(from, fields.zone))
  // DTEND gives every occurrence the time that elapses in the first one (RFC 5545, 3.8.5.3), which is an hour more or
  // less than the clock on the wall says when the first one is that of a clock change.
  const byWall = fields.rrule !== undefined && !change && elapsed !== minutes * 60_000
  return [start, byWall ? contentLine('DURATION', durationOf(minutes)) : time('DTEND', to, fields)]
}

/** "P1DT2H30M" */
function durationOf(minutes: number): string {
  const [days, hours, rest] = [
    Math.floor(minutes / MINUTES_A_DAY),
    Math.floor(minutes / 60) % 24,
    minutes % 60,
  ]
  return `P${days > 0 ? `${days}D` : ''}${hours + rest > 0 ? `T${hours}H${rest}M` : ''}`
}

function time(name: string, wall: string, { allDay, zone }: EventFields): string {
  return allDay
    ? contentLine(name, compact(wall), { VALUE: 'DATE' })
    : contentLine(name, `${compact(wall)}00`, { TZID: zone })
}

/** The rule with UNTIL as RFC 5545, 3.3.10 wants it: a day for whole days, otherwise UTC. */
function ruleValue(rule: Rule, { allDay, zone }: EventFields): string {
  const last = lastMoment(rule, zone)
  const until = last && (allDay ? compact(last.slice(0, 10)) : utc(instantOf(last, zone)))
  return [
    ...[...rule.parts].map(([name, value]) => `${name}=${value}`),
    rule.count === undefined ? `UNTIL=${until}` : `COUNT=${rule.count}`,
  ].join(';')
}

function compact(text: string): string {
  return text.replaceAll(/[-:]/gu, '')
}

/** "20261123T180000Z" of an ISO 8601 time in UTC, or of a ledger clock. */
function utc(at: string): string {
  return `${compact(at.slice(0, 19))}Z`
}

/** An address without what would end the line. */
export function uri(address: string): string {
  return encodeURI(address).replaceAll('%25', '%')
}
