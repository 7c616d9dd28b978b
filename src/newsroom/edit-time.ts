import { dayTime } from '../ledger/clock.ts'
import type { Fields } from '../ledger/document.ts'
import type { SiteItem } from '../project/site-item.ts'

/**
 * The hybrid time of an edit of which no more than the day shall be known, later than the versions that it follows;
 * undefined where the clock has it.
 */
export function editTime(
  fields: Fields,
  { graph }: Pick<SiteItem, 'graph'>,
  parents: readonly string[],
): string | undefined {
  if (fields.dayOnly !== true) return undefined
  const before = parents.flatMap((hash) => graph[hash]?.at ?? [])
  return dayTime(Date.now(), before)
}
