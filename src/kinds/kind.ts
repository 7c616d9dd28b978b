import type { z } from 'zod'
import type { Fields } from '../ledger/document.ts'

/**
 * How two changes of one field are merged: `text` three ways by paragraphs and words, `set` as a union without what
 * either side removed, `list` likewise in order, `latest` by the later edit.
 */
export type Strategy = 'text' | 'set' | 'list' | 'latest'

/** What listings show of any item, whatever its kind. */
export interface Summary {
  title: string
  summary: string
  author?: string
  tags: string[]
  language: string
}

/** One kind of item: what it is made of and how its fields merge. */
export interface Kind {
  readonly name: string
  /** The first part of its items' addresses: /<path>/<item>. */
  readonly path: string
  /** Checks an item's fields wherever they come from: a form, an import or a peer. Unknown fields are kept. */
  readonly schema: z.ZodType<Fields>
  readonly strategies: Readonly<Record<string, Strategy>>
  /** What a listing shows of an item with these checked fields. */
  listing(fields: Fields): Summary
}
