import { kindOf } from '../kinds/base/registry.ts'
import type { Kind } from '../kinds/base/kind.ts'
import type { Edit, Fields } from '../ledger/document.ts'
import { belongsTo } from '../ledger/item-id.ts'
import { bodiesNeeded, headsOf } from '../resolve/graph.ts'
import { resolve } from '../resolve/resolve.ts'
import type { Clash, Version } from '../resolve/resolve.ts'
import { standingOf } from './decisions.ts'
import type { Policy } from './policy.ts'
import type { KnownDecision } from './decisions.ts'
import type { Awaited, GraphEdit, SiteItem } from './site-item.ts'
import type { Terms } from './terms.ts'

/** Reads edits by hash: the ones of a batch are at hand, others come from the ledger. */
export type ReadEdits = (item: string, hashes: readonly string[]) => Promise<Map<string, Edit>>

/** What has come for one item. */
export interface Arrived {
  edits: readonly [hash: string, edit: Edit][]
  decisions: Readonly<Record<string, KnownDecision>>
}

/** How this node sees things: its editors' vocabularies and its policy. */
export interface Views {
  terms: Terms
  policy: Policy
}

/** What the site database remembers of an edit. */
function graphEdit({ parents, at, node, note }: Edit): GraphEdit {
  return { parents, at, node, ...(note === undefined ? {} : { note }) }
}

/**
 * Computes an item's site document from what is known of it and what has arrived, in any order. Only the bodies of
 * heads and of their nearest common ancestors are read, so the cost of an edit does not grow with the number of texts
 * before it; decisions alone read none.
 *
 * A merge whose outcome would not be a valid item (a title that has become too long, say) is no merge: the later
 * head stands, and every head that differs from it is listed as a clash.
 *
 * @returns undefined when no edit's kind is known here
 */
export async function mergeItem(
  item: string,
  before: SiteItem | Awaited | undefined,
  { edits, decisions: arrived }: Arrived,
  { readEdits, ...views }: Views & { readEdits: ReadEdits },
): Promise<SiteItem | Awaited | undefined> {
  const decisions = sorted({ ...before?.decisions, ...arrived })
  const known = before?.type === 'item' ? before : undefined
  if (edits.length === 0) {
    if (!known) return { _id: item, type: 'awaited', decisions }
    return finish({ ...known, decisions }, views)
  }
  const graph: Record<string, GraphEdit> = { ...known?.graph }
  for (const [hash, edit] of edits) graph[hash] = graphEdit(edit)
  const parentsOf: Record<string, readonly string[]> = {}
  for (const [hash, { parents }] of Object.entries(graph)) parentsOf[hash] = parents

  const heads = headsOf(parentsOf)
  const bodies = await readEdits(item, heads.length === 1 ? heads : bodiesNeeded(parentsOf))
  const versions = new Map<string, Version>()
  for (const [hash, { at, fields }] of bodies) versions.set(hash, { hash, at, fields })
  const latest = heads.reduce((a, b) => ((graph[a]?.at ?? '') > (graph[b]?.at ?? '') ? a : b))
  const newest = bodies.get(latest)
  const kind = newest && kindOf(newest.kind)
  if (!newest || !kind) return undefined

  let { fields, clashes } = resolve(kind.strategies, parentsOf, versions)
  if (heads.length > 1 && !kind.schema.safeParse(fields).success) {
    fields = newest.fields
    clashes = heads.filter((head) => head !== latest).map((other) => ({ field: '*', kept: latest, other }))
  }
  const times = Object.values(graph)
    .map(({ at }) => at)
    .sort()
  const written = edits.find(([, { author }]) => belongsTo(item, author))?.[1].author
  const merged = {
    _id: item,
    type: 'item',
    kind: kind.name,
    heads,
    graph: sorted(graph),
    author: known?.author || (written ?? ''),
    at: times.at(0) ?? newest.at,
    updatedAt: times.at(-1) ?? newest.at,
    fields,
    clashes,
    decisions,
  } as const
  return finish(merged, views)
}

/** Whether an item is an editor's own: it is signed by its node in the author's place too. */
export function isByEditor({ graph, author }: Pick<SiteItem, 'graph' | 'author'>): boolean {
  return Object.values(graph).some(({ node }) => node === author)
}

/** What follows from an item's fields, decisions and the vocabularies: its standing and what listings show. */
export function finish(
  item: Omit<SiteItem, 'standing' | 'listing' | 'sections' | 'occurrences'>,
  { terms, policy }: Views,
): SiteItem | undefined {
  const kind = kindOf(item.kind)
  if (!kind) return undefined
  const { _id, type, heads, graph, author, at, updatedAt, fields, clashes, decisions } = item
  const needsReview = policy.reviews.items && !isByEditor(item) && at >= policy.reviewFrom
  const standing = standingOf(decisions, policy, { needsReview })
  const listing = listingOf(kind, fields, { at, updatedAt, clashes, standing, terms })
  const occurrences = kind.occurrences?.(fields)
  return {
    _id,
    type,
    kind: kind.name,
    heads,
    graph,
    author,
    at,
    updatedAt,
    fields,
    clashes,
    decisions,
    standing,
    listing,
    sections: [...kind.sections(fields)],
    ...(occurrences ? { occurrences: [...occurrences] } : {}),
  }
}

function listingOf(
  kind: Kind,
  fields: Fields,
  facts: Pick<SiteItem, 'at' | 'updatedAt' | 'standing'> & { clashes: readonly Clash[]; terms: Terms },
) {
  const summary = kind.listing(fields)
  const { at, updatedAt, clashes, standing, terms } = facts
  return {
    kind: kind.name,
    ...summary,
    tags: terms.canonical('tag', summary.tags),
    places: terms.canonical('place', summary.places),
    at,
    updatedAt,
    clashes: clashes.length,
    status: standing.status,
  }
}

function sorted<Value>(record: Readonly<Record<string, Value>>): Record<string, Value> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)))
}
