import type { Router } from '@koa/router'
import { HyperactiveError } from '../errors.ts'
import { calendarFile } from '../calendar/file/calendar-file.ts'
import type { CalendarEntry } from '../calendar/file/event.ts'
import type { EventFields } from '../calendar/fields.ts'
import { daysOf, monthWith, readPeriod, showPeriod, weekWith } from '../calendar/period.ts'
import type { Period } from '../calendar/period.ts'
import { addDays } from '../calendar/wall-time.ts'
import { wallTimeIn } from '../calendar/zone.ts'
import { toldTime, wallTime } from '../ledger/clock.ts'
import { eventTeaser, periodModel } from '../pages/calendar.ts'
import { pathOf, text } from '../pages/models.ts'
import { plainTextOf } from '../pages/plain-text.ts'
import type { SiteItem } from '../project/site-item.ts'
import { noteTime } from '../reads.ts'
import type { Wording } from '../i18n/wording.ts'
import { answerText } from './conditional.ts'
import type { WebContext } from './context.ts'
import { itemOf } from './item-of.ts'
import { findListing } from './listing-pages.ts'
import { LISTINGS } from './listings.ts'
import type { Listing, ListingRoute } from './listings.ts'
import { localPath, publicUrl, showPage, wordingFor } from './page.ts'
import type { PageRequest } from './page.ts'
import { may } from './may.ts'

const DAY_MS = 86_400_000
const QUARTER_MS = 15 * 60_000
/** With the clock change, and one more that governments think of. */
const LONGEST_DAY_MS = 27 * 3_600_000
const FAR = '9999-12-31'
const UPCOMING = 30
/** Events that a day shows on the page of its month, its week, and its own. */
const SHOWN = { month: 6, week: 20, day: 200 } as const
/** What a calendar file covers, and the most rows that are read and events that are written for one. */
const FILE = { daysBack: 31, daysAhead: 366, rows: 2_000, events: 500 } as const

/** The calendar of the whole site. It is in no listing: only its place in the calendar's view counts. */
const WHOLE: ListingRoute = {
  pattern: '/calendar',
  calendar: '/calendar',
  find: (_, { config }) => ({
    path: '/calendar',
    scope: { view: 'listing', prefix: [''] },
    title: config.site.name,
    calendar: '/calendar',
  }),
}

interface Calendar {
  path: string
  /** The scope of its rows in the view. */
  of: string
  /** Whose it is; nothing for the whole site's. */
  owner?: Listing
}

/** The calendars of the site and of each tag, place and group: what is coming up, months, weeks, days, and files. */
export function calendarPages(router: Router, web: WebContext): void {
  const whole = WHOLE.calendar
  for (const route of [WHOLE, ...LISTINGS]) {
    const { calendar: pattern } = route
    if (pattern === undefined) continue
    const answers: [string, (ctx: PageRequest, calendar: Calendar) => Promise<void>][] = [
      [pattern, (ctx, calendar) => showUpcoming(ctx, web, calendar)],
      [`${pattern}.ics`, (ctx, calendar) => showFile(ctx, web, calendar)],
      [`${pattern}/:year/:month`, (ctx, calendar) => showPeriodOf(ctx, web, calendar)],
      [`${pattern}/:period`, (ctx, calendar) => showPeriodOf(ctx, web, calendar)],
    ]
    for (const [address, answer] of answers)
      router.get(address, may('read'), async (ctx, next) => {
        if (!(await onCalendar(ctx, web, route, (calendar) => answer(ctx, calendar)))) await next()
      })
  }
  router.get('/events', may('read'), (ctx) => {
    ctx.status = 301
    ctx.redirect(localPath(ctx, whole ?? '/'))
  })
  router.get('/events/:item/calendar.ics', may('read'), async (ctx) => {
    const item = await itemOf(ctx, web)
    const hidden = item.standing.hidden
    const path = `${pathOf(item.kind, item._id)}/calendar.ics`
    answerFile(ctx, web, hidden ? [] : [item], { name: item.listing.title, path })
  })
}

async function onCalendar(
  ctx: PageRequest,
  web: WebContext,
  route: ListingRoute,
  answer: (calendar: Calendar) => Promise<void>,
): Promise<boolean> {
  const rest = ctx.path.split('/').slice(3).join('/')
  const found = await findListing(ctx, web, route, (path) => `${path}/${rest}`)
  if (found === 'elsewhere') return true
  if (!found) return false
  await answer({
    path: found.calendar ?? '/calendar',
    of: found.scope.prefix[0] ?? '',
    ...(route === WHOLE ? {} : { owner: found }),
  })
  return true
}

async function showUpcoming(ctx: PageRequest, web: WebContext, calendar: Calendar): Promise<void> {
  const wording = wordingFor(ctx)
  const events = await upcoming(web, calendar.of, { limit: UPCOMING, wording })
  const day = today(web)
  await showPage(ctx, web, 'calendar', {
    ...calendarModel(calendar),
    events,
    views: viewsOf(calendar, day),
    // What does not fit here stands on the page of the month of the last one.
    later:
      events.length === UPCOMING && `${calendar.path}/${showPeriod(monthWith(events.at(-1)?.day ?? day))}`,
    title: wording.t('calendar.upcoming'),
  })
}

