import type { Router } from '@koa/router'
import { isDay } from '../calendar/wall-time.ts'
import { HyperactiveError } from '../errors.ts'
import { allKinds } from '../kinds/base/registry.ts'
import { toldTime, wallTime } from '../ledger/clock.ts'
import { pathOf } from '../pages/models.ts'
import { xmlDocument } from '../pages/xml.ts'
import type { Element } from '../pages/xml.ts'
import { scope } from '../project/site-rows.ts'
import type { ListingRow, Scope } from '../project/site-rows.ts'
import { answerText } from './conditional.ts'
import { noteTime } from '../reads.ts'
import type { WebContext } from './context.ts'
import { publicUrl, wordingFor } from './page.ts'
import type { PageRequest } from './page.ts'
import { may } from './may.ts'

const XML = 'application/xml; charset=utf-8'
const SITEMAP = { xmlns: 'http://www.sitemaps.org/schemas/sitemap/0.9' }
const NEWS = { ...SITEMAP, 'xmlns:news': 'http://www.google.com/schemas/sitemap-news/0.9' }
/** A month with more entries has a file for each of its days. */
const MOST_IN_MONTH = 5_000
/** The protocol's limit is 50,000; what is beyond this on one day or in one kind, crawlers find in the listings. */
const MOST_IN_FILE = 10_000
const MOST_MONTHS = 1_200
/** The news sitemap holds two days, at most 1,000 entries. */
const NEWS_DAYS = 2
const MOST_NEWS = 1_000
/** Kinds that are parts of pages, not pages. */
const PIECES = new Set(['snippet', 'term'])
const DAY_MS = 86_400_000

/** What crawlers are told: the addresses of everything that is listed, what is news, and where not to go. */
export function sitemapRoutes(router: Router, web: WebContext): void {
  const { site, index } = web
  /** Kinds that are not in the newswire have files of their own. */
  const others = allKinds().filter(
    (kind) => !PIECES.has(kind.name) && !kind.sections({}).includes('newswire'),
  )

  router.get('/robots.txt', may('read'), (ctx) => {
    const closed = [
      '/publish',
      '/gateway/',
      '/search',
      '/comments/',
      '/clashes',
      '/*/edit/',
      '/*/published/',
      '/*/history',
      '/*/versions/',
      '/*/changes/',
    ]
    const lines = [
      'User-agent: *',
      ...closed.map((path) => `Disallow: ${path}`),
      '',
      `Sitemap: ${publicUrl(ctx, web)}/sitemap.xml`,
    ]
    answerText(ctx, { type: 'text/plain; charset=utf-8', body: `${lines.join('\n')}\n` })
  })
  router.get('/sitemap.xml', may('read'), (ctx) => {
    const url = publicUrl(ctx, web)
    const months = index.names('month', { limit: MOST_MONTHS })
    const names = [
      ...others.map(({ path }) => path),
      ...months.flatMap(({ name, count }) => (count > MOST_IN_MONTH ? daysIn(name) : [name])),
    ]
    const entries = names.map((name): Element => ['sitemap', [['loc', `${url}/sitemap/${name}.xml`]]])
    answerText(ctx, { type: XML, body: xmlDocument(['sitemapindex', entries, SITEMAP]) })
  })
  router.get('/sitemap/:name.xml', may('read'), async (ctx) => {
    const found = scopeOf(ctx.params.name ?? '')
    if (!found)
      throw new HyperactiveError('unknown_period', wordingFor(ctx).t('error.unknownPeriod'), { status: 404 })
    const { rows } = await site.list(found, { limit: MOST_IN_FILE })
    const url = publicUrl(ctx, web)
    answerRows(ctx, rows, SITEMAP, (row) => [
      'url',
      [
        ['loc', url + pathOf(row.kind, row.item)],
        ['lastmod', isoOf(row.updatedAt, row)],
      ],
    ])
  })
  router.get('/sitemap-news.xml', may('read'), async (ctx) => {
    const since = new Date(Date.now() - NEWS_DAYS * DAY_MS).toISOString()
    const { rows } = await site.list({ ...scope('newswire'), from: since }, { limit: MOST_NEWS })
    // Until the oldest one is too old.
    const oldest = rows.at(-1)
    if (oldest) noteTime(wallTime(oldest.at) + NEWS_DAYS * DAY_MS + 1)
    const url = publicUrl(ctx, web)
    answerRows(ctx, rows, NEWS, (row) => [
      'url',
      [
        ['loc', url + pathOf(row.kind, row.item)],
        [
          'news:news',
          [
            [
              'news:publication',
              [
                ['news:name', web.config.site.name],
                ['news:language', row.language],
              ],
            ],
            ['news:publication_date', isoOf(row.at, row)],
            ['news:title', row.title],
          ],
        ],
      ],
    ])
  })

  function scopeOf(name: string): Scope | undefined {
    const kind = others.find(({ path }) => path === name)
    if (kind) return scope('kind', kind.name)
    return isDay(name) || (/^\d{4}-\d\d$/.test(name) && isDay(`${name}-01`))
      ? { ...scope('newswire'), from: name, to: `${name}~` }
      : undefined
  }
}

function answerRows(
  ctx: PageRequest,
  rows: readonly ListingRow[],
  names: Readonly<Record<string, string>>,
  elementOf: (row: ListingRow) => Element,
): void {
  answerText(ctx, { type: XML, body: xmlDocument(['urlset', rows.map(elementOf), names]) })
}

function daysIn(month: string): string[] {
  const days = Array.from({ length: 31 }, (_, index) => `${month}-${String(index + 1).padStart(2, '0')}`)
  return days.filter(isDay)
}

function isoOf(at: string, { dayOnly }: ListingRow): string {
  return new Date(toldTime(at, dayOnly === true)).toISOString()
}
