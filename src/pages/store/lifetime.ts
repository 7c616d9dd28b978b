import { isItemPath } from './page-key.ts'
import type { StoredPage } from './stored-page.ts'

/** How long proxies may give out a page without asking. */
export interface Lifetimes {
  leastSeconds: number
  mostSeconds: number
  /** At most for what lists things. */
  listingSeconds: number
  /** How long one that is older may be given out while the node does not answer. */
  errorSeconds: number
}

/** How long an older page may be given out while a proxy asks for the new one. */
const MEANWHILE_SECONDS = 10
/** Of the time since a page was last changed. */
const SHARE = 0.1

/**
 * The `Cache-Control` of a kept page. Proxies, which can be told of changes, keep it for a share of the time that it
 * has been as it is (as RFC 9111, section 4.2.2, suggests), never past the time until which it is true. Browsers ask
 * each time, and get 304: nobody could take back what they hold.
 */
export function cacheControlOf(
  { key, changedMs, reads }: Pick<StoredPage, 'key' | 'changedMs' | 'reads'>,
  lifetimes: Lifetimes,
  nowMs = Date.now(),
): string {
  const { leastSeconds, mostSeconds, listingSeconds, errorSeconds } = lifetimes
  const byAge = Math.min(Math.max(((nowMs - changedMs) / 1000) * SHARE, leastSeconds), mostSeconds)
  const leftSeconds = (reads.untilMs - nowMs) / 1000
  const wanted = isOneThing(key) ? byAge : Math.min(byAge, listingSeconds)
  const seconds = Math.floor(Math.min(wanted, leftSeconds))
  if (seconds < 1) return 'no-cache'
  const meanwhile = Math.floor(Math.min(MEANWHILE_SECONDS, leftSeconds - seconds))
  return [
    'public, max-age=0, must-revalidate',
    `s-maxage=${seconds}`,
    ...(meanwhile > 0 ? [`stale-while-revalidate=${meanwhile}`] : []),
    ...(errorSeconds > 0 ? [`stale-if-error=${errorSeconds}`] : []),
  ].join(', ')
}

/** Whether it is the page of one item, or of a version of it; a group's page lists what the group publishes. */
function isOneThing(key: string): boolean {
  const [path = ''] = key.slice(key.lastIndexOf(' ') + 1).split('?')
  const ofItem = path.replace(/\/(?:versions|changes)\/[\w/]+$/, '')
  return isItemPath(ofItem) && !/^(?:\/[a-z]{2})?\/groups\//.test(ofItem)
}
