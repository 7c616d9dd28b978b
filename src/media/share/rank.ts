import { createHash } from 'node:crypto'

/** A node, as far as it matters for which files it keeps. */
export interface Keeper {
  /** Its public key. */
  readonly key: string
  /** Under whose law it stands, as it says; nodes that say nothing count as under one and the same law. */
  readonly jurisdiction: string | undefined
  /** Whether it keeps every file, by its own policy. */
  readonly keepsAll: boolean
}

/** On how many nodes a file is to be, and under how many laws these are to stand. */
export interface Wanted {
  readonly copies: number
  readonly jurisdictions: number
}

/**
 * Where a node stands among those who keep a file, as text that sorts: nodes that keep everything come first, and then the
 * SHA-256 of key and digest decides, so that the load is spread. All nodes compute the same.
 */
export function rankOf({ key, keepsAll }: Keeper, sha256: string): string {
  return (keepsAll ? '0' : '1') + createHash('sha256').update(`${key} ${sha256}`).digest('hex')
}

/** Those who keep a file, in the order of their ranks. */
export function byRank(keepers: readonly Keeper[], sha256: string): Keeper[] {
  return keepers
    .map((keeper) => ({ keeper, rank: rankOf(keeper, sha256) }))
    .sort((one, other) => (one.rank < other.rank ? -1 : 1))
    .map(({ keeper }) => keeper)
}

/** Under how many laws nodes stand. */
export function lawsOf(keepers: readonly Keeper[]): number {
  return new Set(keepers.map(({ jurisdiction }) => jurisdiction)).size
}

/** Whether a file is on as many nodes, under as many laws, as is wanted. */
export function isEnough(holders: readonly Keeper[], { copies, jurisdictions }: Wanted): boolean {
  return holders.length >= copies && lawsOf(holders) >= jurisdictions
}

/**
 * Whether a node may drop a file: enough others that come before it by their ranks have just said that they hold it. Those
 * that come after it do not count, so of any nodes that drop at once, whatever they know of each other, the first one by
 * rank leaves enough behind it that do not drop.
 */
export function mayDrop(
  own: Keeper,
  confirmed: readonly Keeper[],
  { sha256, ...wanted }: Wanted & { sha256: string },
): boolean {
  const rank = rankOf(own, sha256)
  return isEnough(
    confirmed.filter((keeper) => rankOf(keeper, sha256) < rank),
    wanted,
  )
}

/**
 * Which of the other nodes are to fetch a file that is not held by enough: first those that bring a law that is missing,
 * in the order of their ranks, then the next ones by rank, as many as are missing.
 */
export function nextKeepers(
  holders: readonly Keeper[],
  others: readonly Keeper[],
  { sha256, copies, jurisdictions }: Wanted & { sha256: string },
): Keeper[] {
  if (isEnough(holders, { copies, jurisdictions })) return []
  const chosen: Keeper[] = []
  const laws = new Set(holders.map(({ jurisdiction }) => jurisdiction))
  const sorted = byRank(others, sha256)
  for (const keeper of sorted) {
    if (laws.size >= jurisdictions) break
    if (laws.has(keeper.jurisdiction)) continue
    laws.add(keeper.jurisdiction)
    chosen.push(keeper)
  }
  const left = Math.max(copies - holders.length - chosen.length, 0)
  return [...chosen, ...sorted.filter((keeper) => !chosen.includes(keeper)).slice(0, left)]
}
