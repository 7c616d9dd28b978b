import { RRuleTemporal } from 'rrule-temporal'
import { Temporal } from 'temporal-polyfill'
import { EVENT_LIMITS, type EventFields } from './fields.ts'
import { readRule, type Rule } from './rule.ts'
import { addDays, isDay, isWallTime, MINUTES_A_DAY, minutesOf, wallTimeOf } from './wall-time.ts'
import { wallTimeIn } from './zone.ts'

/** Days, weeks, months or years that the library may look at for one rule: three years of them, and a few more. */
const MOST_PERIODS = { DAILY: 1_200, WEEKLY: 200, MONTHLY: 60, YEARLY: 8 }

/** Days that it may look at in all of them, each a few times. */
const MOST_CANDIDATES = 20_000

type SeriesFields = Pick<EventFields, 'start' | 'allDay' | 'zone' | 'rrule'>

/**
 * The local starts of a series, in order, before exceptions and changes; a text says why the rule is not taken, as the
 * end of a sentence. Local times alone are counted, as if in UTC: what a clock change does to
 * an occurrence is decided when it becomes an instant, and never makes a series longer or shorter.
 */
export function seriesOf({ start, allDay, zone, rrule }: SeriesFields): string[] | string {
  if (!(allDay ? isDay : isWallTime)(start)) return 'has no start to begin at'
  if (rrule === undefined) return [start]
  const rule = readRule(rrule)
  if (typeof rule === 'string') return rule
  const begin = wallTimeOf(minutesOf(start))
  const horizon = horizonOf(begin)
  const until = lastMoment(rule, zone)
  if (until && until < begin) return 'ends before the start'
  if (until && until.slice(0, 10) > horizon.slice(0, 10))
    return `ends more than ${EVENT_LIMITS.years} years after the start`
  const starts = expand(rule, begin, until ?? horizon)
  if (typeof starts === 'string') return starts
  if (starts[0] !== begin) return 'does not take place at the start'
  if (starts.length > EVENT_LIMITS.occurrences)
    return `gives more than ${EVENT_LIMITS.occurrences} occurrences`
  if (rule.count !== undefined && starts.length < rule.count)
    return `ends more than ${EVENT_LIMITS.years} years after the start`
  return allDay ? starts.map((text) => text.slice(0, 10)) : starts
}

/** The local time up to which a series may go. */
export function horizonOf(start: string): string {
  const year = Number(start.slice(0, 4)) + EVENT_LIMITS.years
  return wallTimeOf(minutesOf(`${year}${start.slice(4)}`))
}

/** The last local time at which an occurrence of the rule may begin, for a rule that says so. */
export function lastMoment({ until }: Rule, zone: string): string | undefined {
  if (until?.form === 'day') return `${until.at}T23:59`
  return until?.form === 'utc' ? wallTimeIn(zone, `${until.at}:00Z`) : until?.at
}

/**
 * The library gets an end within three years in any case, never a COUNT: looking for the fifth 30 February would take
 * it for ever.
 */
function expand(rule: Rule, begin: string, until: string): string[] | string {
  const parts = [...rule.parts].map(([name, value]) => `${name}=${value}`)
  const most = Math.min(rule.count ?? Infinity, EVENT_LIMITS.occurrences + 1)
  const starts: string[] = []
  try {
    const library = new RRuleTemporal({
      rruleString: [...parts, `UNTIL=${until.replaceAll(/[-:]/gu, '')}00Z`].join(';'),
      dtstart: Temporal.ZonedDateTime.from(`${begin}:00+00:00[UTC]`),
      strict: true,
      cache: false,
      maxIterations: MOST_PERIODS[rule.freq],
      maxCandidateEvaluations: MOST_CANDIDATES,
    })
    library.all((moment) => {
      starts.push(wallTimeOf(moment.epochMilliseconds / 60_000))
      return starts.length < most
    })
  } catch {
    return 'cannot be followed'
  }
  return starts
}

/** The local end of an occurrence that begins at `start`; undefined for an event without an end. */
export function endOf({ start, end, allDay }: EventFields, from: string): string | undefined {
  if (end === undefined) return undefined
  const lasts = minutesOf(end) - minutesOf(start)
  return allDay ? addDays(from, lasts / MINUTES_A_DAY) : wallTimeOf(minutesOf(from) + lasts)
}
