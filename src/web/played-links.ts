import type { ListingRow } from '../project/site-rows.ts'
import type { Listing } from './listings.ts'

export const PODCAST = 'podcast.rss'
export const PLAYLIST = 'playlist.m3u'
const KINDS = /^\/(?:audio|videos)$/

/** What a listing's page says of its podcast and playlist, where something of its entries plays. */
export function playedLinks(
  { path, scope }: Pick<Listing, 'path' | 'scope'>,
  rows: readonly Pick<ListingRow, 'plays'>[],
): { podcast?: string; playlist?: string } {
  const place = placeOf(path)
  const [first = ''] = scope.prefix
  const isOf = /^(?:tag|group):/.test(first) || KINDS.test(path)
  if (!isOf || !rows.some(({ plays = [] }) => plays.length > 0)) return {}
  const hasSound = rows.some(({ plays = [] }) => plays.includes('sound')) && path !== '/videos'
  return {
    ...(hasSound ? { podcast: `${place}/${PODCAST}` } : {}),
    ...(first.startsWith('group:') ? {} : { playlist: `${place}/${PLAYLIST}` }),
  }
}

/** A group's podcast stands beside its newswire. */
export function placeOf(path: string): string {
  return path.replace(/\/newswire$/, '')
}
