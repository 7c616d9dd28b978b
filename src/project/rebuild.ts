import type { Couch } from '../couch/client.ts'
import { deployDesignDoc } from '../couch/design-docs.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { SearchIndex } from '../search/search-index.ts'
import type { Policy } from './policy.ts'
import { Projector } from './projector.ts'

export const SITE_DATABASE = 'site'

/**
 * Throws the site database and the search index away and projects the whole ledger into a new one. The outcome is equal to what was there,
 * apart from `_rev`. Nothing else may write to the site database meanwhile.
 *
 * @returns how many changes of the ledger were projected
 */
export async function rebuildSite(
  { couch, ledger, index }: { couch: Couch; ledger: Ledger; index: SearchIndex },
  { anchors, policy }: { anchors: readonly string[]; policy: Policy },
): Promise<number> {
  index.clear()
  await couch.deleteDatabase(SITE_DATABASE)
  const site = await couch.ensureDatabase(SITE_DATABASE)
  const deployment = await deployDesignDoc(site)
  await using projector = new Projector({
    ledger,
    site,
    deployment,
    index,
    policy,
    anchors: () => anchors,
  })
  await projector.open()
  let count = 0
  await projector.catchUp((done) => {
    count = done
  })
  return count
}
