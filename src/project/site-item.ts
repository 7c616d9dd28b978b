import type { Summary } from '../kinds/kind.ts'
import type { Fields } from '../ledger/document.ts'
import type { Clash } from '../resolve/resolve.ts'

/** What the site database remembers of one edit; its body stays in the ledger. */
export interface GraphEdit {
  parents: string[]
  at: string
  node: string
  note?: string
}

/**
 * One item in the site database: what readers see, computed from its edits. Equal edits and an equal policy give an
 * equal document on every node, apart from `_rev`, which counts local writes.
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
  /** The item's key: whoever signs with it wrote the item. */
  author: string
  /** The earliest and the latest edit's hybrid times. */
  at: string
  updatedAt: string
  /** The merged fields. */
  fields: Fields
  clashes: Clash[]
  /** What the listing views show of the item. */
  listing: ListingEntry
}

/** What a listing shows of an item: the value of the listing views' rows. */
export interface ListingEntry extends Summary {
  kind: string
  at: string
  updatedAt: string
  clashes: number
}

/** A document that stands in the ledger but on no page, with the reason, for the administrator. */
export interface HeldDocument {
  /** "held:<reason>:<ledger id>" */
  _id: string
  type: 'held'
  reason: 'stranger' | 'not-entitled' | 'unproven' | 'unknown-version' | 'unknown-kind'
  /** The ledger document's id. */
  document: string
  item: string
  node: string
  at: string
}
