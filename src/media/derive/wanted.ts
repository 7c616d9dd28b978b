import { filesOf, knownFile } from '../../project/media.ts'
import type { KnownFile } from '../../project/media.ts'
import type { SiteItem } from '../../project/site-item.ts'
import { sortOf } from './sorts.ts'
import type { Sort } from './sorts.ts'

/** A file of an item of which something can be made. */
export interface Wanted {
  sort: Sort
  file: KnownFile
  /** The key of the node that signed its media document. */
  signer: string
  /** Whether some node has. */
  isMade: boolean
}

/** What is to be made for an item, by the digests of its files: nothing of what readers do not get. */
export function wantedBy(document: object | undefined): Map<string, Wanted> {
  const wanted = new Map<string, Wanted>()
  const item = document as SiteItem | undefined
  if (item?.type !== 'item' || item.standing.hidden || item.standing.closed !== undefined) return wanted
  for (const file of filesOf(item.fields, item.media)) {
    const sort = sortOf(file)
    if (sort === undefined) continue
    wanted.set(file.sha256, {
      sort,
      file: knownFile(file),
      signer: item.media?.[file.media]?.node ?? '',
      isMade: file.made.length > 0,
    })
  }
  return wanted
}

/** Whether a document of the site database has files. */
export function hasMedia(document: object | undefined): boolean {
  return document !== undefined && 'media' in document
}
