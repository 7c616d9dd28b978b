import type { Fields } from '../ledger/document.ts'
import type { RowPart } from '../shown.ts'
import type { ListingEntry } from './site-item.ts'

/** A place in a listing: the hybrid time and the id of its first or last row. */
export interface Place {
  at: string
  item: string
}

export interface ListingRow extends ListingEntry {
  /** The item; for a comment among the latest changes its own id, and `of` is the item. */
  item: string
  of?: string
}

/** One page of a listing, newest first, with the places to go on from. */
export interface ListingPage {
  rows: ListingRow[]
  /** Set when there are newer entries: they are the ones before this place. */
  newer?: Place
  /** Set when there are older entries: they are the ones after this place. */
  older?: Place
}

/** Which page of a listing: the newest one, or the one that ends before or begins after a place. */
export interface PageQuery {
  limit: number
  /** The only part of the rows that is made use of. */
  part?: RowPart
  olderThan?: Place
  newerThan?: Place
}

/**
 * What a listing lists: the rows of a view whose keys begin with `prefix`, and whose times are at least `from` and less
 * than `to`.
 */
export interface Scope {
  view: 'listing' | 'changes' | 'clashes'
  prefix: readonly string[]
  from?: string
  to?: string
}

/** One occurrence of an event in a calendar. */
export interface CalendarRow {
  item: string
  title: string
  venue?: string
  language: string
  status: ListingEntry['status']
  allDay?: true
  zone: string
  occurrence: string
  start: string
  end: string
  day: string
  lastDay: string
}

/** The row of one day that an occurrence touches. */
export type DayRow = CalendarRow & { onDay: string }

/** A comment as an item's page shows it. */
export interface CommentRow {
  hash: string
  at: string
  inReplyTo?: string
  fields: Fields
}

/** A decision in the log. */
export interface DecisionRow {
  at: string
  hash: string
  action: string
  node: string
  by?: string
  reason?: string
  category?: string
  type: 'item' | 'comment' | 'awaited'
  item: string
  comment?: string
  kind?: string
  /** Another decision has taken its place; of several that none has, all were made at once. */
  ended?: true
  /** What it is about has no page of its own for readers. */
  unread?: true
  /** Absent where nobody can read what it is about. */
  title?: string
  closed?: string
}

/** How many there are, or that there are more than this. */
export interface Counted {
  count: number
  more: boolean
}

/** The scope of a listing by what it is called in the views: "newswire", or a name of something, such as a tag. */
export function scope(name: string, value?: string): Scope {
  const prefix = value === undefined ? name : `${name}:${encodeURIComponent(value)}`
  return { view: 'listing', prefix: [prefix] }
}

/** Items and comments by the time of the latest change. */
export const CHANGES: Scope = { view: 'changes', prefix: [] }
/** Items with clashes that wait for a person. */
export const CLASHES: Scope = { view: 'clashes', prefix: [] }
