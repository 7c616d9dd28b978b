import type { Router } from '@koa/router'
import { HyperactiveError } from '../errors.ts'
import type { Wording } from '../i18n/wording.ts'
import { pathOf, teaser, text, texts } from '../pages/models.ts'
import { playlistOf } from '../pages/podcast.ts'
import { scope } from '../project/site-rows.ts'
import type { SiteItem } from '../project/site-item.ts'
import { feedsOf } from '../syndication/feed-documents.ts'
import { upcoming } from './calendar.ts'
import { answerText } from './conditional.ts'
import type { WebContext } from './context.ts'
import { itemOf } from './item-of.ts'
import { commentsOn } from './listing-pages.ts'
import { groupScope } from './listings.ts'
import { wordingFor } from './page.ts'
import { may } from './may.ts'
import { playedLinks } from './played-links.ts'

const WIRE = 10
const EVENTS = 5
const FEED_ENTRIES = 8

/** What a group's page shows beside what the group says of itself. */
export async function groupExtra(item: SiteItem, web: WebContext, wording: Wording) {
  const of = scope('group', groupScope(item))
  const [{ rows }, events, feeds] = await Promise.all([
    web.site.list(of, { limit: WIRE, part: 'teaser' }),
    upcoming(web, of.prefix[0] ?? '', { limit: EVENTS, wording }),
    feedsOf(web.site.database, texts(item.fields.feeds)),
  ])
  const path = pathOf(item.kind, item._id)
  const comments = commentsOn({ rows }, web)
  return {
    wire: rows.map((row) => teaser(row, wording, comments)),
    events,
    ...playedLinks({ path, scope: of }, rows),
    newswirePath: `${path}/newswire`,
    calendarPath: `${path}/calendar`,
    publishPath: item.fields.open === true ? `/publish/article?group=${item._id}` : undefined,
    feeds: feeds
      .filter(({ entries }) => entries.length > 0)
      .map(({ title, address, entries }) => ({
        title: title || new URL(address).hostname,
        entries: entries.slice(0, FEED_ENTRIES).map(({ date, ...entry }) => ({
          ...entry,
          day: date === undefined ? '' : wording.format(new Date(date), { dateStyle: 'medium' }),
        })),
      })),
    playlist: tracksOf(item),
    playlistPath: `${path}/playlist.m3u`,
  }
}

/** A group's playlist, as players take it (M3U, extended). */
export function groupRoutes(router: Router, web: WebContext): void {
  router.get('/groups/:item/playlist.m3u', may('read'), async (ctx) => {
    const item = await itemOf(ctx, web)
    const tracks = item.standing.hidden ? [] : tracksOf(item)
    if (tracks.length === 0)
      throw new HyperactiveError('unknown_item', wordingFor(ctx).t('error.unknownItem'), { status: 404 })
    const body = playlistOf(item.listing.title, tracks)
    answerText(ctx, { type: 'audio/x-mpegurl; charset=utf-8', body })
  })
}

function tracksOf({ fields }: SiteItem): { title: string; address: string }[] {
  const list = Array.isArray(fields.playlist) ? (fields.playlist as Record<string, unknown>[]) : []
  // Neither can have a line break: the schema sees to titles, and an address is written as URLs are.
  return list.flatMap(({ title, address }) =>
    URL.canParse(text(address)) ? [{ title: text(title), address: new URL(text(address)).href }] : [],
  )
}
