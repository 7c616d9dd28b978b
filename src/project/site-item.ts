import type { Occurrence } from '../calendar/occurrences.ts'
import type { Section, Summary } from '../kinds/base/kind.ts'
import type { Fields } from '../ledger/document.ts'
import type { Clash } from '../resolve/resolve.ts'
import type { KnownDecision, Standing } from './decisions.ts'
import type { KnownErasure } from './erasures.ts'
import type { ItemFile, KnownMedia } from './media.ts'

/** What the site database remembers of one edit; its body stays in the ledger. */
export interface GraphEdit {
  parents: string[]
  at: string
  node: string
  note?: string
}

/**
 * One item in the site database: what readers see, computed from its edits and the decisions on it. Equal documents in
 * the ledger and an equal policy give an equal document on every node, apart from `_rev`, which counts local writes.
 */
export interface SiteItem {
  /** The item. */
  _id: string
  type: 'item'
  kind: string
  /** Hashes of the heads, sorted; more than one when people edited at once. */
  heads: string[]
  /** The edit graph by hash. */
  graph: Record<string, GraphEdit>
  /** The key that the item's id was made for: whoever signs with it wrote the item. Empty until its edit is here. */
  author: string
  /**
   * For what a node published in the name of a group's members: the group's own key, for which the node's stands. A
   * group that is not open lists what was signed with its key alone.
   */
  groupKey?: string
  /** The earliest and the latest edit's hybrid times. */
  at: string
  updatedAt: string
  /** The merged fields. */
  fields: Fields
  clashes: Clash[]
  /** Its media documents by hash; absent where there are none. Which of them count, `fields.files` says. */
  media?: Record<string, KnownMedia>
  decisions: Record<string, KnownDecision>
  /** Orders to erase it, and nodes' answers; absent where there are none. */
  erasures?: Record<string, KnownErasure>
  standing: Standing
  /** What the listing views show of the item. */
  listing: ListingEntry
  /** Where it is listed beside its kind, tags and the like. */
  sections: Section[]
  /** When an event takes place; only events have it. */
  occurrences?: Occurrence[]
}

/** What a listing shows of an item: the value of the listing views' rows. */
export interface ListingEntry extends Summary {
  kind: string
  at: string
  updatedAt: string
  clashes: number
  status: Standing['status']
  /** What stands for it in a listing: its first picture, or that of its first film. */
  cover?: Cover
  /** What plays among its files. */
  plays?: Plays[]
}

export type Plays = 'sound' | 'film'

export interface Cover extends Pick<ItemFile, 'sha256' | 'extension' | 'width' | 'height' | 'alt'> {
  /** A smaller one where there is one, as JPEG. */
  small?: Pick<ItemFile, 'sha256' | 'extension' | 'width' | 'height'>
}

/** One comment in the site database. */
export interface SiteComment {
  /** "comment:<item>:<hash>" */
  _id: string
  type: 'comment'
  /** The item that it is about, and its own hash. */
  item: string
  hash: string
  at: string
  node: string
  inReplyTo?: string
  fields: Fields
  decisions: Record<string, KnownDecision>
  erasures?: Record<string, KnownErasure>
  standing: Standing
}

/**
 * Decisions on what is not here yet, or not any more, and files of it: an item, by its own id, or a comment, by the id
 * that its document has.
 */
export interface Awaited {
  _id: string
  type: 'awaited'
  media?: Record<string, KnownMedia>
  decisions: Record<string, KnownDecision>
  erasures?: Record<string, KnownErasure>
  /** Whether it was erased here, or is to be: set while an order is in force. */
  erasure?: 'due' | 'done'
}

/** Why a document is kept off the pages. */
export const HELD_REASONS = [
  'stranger',
  'not-entitled',
  'unproven',
  'unknown-version',
  'unknown-kind',
] as const

/** A document that stands in the ledger but on no page, with the reason, for the administrator. */
export interface HeldDocument {
  /** "held:<reason>:<ledger id>" */
  _id: string
  type: 'held'
  reason: (typeof HELD_REASONS)[number]
  /** The ledger document's id. */
  document: string
  item: string
  node: string
  at: string
}

export type SiteDocument = SiteItem | SiteComment | Awaited | HeldDocument

/** The id of a comment in the site database. */
export function commentId(item: string, hash: string): string {
  return `comment:${item}:${hash}`
}

/** The item that a document of the site database is about: a comment's is the one that it was written on. */
export function itemAbout(id: string): string {
  return id.startsWith('comment:') ? (id.split(':')[1] ?? '') : id
}
