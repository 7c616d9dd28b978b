import { setTimeout as pause } from 'node:timers/promises'
import type { FileRow } from '../../project/file-rows.ts'
import type { Site } from '../../project/site.ts'
import type { SiteItem } from '../../project/site-item.ts'
import { sortOf } from './sorts.ts'

const ROWS = 500
const ITEMS = 50
/** It leaves the store to readers in between. */
const PAUSE_MS = 20

/**
 * Finds items with files of which nothing has been made, in one pass over all files that readers get.
 *
 * @param take told of each such item
 */
export async function lookThrough(
  site: Pick<Site, 'files' | 'items'>,
  take: (item: SiteItem) => void,
  signal: AbortSignal,
): Promise<void> {
  const unmade = new Set<string>()
  const made = new Set<string>()
  for (let after: FileRow | undefined, more = true; more;) {
    const rows = await site.files(ROWS, after)
    for (const { item, sha256, of, isShown, type } of rows) {
      if (of !== undefined) made.add(`${item} ${of}`)
      else if (isShown && sortOf({ type }) !== undefined) unmade.add(`${item} ${sha256}`)
    }
    after = rows.at(-1)
    more = rows.length === ROWS
    await pause(PAUSE_MS, undefined, { signal })
  }
  const items = [...new Set([...unmade.difference(made)].map((key) => key.split(' ')[0] ?? ''))]
  for (let at = 0; at < items.length; at += ITEMS) {
    for (const item of await site.items(items.slice(at, at + ITEMS))) take(item)
    await pause(PAUSE_MS, undefined, { signal })
  }
}