async function showPeriodOf(ctx: PageRequest, web: WebContext, calendar: Calendar): Promise<void> {
  const wording = wordingFor(ctx)
  const { year, month, period: named = `${year ?? ''}/${month ?? ''}` } = ctx.params
  const period = readPeriod(named)
  if (!period) throw new HyperactiveError('unknown_period', wording.t('error.unknownPeriod'), { status: 404 })
  const shown = SHOWN[period.view]
  const rows = await web.site.calendarDays(calendar.of, daysOf(period), shown + 1)
  const model = periodModel(period, rows, { path: calendar.path, shown, today: today(web), wording })
  await showPage(ctx, web, 'period', {
    ...calendarModel(calendar),
    ...model,
    robots: model.empty ? 'noindex, nofollow' : undefined,
  })
}

async function showFile(ctx: PageRequest, web: WebContext, { of, path, owner }: Calendar): Promise<void> {
  const items = await eventsAround(web, of)
  const name = owner ? `${owner.title} · ${web.config.site.name}` : web.config.site.name
  answerFile(ctx, web, items, { name, path: `${path}.ics` })
}

function calendarModel({ path, owner }: Calendar) {
  return {
    calendarPath: path,
    owner: owner && { title: owner.title, path: owner.path, kicker: owner.kicker },
    file: `${path}.ics`,
    current: 'calendar',
  }
}

function viewsOf({ path }: Calendar, day: string) {
  const at = (period: Period) => `${path}/${showPeriod(period)}`
  return { month: at(monthWith(day)), week: at(weekWith(day)), day: at({ view: 'day', day }) }
}

/** The local day that it is now in the site's time zone. */
export function today({ config }: Pick<WebContext, 'config'>): string {
  const now = Date.now()
  const dayAt = (ms: number) => wallTimeIn(config.site.timeZone, new Date(ms).toISOString()).slice(0, 10)
  const day = dayAt(now)
  // Wherever it is midnight, a quarter of an hour begins: the first one of the next day is looked for.
  let [same, next] = [Math.floor(now / QUARTER_MS), Math.floor((now + LONGEST_DAY_MS) / QUARTER_MS)]
  while (next - same > 1) {
    const middle = Math.floor((same + next) / 2)
    if (dayAt(middle * QUARTER_MS) === day) same = middle
    else next = middle
  }
  noteTime(next * QUARTER_MS)
  return day
}

/**
 * The next occurrences, those that have begun and last included, each once.
 *
 * @param of '' for all, or the scope of a group, tag or place
 */
export async function upcoming(
  { site }: Pick<WebContext, 'site'>,
  of: string,
  { limit, wording, now = Date.now() }: { limit: number; wording: Wording; now?: number },
) {
  const from = new Date(now - DAY_MS).toISOString().slice(0, 10)
  noteTime(now - (now % DAY_MS) + DAY_MS)
  // Some of yesterday's are over, and one that lasts has a row for each day.
  const { rows } = await site.calendar(of, { from, to: FAR, limit: limit * 2 + 10 })
  const seen = new Set<string>()
  const events = []
  for (const row of rows) {
    const name = `${row.item} ${row.occurrence}`
    if (Date.parse(row.end) <= now || seen.has(name)) continue
    seen.add(name)
    noteTime(Date.parse(row.end))
    events.push(eventTeaser(row, wording))
    if (events.length === limit) break
  }
  return events
}

/** The events of a calendar from a month ago to a year ahead, as many as a file holds. */
async function eventsAround({ site, config }: WebContext, of: string): Promise<SiteItem[]> {
  const now = today({ config })
  const { rows } = await site.calendar(of, {
    from: addDays(now, -FILE.daysBack),
    to: addDays(now, FILE.daysAhead),
    limit: FILE.rows,
  })
  const items = [...new Set(rows.map(({ item }) => item))].slice(0, FILE.events)
  return (await site.items(items)).filter(({ standing }) => !standing.hidden)
}

function answerFile(
  ctx: PageRequest,
  web: WebContext,
  items: readonly SiteItem[],
  { name, path }: { name: string; path: string },
): void {
  const url = publicUrl(ctx, web)
  const entries = items.map((item) => entryOf(item, url))
  const body = calendarFile(entries, {
    name,
    url: url + path,
    description: web.config.site.description,
    language: web.config.site.language,
  })
  const latest = items
    .map(({ updatedAt }) => updatedAt)
    .sort()
    .at(-1)
  // A time that holds the day alone does not rise with each change: then only the entity tag tells.
  const tells = items.every(({ listing }) => !listing.dayOnly)
  const changed = latest === undefined || !tells ? undefined : new Date(wallTime(latest))
  answerText(ctx, { type: 'text/calendar; charset=utf-8', body, changed })
}

function entryOf(item: SiteItem, url: string): CalendarEntry {
  const { _id, kind, at, updatedAt, fields, listing, graph } = item
  const told = (time: string) => (listing.dayOnly ? new Date(toldTime(time, true)).toISOString() : time)
  const description = [text(fields.summary), plainTextOf(text(fields.body))]
    .filter((part) => part !== '')
    .join('\n\n')
  return {
    item: _id,
    fields: { ...(fields as unknown as EventFields), title: listing.title, tags: listing.tags },
    at: told(at),
    updatedAt: told(updatedAt),
    sequence: Object.keys(graph).length - 1,
    url: url + pathOf(kind, _id),
    description,
  }
}
