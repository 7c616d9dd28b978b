import { isWebAddress } from '../kinds/base/fields.ts'
import { GROUP_LIMITS } from '../kinds/group.ts'
import type { Place, Scope } from '../project/site-rows.ts'
import type { Site } from '../project/site.ts'
import type { SiteItem } from '../project/site-item.ts'
import { scope } from '../project/site-rows.ts'

const PAGE = 200
/** Of more groups the feeds are not looked for. */
const MOST_GROUPS = 2000

/** A feed and the group (its item) that names it. */
export interface GroupFeed {
  group: string
  address: string
}

/**
 * The external feeds of the groups that are shown: first of those that editors have featured or promoted, then of the
 * oldest groups, so that a flood of new ones takes no place from those that were there.
 *
 * @param most ends the list at the group with which it has so many different addresses
 */
export async function groupFeeds(site: Site, most: number): Promise<GroupFeed[]> {
  const feeds: GroupFeed[] = []
  const addresses = new Set<string>()
  const seen = new Set<string>()
  for (const listing of [scope('group-featured'), scope('group-promoted'), scope('kind', 'group')]) {
    for await (const group of oldestFirst(site, listing)) {
      if (addresses.size >= most || seen.size >= MOST_GROUPS) return feeds
      if (seen.has(group._id)) continue
      seen.add(group._id)
      for (const address of feedsIn(group)) {
        feeds.push({ group: group._id, address })
        addresses.add(address)
      }
    }
  }
  return feeds
}

async function* oldestFirst(site: Site, listing: Scope): AsyncGenerator<SiteItem> {
  let after: Place | undefined = { at: '', item: '' }
  while (after) {
    const { rows, newer } = await site.list(listing, { limit: PAGE, newerThan: after })
    const items = await site.items(rows.map(({ item }) => item).reverse())
    yield* items.filter(({ kind, standing }) => kind === 'group' && !standing.hidden)
    after = newer
  }
}

/** The ledger's schema has let them through; they are looked at once more, since one that is none would stop the rest. */
function feedsIn({ fields }: SiteItem): string[] {
  const { feeds } = fields as { feeds?: string[] }
  return (feeds ?? []).filter((feed) => isWebAddress(feed)).slice(0, GROUP_LIMITS.feeds)
}
