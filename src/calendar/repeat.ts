import type { EventFields, Problem } from './fields.ts'
import { readRule, type Rule } from './rule.ts'
import { lastMoment, seriesOf } from './series.ts'
import { addDays, isDay, isWallTime, weekdayOf } from './wall-time.ts'

/** How often an event takes place, as the form's simple controls have it. */
export const REPEATS = [
  'none',
  'daily',
  'weekly',
  'fortnightly',
  /** On the date of the start; months without that date are left out. */
  'monthly',
  /** On the same weekday of the month as the start: "second Tuesday". */
  'monthly-weekday',
  'monthly-last-weekday',
  'yearly',
] as const

export type Repeat = (typeof REPEATS)[number]

/** What the form's controls for repeating hold. `custom` stands for a rule that they cannot show. */
export interface RepeatInput {
  repeat: string
  /** The last day on which an occurrence may begin. */
  until: string
}

const WEEKDAYS = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU']

/** Which weekday of its month a day is: the second Tuesday; the last one, too, if it is that. */
export function weekdayOfMonth(start: string): { weekday: number; nth: number; last: boolean } {
  const [year, month, day] = start.slice(0, 10).split('-').map(Number) as [number, number, number]
  const days = new Date(Date.UTC(year, month, 0)).getUTCDate()
  return { weekday: weekdayOf(start), nth: Math.ceil(day / 7), last: day + 7 > days }
}

/**
 * The rule for what the controls hold, or what is wrong with it by the control's name. `custom` keeps `kept`, the rule
 * that the event has. An event whose start is not valid gets no rule and no problem here: {@link eventProblems} says
 * what is wrong with it.
 */
export function readRepeat(
  { repeat, until }: RepeatInput,
  event: Pick<EventFields, 'start' | 'allDay' | 'zone'>,
  kept?: string,
): { rrule?: string; problems: Problem[] } {
  if (repeat === '' || repeat === 'none') return { problems: [] }
  if (repeat === 'custom') return kept === undefined ? wrong('repeat') : { rrule: kept, problems: [] }
  if (!REPEATS.includes(repeat as Repeat)) return wrong('repeat')
  if (!(event.allDay ? isDay : isWallTime)(event.start)) return { problems: [] }
  if (until === '') return wrong('until', 'is missing')
  if (!isDay(until)) return wrong('until', 'is not a day such as 2026-11-23')
  const { nth, last } = weekdayOfMonth(event.start)
  if (repeat === 'monthly-weekday' && nth === 5)
    return wrong('repeat', 'counts to the fourth weekday of a month; choose the last')
  if (repeat === 'monthly-last-weekday' && !last)
    return wrong('repeat', 'needs a start on the last such weekday of its month')
  const rrule = `${partsOf(repeat as Repeat, event.start)};UNTIL=${until.replaceAll('-', '')}`
  const series = seriesOf({ ...event, rrule })
  if (typeof series === 'string') return wrong('until', series.replace(/^ends/u, 'is'))
  return { rrule, problems: [] }
}

/** What the controls show for a rule. */
export function showRepeat(
  rrule: string | undefined,
  { start, zone }: Pick<EventFields, 'start' | 'zone'>,
): RepeatInput {
  if (rrule === undefined) return { repeat: 'none', until: '' }
  const rule = readRule(rrule)
  if (typeof rule === 'string') return { repeat: 'custom', until: '' }
  const until = lastDayOf(rule, start, zone)
  const repeat = until && REPEATS.find((name) => name !== 'none' && isSame(rule, partsOf(name, start), start))
  return repeat ? { repeat, until } : { repeat: 'custom', until: until ?? '' }
}

/** The last day on which an occurrence may begin: not that of a rule that ends before the time of the start. */
function lastDayOf(rule: Rule, start: string, zone: string): string | undefined {
  const moment = lastMoment(rule, zone)
  if (!moment) return undefined
  const day = moment.slice(0, 10)
  return moment.slice(11) < start.slice(11) ? addDays(day, -1) : day
}

function partsOf(repeat: Repeat, start: string): string {
  const { weekday, nth } = weekdayOfMonth(start)
  const name = WEEKDAYS[weekday - 1]
  return {
    none: '',
    daily: 'FREQ=DAILY',
    weekly: 'FREQ=WEEKLY',
    fortnightly: 'FREQ=WEEKLY;INTERVAL=2',
    monthly: 'FREQ=MONTHLY',
    'monthly-weekday': `FREQ=MONTHLY;BYDAY=${nth}${name}`,
    'monthly-last-weekday': `FREQ=MONTHLY;BYDAY=-1${name}`,
    yearly: 'FREQ=YEARLY',
  }[repeat]
}

/** Whether a rule says the same as a control's: what it repeats about its start says nothing more. */
function isSame(rule: Rule, parts: string, start: string): boolean {
  const { weekday } = weekdayOfMonth(start)
  const said: Record<string, string[]> = {
    INTERVAL: ['1'],
    WKST: ['MO'],
    ...(rule.freq === 'WEEKLY' && { BYDAY: [WEEKDAYS[weekday - 1] ?? ''] }),
    ...(rule.freq === 'MONTHLY' &&
      !rule.parts.has('BYDAY') && { BYMONTHDAY: [String(Number(start.slice(8, 10)))] }),
  }
  const written = [...rule.parts]
    .filter(([name, value]) => !said[name]?.includes(value))
    .map(([name, value]) => `${name}=${value.replaceAll('+', '')}`)
  return written.sort().join(';') === parts.split(';').sort().join(';')
}

function wrong(field: string, problem = `is not one of ${REPEATS.join(', ')}`): { problems: Problem[] } {
  return { problems: [{ field, problem }] }
}
