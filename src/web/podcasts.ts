import type { Router } from '@koa/router'
import { HyperactiveError } from '../errors.ts'
import { episodesOf, imageOf, playlistOf, podcastFeed, tracksIn } from '../pages/podcast.ts'
import type { Scope } from '../project/site-rows.ts'
import type { SiteItem } from '../project/site-item.ts'
import { answerText } from './conditional.ts'
import type { WebContext } from './context.ts'
import { findListing } from './listing-pages.ts'
import { LISTINGS } from './listings.ts'
import type { Listing, ListingRoute } from './listings.ts'
import { localPath, publicUrl, wordingFor } from './page.ts'
import type { PageRequest } from './page.ts'
import { may } from './may.ts'
import { placeOf, PLAYLIST, PODCAST } from './played-links.ts'

/** The newest items that a podcast, and that a playlist is made of. */
const PODCAST_ITEMS = 50
const PLAYLIST_ITEMS = 100

/** Podcasts of groups, tags and the kind audio, and playlists of tags and of the kinds audio and video. */
export function podcastRoutes(router: Router, web: WebContext): void {
  for (const route of found('/tags/:name')) {
    router.get(`/tags/:name/${PODCAST}`, may('read'), (ctx) => answerPodcast(ctx, web, route))
    router.get(`/tags/:name/${PLAYLIST}`, may('read'), (ctx) => answerPlaylist(ctx, web, route))
  }
  for (const route of found('/groups/:group/newswire'))
    router.get(`/groups/:group/${PODCAST}`, may('read'), (ctx) => answerPodcast(ctx, web, route))
  for (const route of found('/:kind')) {
    const at = (kind: string, file: string, answer: typeof answerPodcast) =>
      router.get(`/${kind}/${file}`, may('read'), (ctx) => {
        ctx.params.kind = kind
        return answer(ctx, web, route)
      })
    at('audio', PODCAST, answerPodcast)
    at('audio', PLAYLIST, answerPlaylist)
    at('videos', PLAYLIST, answerPlaylist)
  }
}

function found(pattern: string): ListingRoute[] {
  return LISTINGS.filter((route) => route.pattern === pattern)
}

async function answerPodcast(ctx: PageRequest, web: WebContext, route: ListingRoute): Promise<void> {
  const listing = await listingAt(ctx, web, route, PODCAST)
  if (!listing) return
  const items = await itemsIn(web, [scopeOf(listing.scope, 'sound')], PODCAST_ITEMS)
  const url = publicUrl(ctx, web)
  const episodes = items.flatMap((item) => episodesOf(item, url))
  if (listing.named && episodes.length === 0) throw nothing(ctx)
  const { name, description, language } = web.config.site
  const { group } = ctx.params
  const own = group === undefined ? undefined : await web.site.item(group)
  const image = (own && imageOf(own, url)) ?? items.map((item) => imageOf(item, url)).find(Boolean)
  const place = url + localPath(ctx, placeOf(listing.path))
  const body = podcastFeed({
    title: `${listing.title} · ${name}`,
    description: own?.listing.summary || description || name,
    language,
    author: own?.listing.title ?? name,
    url: url + localPath(ctx, listing.path),
    self: `${place}/${PODCAST}`,
    image,
    episodes,
  })
  answerText(ctx, { type: 'application/rss+xml; charset=utf-8', body })
}

async function answerPlaylist(ctx: PageRequest, web: WebContext, route: ListingRoute): Promise<void> {
  const listing = await listingAt(ctx, web, route, PLAYLIST)
  if (!listing) return
  const scopes = [...new Set(['sound', 'film'].map((sort) => scopeOf(listing.scope, sort).prefix[0]))]
  const found = scopes.map((prefix = '') => ({ ...listing.scope, prefix: [prefix] }))
  const items = await itemsIn(web, found, PLAYLIST_ITEMS)
  const tracks = items.flatMap((item) => tracksIn(item, publicUrl(ctx, web)))
  if (tracks.length === 0) throw nothing(ctx)
  answerText(ctx, { type: 'audio/x-mpegurl; charset=utf-8', body: playlistOf(listing.title, tracks) })
}

async function listingAt(
  ctx: PageRequest,
  web: WebContext,
  route: ListingRoute,
  file: string,
): Promise<Listing | undefined> {
  const found = await findListing(ctx, web, route, (path) => `${placeOf(path)}/${file}`)
  if (found === undefined) throw nothing(ctx)
  return found === 'elsewhere' ? undefined : found
}

/** Items of listings, the newest of all first. */
async function itemsIn(web: WebContext, scopes: readonly Scope[], limit: number): Promise<SiteItem[]> {
  const pages = await Promise.all(scopes.map((scope) => web.site.list(scope, { limit, part: 'place' })))
  const rows = new Map(pages.flatMap((page) => page.rows).map((row) => [row.item, row]))
  const newest = [...rows.values()].sort((a, b) => (a.at < b.at ? 1 : -1)).slice(0, limit)
  const documents = await web.site.documents(
    newest.map(({ item }) => item),
    'entry',
  )
  return newest.flatMap(({ item }) => {
    const document = documents.get(item)
    return document?.type === 'item' ? [document] : []
  })
}

/** The rows of a tag or group that have sound or film; a kind that is made of them has no others. */
function scopeOf(scope: Scope, sort: string): Scope {
  const [prefix = ''] = scope.prefix
  return { ...scope, prefix: [prefix.replace(/^(tag|group):/, `${sort}-of-$1:`)] }
}

function nothing(ctx: PageRequest): HyperactiveError {
  return new HyperactiveError('unknown_item', wordingFor(ctx).t('error.unknownItem'), { status: 404 })
}
