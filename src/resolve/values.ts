import serialize from 'canonicalize'

/** Whether two field values are equal, whatever order their members stand in. */
export function sameValue(a: unknown, b: unknown): boolean {
  return a === b || keyOf(a) === keyOf(b)
}

/** The union of two sets without what either side removed from the base, sorted. */
export function mergeSet(a: readonly unknown[], b: readonly unknown[], base: unknown): unknown[] {
  const merged = new Map(kept(a, b, base))
  return [...merged.entries()].sort(([x], [y]) => (x < y ? -1 : x > y ? 1 : 0)).map(([, value]) => value)
}

/** Likewise in order: what both sides left of the base, then what each added. */
export function mergeList(a: readonly unknown[], b: readonly unknown[], base: unknown): unknown[] {
  return [...new Map(kept(a, b, base)).values()]
}

function kept(a: readonly unknown[], b: readonly unknown[], base: unknown): [string, unknown][] {
  const before = entries(Array.isArray(base) ? base : [])
  const [left, right] = [entries(a), entries(b)]
  const [inBase, inLeft, inRight] = [new Map(before), new Map(left), new Map(right)]
  return [
    ...before.filter(([key]) => inLeft.has(key) && inRight.has(key)),
    ...left.filter(([key]) => !inBase.has(key)),
    ...right.filter(([key]) => !inBase.has(key)),
  ]
}

function entries(values: readonly unknown[]): [string, unknown][] {
  return values.map((value) => [keyOf(value) ?? '', value])
}

function keyOf(value: unknown): string | undefined {
  return typeof value === 'string' ? JSON.stringify(value) : serialize(value)
}
