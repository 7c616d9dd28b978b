import { addDays, isDay, minutesOf, weekdayOf } from './wall-time.ts'

/** What a page of the calendar shows: a month, a week of ISO 8601, or a day. */
export type Period =
  | { view: 'month'; year: number; month: number }
  | { view: 'week'; year: number; week: number }
  | { view: 'day'; day: string }

const DAYS_A_WEEK = 7

/**
 * Reads the last part of a calendar page's address: "2026/11", "2026-W47" or "2026-11-23"; nothing for what the
 * calendar of the years 1900 to 2199 does not have, or for another spelling of it.
 */
export function readPeriod(text: string): Period | undefined {
  if (isDay(text)) return { view: 'day', day: text }
  const [, monthYear, month] = /^(\d{4})\/(\d\d)$/u.exec(text) ?? []
  if (monthYear && isDay(`${monthYear}-${month}-01`))
    return { view: 'month', year: Number(monthYear), month: Number(month) }
  const [, weekYear, week] = /^(\d{4})-W(\d\d)$/u.exec(text) ?? []
  if (!weekYear || !isDay(`${weekYear}-01-01`)) return undefined
  const period = { view: 'week', year: Number(weekYear), week: Number(week) } as const
  return showPeriod(weekWith(mondayOf(period))) === text ? period : undefined
}

/** The reverse of {@link readPeriod}. */
export function showPeriod(period: Period): string {
  if (period.view === 'day') return period.day
  if (period.view === 'month') return `${period.year}/${twoDigits(period.month)}`
  return `${period.year}-W${twoDigits(period.week)}`
}

/** The days that a period's page shows: whole weeks for a month. */
export function daysOf(period: Period): string[] {
  if (period.view === 'day') return [period.day]
  return period.view === 'week' ? weekDays(mondayOf(period)) : monthDays(period.year, period.month)
}

/** The periods before and after, absent at the ends of the calendar. */
export function neighboursOf(period: Period): { previous?: Period; next?: Period } {
  const [previous, next] = [-1, 1].map((step) => readPeriod(showPeriod(moved(period, step))))
  return { ...(previous && { previous }), ...(next && { next }) }
}

/** The days of the whole weeks, from Monday, that touch a month: 28 to 42. */
export function monthDays(year: number, month: number): string[] {
  const first = firstOf(year, month)
  const last = addDays(firstOf(year, month + 1), -1)
  const monday = addDays(first, 1 - weekdayOf(first))
  const sunday = addDays(last, DAYS_A_WEEK - weekdayOf(last))
  return Array.from({ length: daysFrom(monday, sunday) + 1 }, (_, index) => addDays(monday, index))
}

/** The seven days, from Monday, of the week that a day is in. */
export function weekDays(day: string): string[] {
  const monday = addDays(day, 1 - weekdayOf(day))
  return Array.from({ length: DAYS_A_WEEK }, (_, index) => addDays(monday, index))
}

/** The week that a day is in: its year is that of its Thursday. */
export function weekWith(day: string): Period & { view: 'week' } {
  const thursday = addDays(day, 4 - weekdayOf(day))
  const year = Number(thursday.slice(0, 4))
  const week = Math.floor(daysFrom(`${year}-01-01`, thursday) / DAYS_A_WEEK) + 1
  return { view: 'week', year, week }
}

/** The month that a day is in. */
export function monthWith(day: string): Period & { view: 'month' } {
  return { view: 'month', year: Number(day.slice(0, 4)), month: Number(day.slice(5, 7)) }
}

function mondayOf({ year, week }: Period & { view: 'week' }): string {
  // 4 January is in the first week of its year.
  const fourth = `${year}-01-04`
  return addDays(fourth, 1 - weekdayOf(fourth) + (week - 1) * DAYS_A_WEEK)
}

function moved(period: Period, step: number): Period {
  if (period.view === 'day') return { view: 'day', day: addDays(period.day, step) }
  if (period.view === 'week') return weekWith(addDays(mondayOf(period), step * DAYS_A_WEEK))
  return monthWith(firstOf(period.year, period.month + step))
}

/** The first day of a month, where month 0 is the December before and 13 the January after. */
function firstOf(year: number, month: number): string {
  return new Date(Date.UTC(year, month - 1, 1)).toISOString().slice(0, 10)
}

function daysFrom(first: string, last: string): number {
  return (minutesOf(last) - minutesOf(first)) / (24 * 60)
}

function twoDigits(number: number): string {
  return String(number).padStart(2, '0')
}
