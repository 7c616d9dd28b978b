import type { Router } from '@koa/router'
import type { Wording } from '../i18n/wording.ts'
import { directionOf } from '../i18n/direction.ts'
import { pathOf } from '../pages/models.ts'
import type { CalendarRow } from '../project/site.ts'
import type { WebContext } from './context.ts'
import { showPage, wordingFor } from './page.ts'

const DAY_MS = 86_400_000
const FAR = '9999-12-31'
const UPCOMING = 30

/** The calendar: what is coming up. */
export function calendarPages(router: Router, web: WebContext): void {
  router.get('/calendar', async (ctx) => {
    const wording = wordingFor(ctx)
    const events = await upcoming(web, '', { limit: UPCOMING, wording })
    const title = wording.t('calendar.upcoming')
    await showPage(ctx, web, 'calendar', { events, title, current: 'calendar' })
  })
}

/**
 * The next occurrences, those that have begun and last included, each once.
 *
 * @param of '' for all, or the scope of a group, tag or place
 */
export async function upcoming(
  { site }: WebContext,
  of: string,
  { limit, wording, now = Date.now() }: { limit: number; wording: Wording; now?: number },
) {
  const from = new Date(now - DAY_MS).toISOString().slice(0, 10)
  // Some of yesterday's are over, and one that lasts has a row for each day.
  const { rows } = await site.calendar(of, { from, to: FAR, limit: limit * 2 + 10 })
  const seen = new Set<string>()
  const events = []
  for (const row of rows) {
    const name = `${row.item} ${row.occurrence}`
    if (Date.parse(row.end) <= now || seen.has(name)) continue
    seen.add(name)
    events.push(eventTeaser(row, wording))
    if (events.length === limit) break
  }
  return events
}

/** One occurrence, ready for a template. */
export function eventTeaser(row: CalendarRow, { format }: Wording) {
  const start = new Date(row.start)
  const zone = { timeZone: row.zone }
  const at = row.allDay ? { timeZone: 'UTC' } : zone
  const date = row.allDay ? new Date(`${row.day}T00:00:00Z`) : start
  return {
    path: pathOf('event', row.item),
    title: row.title,
    venue: row.venue ?? '',
    status: row.status,
    language: row.language,
    direction: directionOf(row.language),
    iso: row.start,
    day: row.day,
    lastDay: row.lastDay,
    dayNumber: format(date, { ...at, day: 'numeric' }),
    month: format(date, { ...at, month: 'short' }),
    weekday: format(date, { ...at, weekday: 'long' }),
    date: format(date, { ...at, weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' }),
    time: row.allDay ? '' : format(start, { ...zone, timeStyle: 'short' }),
    zone: row.zone,
  }
}
