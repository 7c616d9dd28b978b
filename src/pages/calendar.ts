import { daysOf, monthWith, neighboursOf, showPeriod, weekWith } from '../calendar/period.ts'
import type { Period } from '../calendar/period.ts'
import { isOver } from '../calendar/occurrences.ts'
import { showRepeat } from '../calendar/repeat.ts'
import { addDays, minutesOf } from '../calendar/wall-time.ts'
import { isKnownZone } from '../calendar/zone.ts'
import { directionOf } from '../i18n/direction.ts'
import type { Wording } from '../i18n/wording.ts'
import type { CalendarRow, DayRow } from '../project/site-rows.ts'
import type { SiteItem } from '../project/site-item.ts'
import { noteTime } from '../reads.ts'
import { pathOf, text } from './models.ts'

/** Occurrences of a series that its page names. */
const NAMED = 8
const WHOLE_DAY = { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' } as const

type Times = Pick<CalendarRow, 'start' | 'end' | 'day' | 'lastDay' | 'allDay' | 'zone'>

/** One occurrence, ready for a template. */
export function eventTeaser(row: CalendarRow, wording: Wording) {
  const date = dayDate(row.day)
  const { format } = wording
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
    dayNumber: format(date, { day: 'numeric' }),
    month: format(date, { month: 'short' }),
    when: spanOf(row, wording),
    time: row.allDay ? '' : format(new Date(row.start), { ...zoneOf(row), timeStyle: 'short' }),
    zone: row.zone,
  }
}

/** "Tue, 24 Nov 2026, 19:00–21:00", by the clocks of the event's place. */
export function spanOf(times: Times, { format, formatRange }: Wording): string {
  if (times.allDay) {
    return times.day === times.lastDay
      ? format(dayDate(times.day), WHOLE_DAY)
      : formatRange(dayDate(times.day), dayDate(times.lastDay), WHOLE_DAY)
  }
  const options = { ...WHOLE_DAY, ...zoneOf(times), hour: '2-digit', minute: '2-digit' } as const
  const start = new Date(times.start)
  return times.end === times.start ? format(start, options) : formatRange(start, new Date(times.end), options)
}

/** A month, a week or a day with what takes place on its days, and the ways to others. */
export function periodModel(
  period: Period,
  rows: ReadonlyMap<string, readonly DayRow[]>,
  { path, shown, today, wording }: { path: string; shown: number; today: string; wording: Wording },
) {
  const { format } = wording
  const at = (other: Period) => `${path}/${showPeriod(other)}`
  const { previous, next } = neighboursOf(period)
  const days = daysOf(period).map((day) => {
    const all = rows.get(day) ?? []
    return {
      day,
      path: at({ view: 'day', day }),
      number: format(dayDate(day), { day: 'numeric' }),
      name: format(dayDate(day), { weekday: 'long', day: 'numeric', month: 'long' }),
      weekday: format(dayDate(day), { weekday: 'short' }),
      today: day === today,
      outside: period.view === 'month' && Number(day.slice(5, 7)) !== period.month,
      // On the days after its first one an occurrence has no time of its own.
      events: all.slice(0, shown).map((row) => ({ ...eventTeaser(row, wording), goesOn: row.day !== day })),
      more: all.length > shown,
    }
  })
  const first = days[period.view === 'month' ? 10 : 0]?.day ?? today
  const holdsToday = days.some((day) => day.today)
  const around = holdsToday ? today : first
  return {
    view: period.view,
    title: titleOf(period, wording),
    days,
    weeks: Array.from({ length: Math.ceil(days.length / 7) }, (_, week) =>
      days.slice(week * 7, week * 7 + 7),
    ),
    empty: days.every(({ events }) => events.length === 0),
    previous: previous && at(previous),
    next: next && at(next),
    views: {
      month: at(monthWith(around)),
      week: at(weekWith(around)),
      day: at({ view: 'day', day: around }),
    },
  }
}

/**
 * When an event takes place, for its page.
 *
 * @param now 0 for all its times, whatever the time is
 */
export function whenModel(item: SiteItem, wording: Wording, now: number) {
  const { zone, allDay, rrule, latitude, longitude } = item.fields as Record<string, string | undefined>
  const all = item.occurrences ?? []
  const coming = all.filter((one) => !isOver(one, new Date(now).toISOString()))
  if (now > 0) for (const { end } of coming) noteTime(Date.parse(end))
  const named = (coming.length > 0 ? coming : all.slice(-NAMED)).slice(0, NAMED)
  const times = named.map((one) => ({
    iso: one.start,
    text: spanOf({ ...one, zone: zone ?? 'UTC', ...(allDay ? { allDay: true as const } : {}) }, wording),
    title: one.title === item.fields.title ? '' : text(one.title),
    venue: text(one.venue),
    note: text(one.note),
    day: `/calendar/${one.day}`,
  }))
  const shown =
    rrule === undefined
      ? undefined
      : showRepeat(rrule, { start: text(item.fields.start), zone: zone ?? 'UTC' })
  return {
    times,
    over: all.length > 0 && coming.length === 0,
    more: coming.length > NAMED,
    repeats: shown && wording.t(`choice.repeat.${shown.repeat}`),
    until: shown?.until ? wording.format(dayDate(shown.until), { dateStyle: 'long' }) : '',
    zone,
    geo: latitude !== undefined && longitude !== undefined ? `${latitude},${longitude}` : '',
    file: `${pathOf(item.kind, item._id)}/calendar.ics`,
  }
}

/** An occurrence of a series by the local start that names it. */
export function occurrenceName(name: string, { format }: Wording): string {
  const date = new Date(minutesOf(name) * 60_000)
  return format(date, name.length === 10 ? WHOLE_DAY : { ...WHOLE_DAY, hour: '2-digit', minute: '2-digit' })
}

function titleOf(period: Period, { format, formatRange, t }: Wording): string {
  if (period.view === 'day') return format(dayDate(period.day), { dateStyle: 'full' })
  if (period.view === 'month') {
    const first = dayDate(`${String(period.year)}-${String(period.month).padStart(2, '0')}-01`)
    return format(first, { month: 'long', year: 'numeric' })
  }
  const [monday = ''] = daysOf(period)
  const span = formatRange(dayDate(monday), dayDate(addDays(monday, 6)), { dateStyle: 'long' })
  return t('calendar.weekOf', { week: String(period.week), span })
}

function dayDate(day: string): Date {
  return new Date(`${day}T00:00:00Z`)
}

function zoneOf({ zone }: Pick<Times, 'zone'>) {
  return { timeZone: isKnownZone(zone) ? zone : 'UTC' }
}
