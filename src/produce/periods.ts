import { monthWith, readPeriod, showPeriod, weekWith } from '../calendar/period.ts'
import { isDay } from '../calendar/wall-time.ts'
import { wallTimeIn } from '../calendar/zone.ts'
import type { Site } from '../project/site.ts'
import { noteTime } from '../reads.ts'

const ROWS = 2000
const QUARTER_MS = 15 * 60_000
const [FIRST_DAY, LAST_DAY] = ['1900-01-01', '2199-12-31']

/** What pages note that lead to a period of the calendar, as long as it has a page, or as soon as it has one. */
export function periodName(period: string): string {
  return `period:${period}`
}

/** The months, weeks and days of the calendar that a produced site has: those with events, and those of today. */
export async function periodsWithEvents(
  site: Pick<Site, 'calendar'>,
  timeZone: string,
): Promise<Set<string>> {
  const now = Date.now()
  // Wherever it is midnight, a quarter of an hour begins.
  noteTime(now - (now % QUARTER_MS) + QUARTER_MS)
  const days = new Set([wallTimeIn(timeZone, new Date(now).toISOString()).slice(0, 10)])
  let after: readonly unknown[] | undefined
  do {
    const range = { from: FIRST_DAY, to: LAST_DAY, limit: ROWS, ...(after ? { after } : {}) }
    const { rows, next } = await site.calendar('', range)
    for (const { onDay } of rows) if (isDay(onDay)) days.add(onDay)
    after = next
  } while (after)
  const periods = new Set<string>()
  for (const day of days)
    for (const period of [day, showPeriod(weekWith(day)), showPeriod(monthWith(day))])
      if (readPeriod(period)) periods.add(period)
  return periods
}

/** The months among periods. */
export function monthsAmong(periods: Iterable<string>): string[] {
  return [...periods].filter((period) => period.includes('/'))
}
