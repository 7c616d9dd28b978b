import { diffIndices } from 'node-diff3'
import { stepsToCompare, trimCommon } from './bounds.ts'
import type { Budget } from './bounds.ts'

type Span = readonly [start: number, end: number]

/** A stretch of the base and what stands in its place on either side. */
export interface Region {
  readonly a: Span
  readonly o: Span
  readonly b: Span
}

/** A stretch of the base, from `start` to before `end`, that one side changed, and by how many tokens it grew. */
interface Hunk {
  readonly side: 'a' | 'b'
  readonly start: number
  readonly end: number
  readonly grown: number
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
  { touching, budget }: { touching: boolean; budget: Budget },
): Region[] | undefined {
  const inA = hunksOf('a', o, a, budget)
  const inB = inA && hunksOf('b', o, b, budget)
  if (!inB) return undefined
  const hunks = [...inA, ...inB].sort((x, y) => x.start - y.start || x.end - y.end)

  const regions: Region[] = []
  const done = { a: 0, o: 0, b: 0 }
  const advance = (end: number, grown = { a: 0, b: 0 }) => {
    const length = end - done.o
    if (length === 0 && grown.a === 0 && grown.b === 0) return
    const next = { a: done.a + length + grown.a, o: end, b: done.b + length + grown.b }
    regions.push({ a: [done.a, next.a], o: [done.o, next.o], b: [done.b, next.b] })
    Object.assign(done, next)
  }

  let group: { start: number; end: number; grown: { a: number; b: number } } | undefined
  const close = () => {
    if (!group) return
    advance(group.start)
    advance(group.end, group.grown)
  }
  for (const { side, start, end, grown } of hunks) {
    const joins = group && (start < group.end || (touching ? start === group.end : end === group.start))
    if (!group || !joins) {
      close()
      group = { start, end, grown: { a: 0, b: 0 } }
    }
    group.end = Math.max(group.end, end)
    group.grown[side] += grown
  }
  close()
  advance(o.length)
  return regions
}

function hunksOf(
  side: 'a' | 'b',
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
