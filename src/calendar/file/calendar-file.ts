import { contentLine, escapeText } from './content-line.ts'
import { clockRange, eventComponents, uri, type CalendarEntry } from './event.ts'
import { timeZoneComponent } from './time-zone.ts'

/** What a calendar program shows of the file itself. */
interface Calendar {
  name: string
  /** Where the file comes from, an absolute address: a subscribed calendar is asked there again. */
  url?: string
  description?: string
  /** BCP 47. */
  language?: string
}

/**
 * An iCalendar file (RFC 5545, with the names of RFC 7986) of any number of events, whose
 * fields are taken as {@link eventProblems} takes them. The same entries make the same file
 * on every node with the same time zone data.
 */
export function calendarFile(
  entries: readonly CalendarEntry[],
  { name, url, description, language }: Calendar,
): string {
  const inLanguage: Readonly<Record<string, string>> = language ? { LANGUAGE: language } : {}
  return [
    contentLine('BEGIN', 'VCALENDAR'),
    contentLine('VERSION', '2.0'),
    contentLine('PRODID', '-//Hyperactive//Hyperactive//EN'),
    contentLine('CALSCALE', 'GREGORIAN'),
    contentLine('NAME', escapeText(name), inLanguage),
    // The older name, which some programs know alone.
    contentLine('X-WR-CALNAME', escapeText(name)),
    ...(description ? [contentLine('DESCRIPTION', escapeText(description), inLanguage)] : []),
    ...(url ? [contentLine('SOURCE', uri(url), { VALUE: 'URI' })] : []),
    ...timeZones(entries),
    ...entries.map(eventComponents),
    contentLine('END', 'VCALENDAR'),
  ].join('')
}

/** A VTIMEZONE for each zone, as far as the events reach. */
function timeZones(entries: readonly CalendarEntry[]): string[] {
  const times = new Map<string, string[]>()
  for (const { fields } of entries) {
    if (fields.allDay) continue
    const inZone = times.get(fields.zone) ?? []
    inZone.push(...clockRange(fields))
    times.set(fields.zone, inZone)
  }
  // A calendar without any component is not valid: an empty one gets the time zone that changes nothing.
  if (entries.length === 0) times.set('UTC', ['1970-01-01T00:00'])
  return [...times]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([zone, inZone]) => {
      const sorted = inZone.toSorted()
      return timeZoneComponent(zone, sorted[0] ?? '', sorted.at(-1) ?? '')
    })
}
