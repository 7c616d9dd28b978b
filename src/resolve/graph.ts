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
/** Likewise when this many merged bases are planned: a wide criss-cross history has ever new sets of nearest ancestors. */
const MOST_MERGED_BASES = 100

/** Edits that no other edit here names as a parent, sorted by hash. */
export function headsOf(graph: Graph): string[] {
  const named = new Set(Object.values(graph).flat())
  return Object.keys(graph)
    .filter((hash) => !named.has(hash))
    .sort()
}

/** These versions and all that came before them: the graph as it was when they were its heads. */
export function historyOf(graph: Graph, hashes: readonly string[]): Graph {
  return Object.fromEntries(
    [...walk(graph, hashes, () => true)].sort().map((hash) => [hash, graph[hash] ?? []]),
  )
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
  const seen = new Set<Plan>()
  const collect = (part: Plan | undefined) => {
    if (!part || seen.has(part)) return
    seen.add(part)
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
  if (rest.length === 0) return { first, steps: [] }
  const key = [first, ...rest].join()
  const known = memo.get(key)
  if (known) return known
  if (depth > DEEPEST_BASE || memo.size > MOST_MERGED_BASES) return undefined
  const steps: { hash: string; base: Plan | undefined }[] = []
  const folded = new Set<string>()
  fold(graph, first, folded)
  for (const hash of rest) {
    const nearest = nearestOf(graph, fold(graph, hash, folded))
    steps.push({ hash, base: plan(graph, nearest, depth + 1, memo) })
  }
  const made = { first, steps }
  memo.set(key, made)
  return made
}

/**
 * Adds a version and its ancestors that are here to an ancestor-closed set.
 *
 * @returns the members at which it met the set: all that it has in common with the set are these and their ancestors
 */
function fold(graph: Graph, hash: string, folded: Set<string>): Set<string> {
  const met = new Set<string>()
  const added = walk(graph, [hash], (next) => {
    if (!folded.has(next)) return true
    met.add(next)
    return false
  })
  for (const next of added) folded.add(next)
  return met
}

/** Those of some versions that are no ancestors of others among them. */
function nearestOf(graph: Graph, versions: ReadonlySet<string>): string[] {
  if (versions.size < 2) return [...versions]
  const parents = [...versions].flatMap((hash) => graph[hash] ?? [])
  const behind = walk(graph, parents, () => true)
  return [...versions].filter((hash) => !behind.has(hash))
}

/** Versions and their ancestors that are here, as far as `enters` lets the walk go. */
function walk(graph: Graph, from: readonly string[], enters: (hash: string) => boolean): Set<string> {
  const found = new Set<string>()
  const open = [...from]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const parents = graph[next]
    if (!parents || found.has(next) || !enters(next)) continue
    found.add(next)
    for (const parent of parents) open.push(parent)
  }
  return found
}
