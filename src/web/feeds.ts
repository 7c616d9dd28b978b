import type { Router } from '@koa/router'
import { wallTime } from '../ledger/clock.ts'
import { atomFeed, rssFeed } from '../pages/feeds.ts'
import type { FeedSite } from '../pages/feeds.ts'
import { scope } from '../project/site.ts'
import type { SiteItem } from '../project/site-item.ts'
import { answerText } from './conditional.ts'
import type { WebContext } from './context.ts'
import { publicUrl } from './page.ts'

const ENTRIES = 20

const FORMATS: Record<string, { type: string; make: (site: FeedSite, items: SiteItem[]) => string }> = {
  '/newswire.rss': { type: 'application/rss+xml; charset=utf-8', make: rssFeed },
  '/newswire.atom': { type: 'application/atom+xml; charset=utf-8', make: atomFeed },
}

/** Feeds of the newswire, with conditional requests. */
export function feedRoutes(router: Router, web: WebContext): void {
  const { site, config } = web
  for (const [path, { type, make }] of Object.entries(FORMATS)) {
    router.get(path, async (ctx) => {
      const { rows } = await site.list(scope('newswire'), { limit: ENTRIES })
      const items = await site.items(rows.map(({ item }) => item))
      const body = make({ ...config.site, url: publicUrl(ctx, web) }, items)
      const latest = items
        .map(({ updatedAt }) => updatedAt)
        .sort()
        .at(-1)
      answerText(ctx, { type, body, changed: latest === undefined ? undefined : new Date(wallTime(latest)) })
    })
  }
}
