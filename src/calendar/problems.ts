import { EVENT_LIMITS, type EventFields, type OccurrenceChange, type Problem } from './fields.ts'
import { occurrencesOf } from './occurrences.ts'
import { seriesOf } from './series.ts'
import { isDay, isWallTime, MINUTES_A_DAY, minutesOf } from './wall-time.ts'
import { isKnownZone, isZoneName } from './zone.ts'

interface Options {
  /**
   * `known`: the zone has to be in this machine's data, for what a form sends. `named`: it has to look like a zone, for
   * what a peer sends: one with newer data may know a zone that this node will know after its next update.
   */
  zones?: 'known' | 'named'
}

/**
 * What is wrong with the times and the place of an event: nothing for one that can be taken. Takes any value in any
 * field, never throws, and does a bounded amount of work.
 */
export function eventProblems(
  fields: Readonly<Record<string, unknown>>,
  { zones = 'known' }: Options = {},
): Problem[] {
  const problems = [...zoneProblems(fields['zone'], zones), ...placeProblems(fields)]
  if (!optional('boolean', fields['allDay']))
    problems.push({ field: 'allDay', problem: 'is not true or false' })
  const times = timeProblems(fields)
  if (problems.length > 0 || times.length > 0) return [...times, ...problems]
  return seriesProblems(fields as unknown as EventFields)
}

/** Whether a text is a time such as an event of this sort has: a day for whole days, otherwise a local time. */
function isTime(value: unknown, allDay: unknown): value is string {
  return typeof value === 'string' && (allDay === true ? isDay(value) : isWallTime(value))
}

function notATime(allDay: unknown): string {
  return allDay === true
    ? 'is not a day such as 2026-11-23'
    : 'is not a day and a time such as 2026-11-23T19:00'
}

function timeProblems({ start, end, allDay }: Readonly<Record<string, unknown>>): Problem[] {
  if (start === undefined || start === '') return [{ field: 'start', problem: 'is missing' }]
  if (!isTime(start, allDay)) return [{ field: 'start', problem: notATime(allDay) }]
  if (end === undefined) return []
  if (!isTime(end, allDay)) return [{ field: 'end', problem: notATime(allDay) }]
  const problem = lengthProblem(start, end, allDay === true)
  return problem ? [{ field: 'end', problem }] : []
}

/** What is wrong with the time between a start and an end, as the end of a sentence about the end. */
function lengthProblem(start: string, end: string, allDay: boolean): string | undefined {
  const lasts = minutesOf(end) - minutesOf(start)
  if (lasts < 0) return 'is before the start'
  if (lasts === 0 && !allDay) return 'is no later than the start'
  const longest = (allDay ? EVENT_LIMITS.days - 1 : EVENT_LIMITS.days) * MINUTES_A_DAY
  return lasts > longest ? `is more than ${EVENT_LIMITS.days} days after the start` : undefined
}

function zoneProblems(zone: unknown, zones: Options['zones']): Problem[] {
  if (zone === undefined || zone === '') return [{ field: 'zone', problem: 'is missing' }]
  const known = zones === 'named' ? isZoneName : isKnownZone
  if (typeof zone === 'string' && known(zone)) return []
  return [{ field: 'zone', problem: 'is not a time zone such as Europe/Berlin' }]
}

function placeProblems(fields: Readonly<Record<string, unknown>>): Problem[] {
  const pairs = [
    ['latitude', 'longitude', 90],
    ['longitude', 'latitude', 180],
  ] as const
  return pairs.flatMap(([field, other, most]) => {
    const value = fields[field]
    if (value === undefined) {
      return fields[other] === undefined ? [] : [{ field, problem: 'is missing' }]
    }
    const right =
      typeof value === 'string' && /^-?\d{1,3}(\.\d{1,10})?$/u.test(value) && Math.abs(Number(value)) <= most
    return right ? [] : [{ field, problem: `is not a number of degrees from -${most} to ${most}` }]
  })
}

function seriesProblems(fields: EventFields): Problem[] {
  if (!optional('string', fields.rrule)) return [{ field: 'rrule', problem: 'is not a text' }]
  const starts = seriesOf(fields)
  if (typeof starts === 'string') return [{ field: 'rrule', problem: starts }]
  const series = new Set(starts)
  const problems = (['exceptions', 'changes'] as const).flatMap((field) => {
    const problem = listProblem(fields[field], field, fields, series)
    return problem ? [{ field, problem }] : []
  })
  return problems.length === 0 && daysInAll(fields) > EVENT_LIMITS.daysInAll
    ? [{ field: 'rrule', problem: `takes more than ${EVENT_LIMITS.daysInAll} days in all` }]
    : problems
}

function daysInAll(fields: EventFields): number {
  const days = occurrencesOf(fields).map(
    ({ day, lastDay }) => (minutesOf(lastDay) - minutesOf(day)) / MINUTES_A_DAY + 1,
  )
  return days.reduce((sum, some) => sum + some, 0)
}

function listProblem(
  value: unknown,
  field: 'exceptions' | 'changes',
  fields: EventFields,
  series: ReadonlySet<string>,
): string | undefined {
  if (value === undefined) return undefined
  if (!Array.isArray(value) || value.length > EVENT_LIMITS.occurrences)
    return `are not a list of at most ${EVENT_LIMITS.occurrences} entries`
  if (value.length > 0 && fields.rrule === undefined) return 'are for an event that repeats'
  if (field === 'exceptions') return namesProblem(value, series)
  if (!value.every(isObject)) return 'are not changes of occurrences'
  const names = value.map(({ occurrence }) => occurrence)
  return (
    namesProblem(names, series) ??
    value.map((change) => changeProblem(change, fields)).find((problem) => problem !== undefined)
  )
}

/** Each entry has to name an occurrence of the series, once. */
function namesProblem(names: readonly unknown[], series: ReadonlySet<string>): string | undefined {
  const index = names.findIndex((name) => !series.has(name as string))
  if (index !== -1) {
    const name = names[index]
    // Only a time is repeated to the reader, nothing else that somebody may have put there.
    const shown = typeof name === 'string' && (isDay(name) || isWallTime(name)) ? name : 'a time'
    return `name ${shown}, at which the series has no occurrence`
  }
  return new Set(names).size < names.length ? 'name an occurrence twice' : undefined
}

function changeProblem(change: Readonly<Record<string, unknown>>, fields: EventFields): string | undefined {
  const { allDay } = fields
  const { occurrence, start = occurrence, end } = change as unknown as OccurrenceChange
  const named = `have for ${occurrence}`
  if (!isTime(start, allDay)) return `${named} a start that ${notATime(allDay)}`
  if (Math.abs(minutesOf(start) - minutesOf(occurrence)) > EVENT_LIMITS.moved * MINUTES_A_DAY)
    return `${named} a start that is more than ${EVENT_LIMITS.moved} days away`
  if (end !== undefined && !isTime(end, allDay)) return `${named} an end that ${notATime(allDay)}`
  const length = end && lengthProblem(start, end, allDay === true)
  if (length) return `${named} an end that ${length}`
  const tooLong = (['venue', 'title', 'note'] as const).find(
    (name) => !isShort(change[name], EVENT_LIMITS[name]),
  )
  return tooLong && `${named} a ${tooLong} that is no text of at most ${EVENT_LIMITS[tooLong]} characters`
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isShort(value: unknown, longest: number): boolean {
  return value === undefined || (typeof value === 'string' && value.length <= longest)
}

function optional(type: 'boolean' | 'string', value: unknown): boolean {
  return value === undefined || typeof value === type
}
