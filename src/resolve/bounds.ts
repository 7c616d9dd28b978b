/** Tokens that a comparison may still have after what all sides share at both ends is taken off. */
export const MOST_TOKENS = 6000
/** Pairs of equal tokens that a comparison may have: repetitive text has about the square of its length. */
export const MOST_PAIRS = 1_000_000

/** How many tokens all three share at the start and, apart from those, at the end. */
export function trimCommon(
  a: readonly string[],
  o: readonly string[],
  b: readonly string[],
): { head: number; tail: number } {
  const shortest = Math.min(a.length, o.length, b.length)
  let head = 0
  while (head < shortest && a[head] === o[head] && o[head] === b[head]) head += 1
  let tail = 0
  while (tail < shortest - head && a.at(-1 - tail) === o.at(-1 - tail) && o.at(-1 - tail) === b.at(-1 - tail))
    tail += 1
  return { head, tail }
}

/**
 * Whether two token lists can be compared with bounded work: the longest common subsequence is found by looking at
 * every pair of equal tokens (Hunt and McIlroy 1976), which repetitive text has quadratically many of.
 */
export function pairsWithin(a: readonly string[], b: readonly string[]): boolean {
  if (a.length > MOST_TOKENS || b.length > MOST_TOKENS) return false
  const counts = new Map<string, number>()
  for (const token of a) counts.set(token, (counts.get(token) ?? 0) + 1)
  let pairs = 0
  for (const token of b) pairs += counts.get(token) ?? 0
  return pairs <= MOST_PAIRS
}
