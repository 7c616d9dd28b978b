import type { EventFields, OccurrenceChange } from './fields.ts'
import { endOf, seriesOf } from './series.ts'
import { addDays, dayOf, minutesOf } from './wall-time.ts'
import { instantOf, momentOf } from './zone.ts'

/** One time at which an event takes place. */
export interface Occurrence {
  /** Local start of the occurrence as the series has it, which names it. */
  occurrence: string
  /** UTC with milliseconds. An event of whole days lasts from midnight to midnight in its zone. */
  start: string
  end: string
  /** What the clocks in the event's zone show then, "2026-11-23T19:00"; days for an event of whole days. */
  localStart: string
  /** Absent for an event without an end. For an event of whole days the last day. */
  localEnd?: string
  /** The first and the last local day that it touches. */
  day: string
  lastDay: string
  venue?: string
  title?: string
  note?: string
  /** One occurrence was edited, apart from the series. */
  changed?: true
}

/**
 * When an event takes place, by start; nothing for fields that {@link eventProblems} does not take. Each occurrence
 * lasts as long as the first one by the clock on the wall. One without an end lasts no time, one that ends at midnight
 * does not touch the next day. An occurrence both cancelled and changed, as a merge of two edits can have it, does
 * not take place.
 */
export function occurrencesOf(fields: EventFields): Occurrence[] {
  const starts = seriesOf(fields)
  if (typeof starts === 'string') return []
  const cancelled = new Set(fields.exceptions)
  const changes = new Map(fields.changes?.map((change) => [change.occurrence, change]))
  return starts
    .filter((start) => !cancelled.has(start))
    .map((start) => occurrenceAt(fields, start, changes.get(start)))
    .toSorted((a, b) => compare(a.start, b.start) || compare(a.occurrence, b.occurrence))
}

/** Whether an occurrence is over at an instant (ISO 8601, UTC). One without an end is over when it has begun. */
export function isOver({ end }: Pick<Occurrence, 'end'>, at: string): boolean {
  return Date.parse(end) <= Date.parse(at)
}

/** Local start and end of an occurrence with its change. A new start takes the end along. */
export function timesOf(
  fields: EventFields,
  occurrence: string,
  change?: OccurrenceChange,
): { from: string; to?: string } {
  const from = change?.start ?? occurrence
  const to = change?.end ?? endOf(fields, from)
  return to === undefined ? { from } : { from, to }
}

function occurrenceAt(fields: EventFields, occurrence: string, change?: OccurrenceChange): Occurrence {
  const { from, to } = timesOf(fields, occurrence, change)
  return {
    occurrence,
    ...(fields.allDay ? wholeDays(from, to ?? from, fields.zone) : timed(from, to, fields.zone)),
    ...(change ? { ...described(change), changed: true } : {}),
  }
}

function wholeDays(from: string, to: string, zone: string) {
  return {
    start: instantOf(from, zone),
    end: instantOf(addDays(to, 1), zone),
    localStart: from,
    localEnd: to,
    day: from,
    lastDay: to,
  }
}

function timed(from: string, to: string | undefined, zone: string) {
  const begin = momentOf(from, zone)
  const day = begin.wall.slice(0, 10)
  const at = { start: begin.instant, localStart: begin.wall, day }
  if (to === undefined) return { ...at, end: begin.instant, lastDay: day }
  // A clock that jumps forward may move the start beyond a near end.
  const asked = momentOf(to, zone)
  const finish = asked.instant < begin.instant ? begin : asked
  // The minute before the end: midnight belongs to the day that it begins, also where the clock jumps over it.
  const lastDay = latest(day, dayOf(minutesOf(to) - 1))
  return { ...at, end: finish.instant, localEnd: finish.wall, lastDay }
}

function described({ venue, title, note }: OccurrenceChange) {
  return { ...(venue && { venue }), ...(title && { title }), ...(note && { note }) }
}

function latest(a: string, b: string): string {
  return a > b ? a : b
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}
