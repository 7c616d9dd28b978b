import type { Router } from '@koa/router'
import { renderMarkdown } from '../pages/markdown.ts'
import { links, teaser, text } from '../pages/models.ts'
import { scope } from '../project/site-rows.ts'
import type { ListingRow } from '../project/site-rows.ts'
import { upcoming } from './calendar.ts'
import type { WebContext } from './context.ts'
import { commentsOn } from './listing-pages.ts'
import { largeCovers } from './files-of-item.ts'
import { liveLine } from './live-line.ts'
import { showPage, wordingFor } from './page.ts'
import { may } from './may.ts'

const FEATURES = 5
const WIRE = 20
const CLOUD = 20
const EVENTS = 6
const SIDE = 6

/** The front page: what the newsroom puts forward, the newswire, what is coming up, and ways into everything else. */
export function homePage(router: Router, web: WebContext): void {
  const part = 'teaser' as const
  const wanted = {
    sticky: { scope: scope('sticky'), limit: 1, part },
    featured: { scope: scope('featured'), limit: FEATURES + 1, part },
    promoted: { scope: scope('promoted'), limit: 6, part },
    newswire: { scope: scope('newswire'), limit: WIRE + FEATURES + 1, part },
    media: { scope: scope('media'), limit: SIDE, part },
    links: { scope: scope('kind', 'link'), limit: SIDE, part },
    groups: { scope: scope('kind', 'group'), limit: SIDE, part },
    banner: { scope: scope('banner'), limit: 1, part },
    snippet: { scope: scope('snippet'), limit: 50, part },
  }
  router.get('/', may('read'), async (ctx) => {
    const wording = wordingFor(ctx)
    const [found, events] = await Promise.all([
      web.site.newest(wanted),
      upcoming(web, '', { limit: EVENTS, wording }),
    ])
    const all = Object.values(found).flat()
    const comments = commentsOn({ rows: all }, web)
    const teasers = (rows: readonly ListingRow[]) => rows.map((row) => teaser(row, wording, comments))
    const placed = new Set<string>()
    const once = (rows: readonly ListingRow[], limit: number) => {
      const fresh = rows.filter(({ item }) => !placed.has(item)).slice(0, limit)
      for (const { item } of fresh) placed.add(item)
      return fresh
    }
    // A site whose newsroom has put nothing forward leads with its newest.
    const forward = [...found.sticky, ...found.featured]
    const [lead] = once(forward.length > 0 ? forward : found.newswire, 1)
    const seconds = once(found.featured.length > 1 ? found.featured : found.newswire, FEATURES - 1)
    const promoted = once(found.promoted, 6)
    const wire = once(found.newswire, WIRE)
    const snippets = (spot: string) =>
      found.snippet
        .filter((row) => row.spot === spot)
        .map((row) => ({ ...teaser(row, wording), html: renderMarkdown(text(row.body)) }))
    const cloud = (vocabulary: 'tag' | 'place') => {
      const top = web.index.top(vocabulary, CLOUD)
      const paths = links(
        vocabulary,
        top.map(({ name }) => name),
      )
      return paths.map((entry, index) => ({ ...entry, count: top[index]?.count ?? 0 }))
    }
    const large = await largeCovers(web, lead, seconds)
    const live = liveLine(ctx, web, { path: '/newswire', at: '/', rows: found.newswire })
    const model = {
      live,
      large,
      lead: lead && teaser(lead, wording, comments),
      seconds: teasers(seconds),
      promoted: teasers(promoted),
      wire: teasers(wire),
      events,
      media: teasers(found.media),
      links: teasers(found.links),
      groups: teasers(found.groups),
      banner: teasers(found.banner)[0],
      front: snippets('front'),
      side: snippets('side'),
      tags: cloud('tag'),
      places: cloud('place'),
      description: web.config.site.description,
      current: 'home',
      feed: '/newswire',
    }
    await showPage(ctx, web, 'home', model, { scripts: live ? ['live'] : [] })
  })
}
