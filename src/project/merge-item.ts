import { kindOf } from '../kinds/registry.ts'
import type { Edit } from '../ledger/document.ts'
import { bodiesNeeded, headsOf } from '../resolve/graph.ts'
import { resolve } from '../resolve/resolve.ts'
import type { Version } from '../resolve/resolve.ts'
import type { GraphEdit, SiteItem } from './site-item.ts'

/** Reads edits by hash: the ones of a batch are at hand, others come from the ledger. */
export type ReadEdits = (item: string, hashes: readonly string[]) => Promise<Map<string, Edit>>

/** What the graph of an item remembers of an edit. */
function graphEdit({ parents, at, node, note }: Edit): GraphEdit {
  return { parents, at, node, ...(note === undefined ? {} : { note }) }
}

/**
 * Computes an item's site document from what is known of it and edits that have arrived, in any order. Only the
 * bodies of heads and of their nearest common ancestors are read, so the cost of an edit does not grow with the
 * number of texts before it.
 *
 * A merge whose outcome would not be a valid item (a title that has become too long, say) is no merge: the later
 * head stands, and every head that differs from it is listed as a clash.
 *
 * @returns undefined when no edit's kind is known here
 */
export async function mergeItem(
  before: SiteItem | undefined,
  arrived: readonly [hash: string, edit: Edit][],
  readEdits: ReadEdits,
): Promise<SiteItem | undefined> {
  const [first] = arrived
  if (!first) return before
  const [, { item, author }] = first
  const graph: Record<string, GraphEdit> = { ...before?.graph }
  for (const [hash, edit] of arrived) graph[hash] = graphEdit(edit)
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
  const at = times.at(0) ?? newest.at
  const updatedAt = times.at(-1) ?? newest.at
  const listing = { kind: kind.name, ...kind.listing(fields), at, updatedAt, clashes: clashes.length }
  return {
    _id: item,
    type: 'item',
    kind: kind.name,
    heads,
    graph: Object.fromEntries(Object.entries(graph).sort(([a], [b]) => (a < b ? -1 : 1))),
    author,
    at,
    updatedAt,
    fields,
    clashes,
    listing,
  }
}
