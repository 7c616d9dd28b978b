import type { Strategy } from '../kinds/kind.ts'
import { headsOf, planMerge } from './graph.ts'
import type { Graph, Plan } from './graph.ts'
import { mergeList, mergeSet, sameValue } from './values.ts'
import { mergeText } from './text.ts'

/** One version of an item. */
export interface Version {
  readonly hash: string
  readonly at: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** A field that two versions changed in ways that cannot both stand: `kept` and `other` are hashes of heads. */
export interface Clash {
  field: string
  kept: string
  other: string
}

export interface Resolution {
  fields: Record<string, unknown>
  clashes: Clash[]
}

/** A field's value on the way, with the versions whose changes it holds; `undefined` is a field that is absent. */
interface Held {
  value: unknown
  from: ReadonlySet<string>
  /** The latest of `from`, as "at hash", which compares as text. */
  latest: string
}

type State = Map<string, Held>

/**
 * Merges the heads of an edit graph field by field. Pure: the same graph and bodies give the same outcome on every
 * node, in whatever order they are given.
 *
 * A field that one side changed takes that side; one that both changed goes by its strategy. What cannot be merged
 * keeps the later side and is listed as a clash, so that no head's text is lost.
 *
 * @param strategies by field; fields without one use `latest`
 * @param bodies at least those that `bodiesNeeded` names; a base that is missing counts as empty
 */
export function resolve(
  strategies: Readonly<Record<string, Strategy>>,
  graph: Graph,
  bodies: ReadonlyMap<string, Version>,
): Resolution {
  const clashes: Clash[] = []
  const heads = headsOf(graph).filter((hash) => bodies.has(hash))
  const merged = execute(planMerge(graph, heads), { strategies, bodies, clashes })
  const fields: Record<string, unknown> = {}
  for (const field of [...merged.keys()].sort()) {
    const value = merged.get(field)?.value
    if (value !== undefined) fields[field] = value
  }
  return { fields, clashes: uniqueSorted(clashes) }
}

interface Work {
  strategies: Readonly<Record<string, Strategy>>
  bodies: ReadonlyMap<string, Version>
  clashes: Clash[]
}

function execute(plan: Plan | undefined, work: Work): State {
  if (!plan) return new Map()
  let state = stateOf(work.bodies.get(plan.first))
  for (const { hash, base } of plan.steps) {
    // Clashes inside a base are between versions that have been followed since; only those of heads count.
    const baseState = execute(base, { ...work, clashes: [] })
    state = mergeStates(state, stateOf(work.bodies.get(hash)), baseState, work)
  }
  return state
}

function stateOf(version: Version | undefined): State {
  const state: State = new Map()
  if (!version) return state
  const { hash, at, fields } = version
  for (const [field, value] of Object.entries(fields)) {
    state.set(field, { value, from: new Set([hash]), latest: `${at} ${hash}` })
  }
  state.set(WHOLE, { value: undefined, from: new Set([hash]), latest: `${at} ${hash}` })
  return state
}

/** Stands for the version as such, so that a field which it lacks still has somebody who removed it. */
const WHOLE = ''

function mergeStates(a: State, b: State, base: State, work: Work): State {
  const merged: State = new Map()
  for (const field of new Set([...a.keys(), ...b.keys()])) {
    const held = mergeField(field, heldIn(a, field), heldIn(b, field), base.get(field)?.value, work)
    if (held) merged.set(field, held)
  }
  return merged
}

function heldIn(state: State, field: string): Held | undefined {
  const held = state.get(field)
  const whole = state.get(WHOLE)
  return held ?? (whole ? { ...whole, value: undefined } : undefined)
}

function mergeField(
  field: string,
  a: Held | undefined,
  b: Held | undefined,
  base: unknown,
  work: Work,
): Held | undefined {
  if (!a || !b) return a ?? b
  const both = { from: a.from.union(b.from), latest: a.latest > b.latest ? a.latest : b.latest }
  if (field === WHOLE || sameValue(a.value, b.value)) return { value: a.value, ...both }
  if (sameValue(a.value, base)) return b
  if (sameValue(b.value, base)) return a
  const [later, earlier] = a.latest > b.latest ? [a, b] : [b, a]
  switch (work.strategies[field] ?? 'latest') {
    case 'set':
      if (Array.isArray(a.value) && Array.isArray(b.value))
        return { value: mergeSet(a.value, b.value, base), ...both }
      break
    case 'list':
      if (Array.isArray(a.value) && Array.isArray(b.value))
        return { value: mergeList(a.value, b.value, base), ...both }
      break
    case 'text':
      if (typeof later.value === 'string' && typeof earlier.value === 'string') {
        const { text, clean } = mergeText(later.value, earlier.value, typeof base === 'string' ? base : '')
        if (!clean) listClashes(field, later, earlier, work.clashes)
        return { value: text, ...both }
      }
      break
    default:
  }
  listClashes(field, later, earlier, work.clashes)
  return { value: later.value, ...both }
}

/** Every version whose change may have been put aside is named, against the one whose text stands. */
function listClashes(field: string, later: Held, earlier: Held, clashes: Clash[]): void {
  const kept = later.latest.split(' ')[1] ?? ''
  for (const other of earlier.from) if (other !== kept) clashes.push({ field, kept, other })
}

function uniqueSorted(clashes: readonly Clash[]): Clash[] {
  const byText = new Map(clashes.map((clash) => [`${clash.field} ${clash.kept} ${clash.other}`, clash]))
  return [...byText.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, clash]) => clash)
}
