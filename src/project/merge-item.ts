import { kindOf } from '../kinds/base/registry.ts'
import type { Kind } from '../kinds/base/kind.ts'
import type { Edit, Fields } from '../ledger/document.ts'
import { belongsTo } from '../ledger/item-id.ts'
import { bodiesNeeded, headsOf } from '../resolve/graph.ts'
import { resolve } from '../resolve/resolve.ts'
import type { Clash, Version } from '../resolve/resolve.ts'
import { standingOf } from './decisions.ts'
import { isExecuted, isToExecute, ordersInForce } from './erasures.ts'
import type { KnownErasure } from './erasures.ts'
import type { Policy } from './policy.ts'
import type { KnownDecision } from './decisions.ts'
import { coverOf, filesOf, playsOf } from './media.ts'
import type { ItemFile, KnownMedia } from './media.ts'
import type { Awaited, GraphEdit, SiteItem } from './site-item.ts'
import type { Terms } from './terms.ts'

/** Reads edits by hash: the ones of a batch are at hand, others come from the ledger. */
export type ReadEdits = (item: string, hashes: readonly string[]) => Promise<Map<string, Edit>>

/** Stands for the field of a clash between whole versions. */
export const WHOLE = '*'

/** What has come for one item. */
export interface Arrived {
  edits: readonly [hash: string, edit: Edit][]
  decisions: Readonly<Record<string, KnownDecision>>
  erasures: Readonly<Record<string, KnownErasure>>
  media: Readonly<Record<string, KnownMedia>>
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
 * @returns undefined when no edit's kind is known here
 */
export async function mergeItem(
  item: string,
  before: SiteItem | Awaited | undefined,
  { edits, decisions: arrived, erasures: ordered, media: brought }: Arrived,
  { readEdits, ...views }: Views & { readEdits: ReadEdits },
): Promise<SiteItem | Awaited | undefined> {
  const decisions = sorted({ ...before?.decisions, ...arrived })
  const erasures = sorted({ ...before?.erasures, ...ordered })
  const media = sorted({ ...before?.media, ...brought })
  const known = before?.type === 'item' ? before : undefined
  if (edits.length === 0) {
    if (!known) return awaited({ _id: item, media, decisions, erasures }, views)
    return finish({ ...known, media, decisions, erasures }, views)
  }
  const graph: Record<string, GraphEdit> = { ...known?.graph }
  for (const [hash, edit] of edits) graph[hash] = graphEdit(edit)
  const parentsOf = parentsIn(graph)
  const heads = headsOf(parentsOf)
  const bodies = await readEdits(item, heads.length === 1 ? heads : bodiesNeeded(parentsOf))
  const versions = new Map<string, Version>()
  for (const [hash, { at, fields }] of bodies) versions.set(hash, { hash, at, fields })
  const newest = bodies.get(latestOf(heads, graph))
  const kind = newest && kindOf(newest.kind)
  if (!newest || !kind) return undefined

  const { fields, clashes } = mergeHeads(kind, graph, versions)
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
    media,
    decisions,
    erasures,
  } as const
  return finish(merged, views)
}

/**
 * What the heads of an edit graph make together.
 *
 * A merge whose outcome would not be a valid item (a title that has become too long, say) is no merge: the later
 * head stands, and every head that differs from it is listed as a clash of the field `*`.
 *
 * @param versions at least those that `bodiesNeeded` names
 */
export function mergeHeads(
  kind: Kind,
  graph: Readonly<Record<string, Pick<GraphEdit, 'parents' | 'at'>>>,
  versions: ReadonlyMap<string, Version>,
): { fields: Fields; clashes: Clash[] } {
  const parentsOf = parentsIn(graph)
  const heads = headsOf(parentsOf)
  const { fields, clashes } = resolve(kind.strategies, parentsOf, versions)
  if (heads.length < 2 || kind.schema.safeParse(fields).success) return { fields, clashes }
  const kept = latestOf(heads, graph)
  const others = heads.filter((head) => head !== kept)
  return {
    fields: versions.get(kept)?.fields ?? {},
    clashes: others.map((other) => ({ field: WHOLE, kept, other })),
  }
}

function latestOf(heads: readonly string[], graph: Readonly<Record<string, Pick<GraphEdit, 'at'>>>): string {
  return heads.reduce((a, b) => ((graph[a]?.at ?? '') > (graph[b]?.at ?? '') ? a : b))
}

