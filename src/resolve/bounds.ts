/** Steps that all comparisons of one merge may take together: about half a second on a slow machine. */
export const MOST_STEPS = 300_000_000

/** The work that one merge may still do. Counted in steps, not in time, so that every node stops at the same place. */
export class Budget {
  #left: number

  constructor(steps = MOST_STEPS) {
    this.#left = steps
  }

  /** Takes these steps; where fewer are left it takes none and gives false. */
  spend(steps: number): boolean {
    if (steps > this.#left) return false
    this.#left -= steps
    return true
  }
}

/**
 * The steps that finding the longest common subsequence takes at most: for every pair of equal tokens (Hunt and
 * McIlroy 1976), a walk along the subsequences found so far, which are no more than the tokens that can pair up.
 */
export function stepsToCompare(a: readonly string[], b: readonly string[]): number {
  const counts = new Map<string, { all: number; free: number }>()
  for (const token of a) {
    const count = counts.get(token)
    if (count) count.free = count.all += 1
    else counts.set(token, { all: 1, free: 1 })
  }
  let pairs = 0
  let longest = 0
  for (const token of b) {
    const count = counts.get(token)
    if (!count) continue
    pairs += count.all
    if (count.free > 0) longest += 1
    count.free -= 1
  }
  return a.length + b.length + pairs * longest
}

/** How many tokens two lists share at the start and, apart from those, at the end. */
export function trimCommon(a: readonly string[], b: readonly string[]): { head: number; tail: number } {
  const shortest = Math.min(a.length, b.length)
  let head = 0
  while (head < shortest && a[head] === b[head]) head += 1
  let tail = 0
  while (tail < shortest - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail += 1
  return { head, tail }
}
