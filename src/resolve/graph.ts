/** The edit graph of an item: hash → parents. Parents that are not (yet) here may be named. */
export type Graph = Readonly<Record<string, readonly string[]>>

/**
 * How to merge: the versions to fold, first to last, each with the base it shares with those before it. The base is a
 * version, or a merge itself where several ancestors are equally near (as in Git's recursive strategy).
 */
export interface Plan {
  readonly first: string
  readonly steps: readonly { readonly hash: string; readonly base: Plan | undefined }[]
}

/** Criss-cross histories deeper than this are merged as if the versions below had nothing in common. */
const DEEPEST_BASE = 16

/** Edits that no other edit here names as a parent, sorted by hash. */
export function headsOf(graph: Graph): string[] {
  const named = new Set(Object.values(graph).flat())
  return Object.keys(graph)
    .filter((hash) => !named.has(hash))
    .sort()
}

/** The plan that merges these versions, whatever order they are given in; undefined for none. */
export function planMerge(graph: Graph, hashes: readonly string[]): Plan | undefined {
  return plan(graph, hashes, 0, new Map())
}

/**
 * Hashes of all bodies that resolving this graph reads: the heads and their nearest common ancestors, and theirs where
 * those must be merged first. Their number does not grow with the length of the history.
 */
export function bodiesNeeded(graph: Graph): string[] {
  const needed = new Set<string>()
  const collect = (part: Plan | undefined) => {
    if (!part) return
    needed.add(part.first)
    for (const { hash, base } of part.steps) {
      needed.add(hash)
      collect(base)
    }
  }
  collect(planMerge(graph, headsOf(graph)))
  return [...needed].sort()
}

function plan(
  graph: Graph,
  hashes: readonly string[],
  depth: number,
  memo: Map<string, Plan>,
): Plan | undefined {
  const [first, ...rest] = [...new Set(hashes)].sort()
  if (first === undefined) return undefined
  const key = [first, ...rest].join()
  const known = memo.get(key)
  if (known) return known
  let folded = ancestorsOf(graph, first)
  const steps: { hash: string; base: Plan | undefined }[] = []
  for (const hash of rest) {
    const ancestors = ancestorsOf(graph, hash)
    const nearest = nearestOf(graph, folded.intersection(ancestors))
    steps.push({ hash, base: depth < DEEPEST_BASE ? plan(graph, nearest, depth + 1, memo) : undefined })
    folded = folded.union(ancestors)
  }
  const made = { first, steps }
  memo.set(key, made)
  return made
}

/** A version's ancestors that are here, and itself. */
function ancestorsOf(graph: Graph, hash: string): Set<string> {
  const found = new Set<string>()
  const open = [hash]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const parents = graph[next]
    if (!parents || found.has(next)) continue
    found.add(next)
    open.push(...parents)
  }
  return found
}

/** The members of an ancestor-closed set that are no other member's parent. */
function nearestOf(graph: Graph, common: ReadonlySet<string>): string[] {
  const behind = new Set<string>()
  for (const hash of common) for (const parent of graph[hash] ?? []) behind.add(parent)
  return [...common].filter((hash) => !behind.has(hash))
}