function parentsIn(graph: Readonly<Record<string, Pick<GraphEdit, 'parents'>>>): Record<string, string[]> {
  return Object.fromEntries(Object.entries(graph).map(([hash, { parents }]) => [hash, parents]))
}

/** Whether an item is an editor's own: it is signed by its node in the author's place too. */
export function isByEditor({ graph, author }: Pick<SiteItem, 'graph' | 'author'>): boolean {
  return Object.values(graph).some(({ node }) => node === author)
}

/** What follows from an item's fields, decisions and the vocabularies: its standing and what listings show. */
export function finish(
  item: Omit<SiteItem, 'standing' | 'listing' | 'sections' | 'occurrences' | 'groupKey'>,
  { terms, policy }: Views,
): SiteItem | undefined {
  const kind = kindOf(item.kind)
  if (!kind) return undefined
  const { _id, type, heads, graph, author, at, updatedAt, fields, clashes, decisions, erasures = {} } = item
  const { media = {} } = item
  const needsReview = policy.reviews.items && !isByEditor(item) && at >= policy.reviewFrom
  const erased = ordersInForce(erasures, policy).length > 0
  const standing = standingOf(decisions, policy, { needsReview, erased })
  const files = filesOf(fields, media)
  const listing = listingOf(kind, fields, { at, updatedAt, clashes, standing, terms, files })
  const occurrences = kind.occurrences?.(fields)
  return {
    _id,
    type,
    kind: kind.name,
    heads,
    graph,
    author,
    ...(isByEditor(item) && typeof fields.groupKey === 'string' ? { groupKey: fields.groupKey } : {}),
    at,
    updatedAt,
    fields,
    clashes,
    ...presentMedia(media),
    decisions,
    ...present(erasures),
    standing,
    listing,
    sections: [...kind.sections(fields)],
    ...(occurrences ? { occurrences: [...occurrences] } : {}),
  }
}

/** What is known of something whose content is not here; undefined when that is nothing. */
export function awaited(
  { _id, media = {}, decisions, erasures = {} }: Omit<Awaited, 'type' | 'erasure'>,
  { policy }: Pick<Views, 'policy'>,
): Awaited | undefined {
  if ([media, decisions, erasures].every((known) => Object.keys(known).length === 0)) return undefined
  const isOrdered = ordersInForce(erasures, policy).length > 0
  // Decisions go with what they are about, since they may quote it, and files; what comes later is to be erased as well.
  const isDropped = isToExecute(erasures, policy)
  const isLate = isDropped && Object.keys(decisions).length + Object.keys(media).length > 0
  const erasure = isOrdered ? (isExecuted(erasures, policy) && !isLate ? 'done' : 'due') : undefined
  return {
    _id,
    type: 'awaited',
    ...presentMedia(isDropped ? {} : media),
    decisions: isDropped ? {} : decisions,
    ...present(erasures),
    ...(erasure === undefined ? {} : { erasure }),
  }
}

/** Documents that nobody ordered to be erased say nothing of it. */
export function present(erasures: Record<string, KnownErasure>): { erasures?: Record<string, KnownErasure> } {
  return Object.keys(erasures).length > 0 ? { erasures } : {}
}

function presentMedia(media: Record<string, KnownMedia>): { media?: Record<string, KnownMedia> } {
  return Object.keys(media).length > 0 ? { media } : {}
}

function listingOf(
  kind: Kind,
  fields: Fields,
  facts: Pick<SiteItem, 'at' | 'updatedAt' | 'standing'> & {
    clashes: readonly Clash[]
    terms: Terms
    files: readonly ItemFile[]
  },
) {
  const summary = kind.listing(fields)
  const { at, updatedAt, clashes, standing, terms, files } = facts
  const cover = coverOf(files)
  const plays = playsOf(files)
  return {
    kind: kind.name,
    ...summary,
    tags: terms.canonical('tag', summary.tags),
    places: terms.canonical('place', summary.places),
    at,
    updatedAt,
    clashes: clashes.length,
    status: standing.status,
    ...(cover ? { cover } : {}),
    ...(plays.length > 0 ? { plays } : {}),
  }
}

/** A record in the order of its names, so that equal ones are equal to the byte. */
export function sorted<Value>(record: Readonly<Record<string, Value>>): Record<string, Value> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)))
}
