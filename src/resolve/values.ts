import serialize from 'canonicalize'

/** Whether two field values are equal, whatever order their members stand in. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a === 'string' || typeof b === 'string') return false
  return keyOf(a) === keyOf(b)
}

/** The union of two sets without what either side removed from the base, sorted by code unit. */
export function mergeSet(a: readonly unknown[], b: readonly unknown[], base: unknown): unknown[] {
  const merged = [...new Map(kept(a, b, base))].map(([key, value]) => ({
    text: typeof value === 'string' ? value : key,
    key,
    value,
  }))
  return merged.sort((x, y) => compare(x.text, y.text) || compare(x.key, y.key)).map(({ value }) => value)
}

/** The order of two texts by code unit, for sorting. */
export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** Likewise in order: what both sides left of the base, then what each added. */
export function mergeList(a: readonly unknown[], b: readonly unknown[], base: unknown): unknown[] {
  return [...new Map(kept(a, b, base)).values()]
}

/**
 * Lists of entries that are known by a name each: what both sides left of the base, then what each added. Where both
 * sides changed one entry, or its place, the later one counts.
 *
 * @param nameOf an entry's name, which it has once in a list
 */
export function mergeEntries(
  later: readonly unknown[],
  earlier: readonly unknown[],
  base: unknown,
  nameOf: (entry: unknown) => string,
): unknown[] {
  const named = (values: readonly unknown[]) => new Map(values.map((value) => [nameOf(value), value]))
  const [before, left, right] = [named(Array.isArray(base) ? base : []), named(later), named(earlier)]
  const common = [...left.keys()].filter((name) => right.has(name))
  const stood = [...before.keys()].filter((name) => left.has(name) && right.has(name))
  const stand = common.filter((name) => before.has(name))
  // Who left them as they stood takes the order that the other side gave them.
  const isAsBefore = stood.length > 1 && sameValue(stand, stood)
  const order = isAsBefore ? [...right.keys()].filter((name) => left.has(name)) : common
  const merged = order.map((name) => {
    const ours = left.get(name)
    return sameValue(ours, before.get(name)) ? right.get(name) : ours
  })
  const isNew = (name: string) => !before.has(name) && !(left.has(name) && right.has(name))
  return [...merged, ...[...left, ...right].flatMap(([name, value]) => (isNew(name) ? [value] : []))]
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
