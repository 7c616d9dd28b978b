const DAY = /^(?:19|20|21)\d\d-\d\d-\d\d$/u
const TIME = /^([01]\d|2[0-3]):[0-5]\d$/u

export const MINUTES_A_DAY = 24 * 60

/** Whether a text is a day that the calendar has, of the years 1900 to 2199: "2026-11-23". */
export function isDay(text: string): boolean {
  if (!DAY.test(text)) return false
  const minutes = minutesOf(text)
  return !Number.isNaN(minutes) && dayOf(minutes) === text
}

/** Whether a text is a local time, "2026-11-23T19:00". It may fall into the gap of a clock that goes forward. */
export function isWallTime(text: string): boolean {
  return text[10] === 'T' && isDay(text.slice(0, 10)) && TIME.test(text.slice(11))
}

/** Minutes from 1970-01-01T00:00 to a day's beginning or a local time, as if every day had 24 hours. */
export function minutesOf(text: string): number {
  return Date.parse(`${text.slice(0, 10)}T${text.slice(11) || '00:00'}Z`) / 60_000
}

/** The reverse of {@link minutesOf}: "2026-11-23T19:00". */
export function wallTimeOf(minutes: number): string {
  return new Date(minutes * 60_000).toISOString().slice(0, 16)
}

/** The day of {@link minutesOf}: "2026-11-23". */
export function dayOf(minutes: number): string {
  return wallTimeOf(minutes).slice(0, 10)
}

/** The day that is a number of days later, or earlier. */
export function addDays(day: string, days: number): string {
  return dayOf(minutesOf(day) + days * MINUTES_A_DAY)
}

/** 1 for Monday to 7 for Sunday (ISO 8601). */
export function weekdayOf(day: string): number {
  return new Date(minutesOf(day.slice(0, 10)) * 60_000).getUTCDay() || 7
}
