import { diffIndices } from 'node-diff3'
import { stepsToCompare, trimCommon } from './bounds.ts'
import type { Budget } from './bounds.ts'

export type Span = readonly [start: number, end: number]

/** A stretch of the base and what stands in its place on either side. */
export interface Region {
  readonly a: Span
  readonly o: Span
  readonly b: Span
}

/** The same for any number of sides. */
export interface Stretch {
  readonly o: Span
  readonly sides: readonly Span[]
}

/** A stretch of the base, from `start` to before `end`, that one side changed, and by how many tokens it grew. */
interface Hunk {
  readonly side: number
  readonly start: number
  readonly end: number
  readonly grown: number
}

/** How token lists are lined up: whether changes next to each other share a region, and how much work it may take. */
interface Fit {
  readonly touching: boolean
  readonly budget: Budget
}

/**
 * Lines up two token lists, `a` and `b`, with the list `o` that both were made from: regions in order, without a gap.
 * Changes that overlap, and insertions at one place, share a region; with `touching`, changes next to each other too.
 *
 * @returns undefined where the budget does not allow the comparison
 */
export function threeWay(
  a: readonly string[],
  o: readonly string[],
  b: readonly string[],
  fit: Fit,
): Region[] | undefined {
  return lineUp(o, [a, b], fit)?.map(({ o: inO, sides }) => {
    const [inA, inB] = sides as readonly [Span, Span]
    return { a: inA, o: inO, b: inB }
  })
}

/** Lines up any number of token lists with one list, as {@link threeWay} does with two. */
export function lineUp(
  o: readonly string[],
  sides: readonly (readonly string[])[],
  { touching, budget }: Fit,
): Stretch[] | undefined {
  const hunks: Hunk[] = []
  for (const [side, tokens] of sides.entries()) {
    const found = hunksOf(side, o, tokens, budget)
    if (!found) return undefined
    hunks.push(...found)
  }
  hunks.sort((x, y) => x.start - y.start || x.end - y.end)

  const stretches: Stretch[] = []
  const none = sides.map(() => 0)
  let done: { o: number; sides: readonly number[] } = { o: 0, sides: none }
  const advance = (end: number, grown: readonly number[] = none) => {
    const length = end - done.o
    if (length === 0 && grown.every((more) => more === 0)) return
    const spans = done.sides.map((start, side): Span => [start, start + length + (grown[side] ?? 0)])
    stretches.push({ o: [done.o, end], sides: spans })
    done = { o: end, sides: spans.map(([, reached]) => reached) }
  }

  let group: { start: number; end: number; grown: number[] } | undefined
  const close = () => {
    if (!group) return
    advance(group.start)
    advance(group.end, group.grown)
  }
  for (const { side, start, end, grown } of hunks) {
    const joins = group && (start < group.end || (touching ? start === group.end : end === group.start))
    if (!group || !joins) {
      close()
      group = { start, end, grown: [...none] }
    }
    group.end = Math.max(group.end, end)
    group.grown[side] = (group.grown[side] ?? 0) + grown
  }
  close()
  advance(o.length)
  return stretches
}

function hunksOf(
  side: number,
  o: readonly string[],
  changed: readonly string[],
  budget: Budget,
): Hunk[] | undefined {
  const { head, tail } = trimCommon(o, changed)
  const before = o.slice(head, o.length - tail)
  const after = changed.slice(head, changed.length - tail)
  if (!budget.spend(stepsToCompare(before, after))) return undefined
  return diffIndices(before, after).map(({ buffer1: [start, length], buffer2: [, grownTo] }) => ({
    side,
    start: start + head,
    end: start + head + length,
    grown: grownTo - length,
  }))
}
