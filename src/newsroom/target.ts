import { isHash } from '../ledger/document.ts'
import { isItemId } from '../ledger/item-id.ts'
import { commentId } from '../project/site-item.ts'
import type { SiteComment, SiteItem } from '../project/site-item.ts'

/** What moderators decide on: an item, or one of its comments. */
export interface Target {
  item: string
  /** The comment's hash. */
  comment?: string
}

/** A target as somebody saw it. */
export interface Seen {
  /** By its name: see {@link targetName}. */
  target: string
  /** The hybrid time of the version that was looked at; whatever there is now, unless given. */
  version?: string
}

/** How reports, marks and forms name an item or a comment: "<item>" or "<item>/<hash>". */
export function targetName({ item, comment }: Target): string {
  return comment === undefined ? item : `${item}/${comment}`
}

/** The reverse; undefined for what is no such name. */
export function readTarget(name: string): Target | undefined {
  const [item = '', comment, ...rest] = name.split('/')
  if (rest.length > 0 || !isItemId(item) || (comment !== undefined && !isHash(comment))) return undefined
  return comment === undefined ? { item } : { item, comment }
}

/** The name of what a document of the site database holds. */
export function nameOf(document: SiteItem | SiteComment): string {
  return document.type === 'item' ? document._id : targetName({ item: document.item, comment: document.hash })
}

/** The id in the site database of what a name names. */
export function siteIdOf(name: string): string {
  const [item = '', comment] = name.split('/')
  return comment === undefined ? item : commentId(item, comment)
}

/** The name of what has this id in the site database. */
export function nameOfId(id: string): string {
  return id.startsWith('comment:') ? id.slice('comment:'.length).replace(':', '/') : id
}

/** When an item was last edited, or a comment written: another time is another version. */
export function changedAt(document: SiteItem | SiteComment): string {
  return document.type === 'item' ? document.updatedAt : document.at
}
