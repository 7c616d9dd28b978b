import type { Router } from '@koa/router'
import { changedAt, commentEntry, FEED_FORMATS, itemEntry } from '../pages/feeds.ts'
import type { Feed, FeedEntry, FeedFormat } from '../pages/feeds.ts'
import { dayStart } from '../ledger/clock.ts'
import { pathOf, placeText } from '../pages/models.ts'
import type { ListingRow } from '../project/site-rows.ts'
import { answerText } from './conditional.ts'
import type { WebContext } from './context.ts'
import { itemOf } from './item-of.ts'
import { findListing, pageQuery } from './listing-pages.ts'
import { LISTINGS } from './listings.ts'
import { localPath, publicUrl, wordingFor } from './page.ts'
import type { PageRequest } from './page.ts'
import { may } from './may.ts'

/** Entries of a feed. */
const ENTRIES = 20
const FORMATS = Object.keys(FEED_FORMATS) as FeedFormat[]

/** A feed of every listing and of the comments on every item, in three formats, with conditional requests. */
export function feedRoutes(router: Router, web: WebContext): void {
  for (const format of FORMATS) {
    for (const from of [`/feed.${format}`, `/newswire.${format}`]) {
      router.get(from, may('read'), (ctx) => {
        ctx.status = 301
        ctx.redirect(localPath(ctx, `/newswire/feed.${format}`))
      })
    }
    for (const route of LISTINGS) {
      router.get(`${route.pattern}/feed.${format}`, may('read'), async (ctx, next) => {
        const found = await findListing(ctx, web, route, (path) => `${path}/feed.${format}`)
        if (found === undefined) await next()
        if (found === undefined || found === 'elsewhere') return
        const { rows, older } = await web.site.list(found.scope, {
          ...pageQuery(ctx, ENTRIES),
          part: 'place',
        })
        const entries = await entriesOf(ctx, web, rows)
        const place = older && `?before=${placeText(older)}`
        answerFeed(ctx, web, format, { path: found.path, title: found.title, entries, older: place })
      })
    }
    router.get(`/:kind/:item/feed.${format}`, may('read'), async (ctx) => {
      const item = await itemOf(ctx, web)
      const { title } = item.listing
      const rows = item.standing.hidden ? [] : await web.site.newestComments(item._id, ENTRIES)
      const entries = rows.map((row) => commentEntry(row, title, publicUrl(ctx, web)))
      const named = wordingFor(ctx).t('comments.on', { title })
      answerFeed(ctx, web, format, { path: pathOf(item.kind, item._id), title: named, entries })
    })
  }
}

/** Answers with a feed of what stands at a path. */
export function answerFeed(
  ctx: PageRequest,
  web: WebContext,
  format: FeedFormat,
  listing: { path: string; title: string; query?: string; entries: FeedEntry[]; older?: string | undefined },
): void {
  const { name, description, language } = web.config.site
  const { title, entries, older, query = '' } = listing
  const url = publicUrl(ctx, web) + localPath(ctx, listing.path)
  const feed: Feed = {
    title: `${title} · ${name}`,
    description,
    language,
    url: url + query,
    self: `${url}/feed`,
    older: older && `${url}/feed${older}`,
    entries,
  }
  const { type, make } = FEED_FORMATS[format]
  // A time that holds the day alone does not rise with each change: then only the entity tag tells.
  const changed = entries.some(({ updated }) => isDay(updated)) ? undefined : changedAt(feed)
  answerText(ctx, { type, body: make(feed), changed })
}

function isDay(time: Date): boolean {
  return dayStart(time.getTime()) === time.getTime()
}

/** What rows of a listing stand for, in their order: items, and the comments among them. */
export async function entriesOf(
  ctx: PageRequest,
  web: WebContext,
  rows: readonly Pick<ListingRow, 'item' | 'of'>[],
): Promise<FeedEntry[]> {
  const url = publicUrl(ctx, web)
  const wording = wordingFor(ctx)
  const ids = rows.flatMap(({ item, of }) => (of === undefined ? [item] : [item, of]))
  const documents = await web.site.documents([...new Set(ids)], 'entry')
  return rows.flatMap(({ item, of }) => {
    const document = documents.get(item)
    if (document?.standing.hidden) return []
    if (document?.type === 'item') return [itemEntry(document, url, wording)]
    const on = of === undefined ? undefined : documents.get(of)
    return document?.type === 'comment' && on?.type === 'item' && !on.standing.hidden
      ? [commentEntry(document, on.listing.title, url)]
      : []
  })
}
