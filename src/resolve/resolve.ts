import type { Strategy } from '../kinds/base/kind.ts'
import { Budget } from './bounds.ts'
import { headsOf, planMerge } from './graph.ts'
import type { Graph, Plan } from './graph.ts'
import { compare, mergeEntries, mergeList, mergeSet, sameValue } from './values.ts'
import { mergeText } from './text.ts'
import type { Manner } from './text.ts'

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
  readonly value: unknown
  readonly from: ReadonlySet<string>
  /** The latest of `from`. */
  readonly latest: { readonly at: string; readonly hash: string }
}

interface State {
  readonly fields: ReadonlyMap<string, Held>
  /** Stands for the versions as such, so that a field which they lack still has somebody who removed it. */
  readonly absent?: Held
}

const NOTHING: State = { fields: new Map() }

/**
 * Stands in a base where its own heads clashed, as the conflict markers do in Git: no text is equal to it, so that
 * what people then chose counts as a change on every side.
 */
const CONTESTED = '\u0000\n\n'

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
  const budget = new Budget()
  const shared = { strategies, bodies, budget, states: new Map<Plan, State>() }
  const inBase: Work = { ...shared, stands: () => CONTESTED, clash: () => undefined }
  const atHeads: Work = { ...shared, inBase, stands: (later) => later, clash: (clash) => clashes.push(clash) }
  const merged = execute(planMerge(graph, heads), atHeads)
  const present = [...merged.fields].filter(([, { value }]) => value !== undefined)
  return {
    fields: Object.fromEntries(present.map(([field, { value }]) => [field, value])),
    clashes: uniqueSorted(clashes),
  }
}

interface Work extends Manner {
  readonly strategies: Readonly<Record<string, Strategy>>
  readonly bodies: ReadonlyMap<string, Version>
  /** Bases that are merged already. */
  readonly states: Map<Plan, State>
  /** How bases are merged, where that differs: their clashes are between versions that have been followed since. */
  readonly inBase?: Work
  readonly stands: <Value>(later: Value) => Value | string
  readonly clash: (clash: Clash) => void
}

function execute(plan: Plan | undefined, work: Work): State {
  if (!plan) return NOTHING
  const known = work.states.get(plan)
  if (known) return known
  let state = stateOf(work.bodies.get(plan.first))
  for (const { hash, base } of plan.steps) {
    state = mergeStates(state, stateOf(work.bodies.get(hash)), execute(base, work.inBase ?? work), work)
  }
  work.states.set(plan, state)
  return state
}

function stateOf(version: Version | undefined): State {
  if (!version) return NOTHING
  const { hash, at, fields } = version
  const held = (value: unknown): Held => ({ value, from: new Set([hash]), latest: { at, hash } })
  const names = Object.keys(fields).sort()
  return { fields: new Map(names.map((field) => [field, held(fields[field])])), absent: held(undefined) }
}

function mergeStates(a: State, b: State, base: State, work: Work): State {
  if (!a.absent) return b
  if (!b.absent) return a
  const fields = new Map<string, Held>()
  for (const field of [...new Set([...a.fields.keys(), ...b.fields.keys()])].sort()) {
    const [ours, theirs] = [a.fields.get(field) ?? a.absent, b.fields.get(field) ?? b.absent]
    fields.set(field, mergeField(field, ours, theirs, base.fields.get(field)?.value, work))
  }
  return { fields, absent: both(a.absent, b.absent, undefined) }
}

function mergeField(field: string, a: Held, b: Held, base: unknown, work: Work): Held {
  if (sameValue(a.value, b.value)) return both(a, b, a.value)
  if (sameValue(a.value, base)) return b
  if (sameValue(b.value, base)) return a
  const [later, earlier] = isLater(a, b) ? [a, b] : [b, a]
  switch (work.strategies[field] ?? 'latest') {
    case 'set':
      if (Array.isArray(a.value) && Array.isArray(b.value))
        return both(a, b, mergeSet(a.value, b.value, base))
      break
    case 'list':
      if (Array.isArray(a.value) && Array.isArray(b.value))
        return both(a, b, mergeList(a.value, b.value, base))
      break
    case 'files':
      if (Array.isArray(later.value) && Array.isArray(earlier.value))
        return both(a, b, mergeEntries(later.value, earlier.value, base, fileOf))
      break
    case 'text':
      if (typeof later.value === 'string' && typeof earlier.value === 'string') {
        const merged = mergeText(later.value, earlier.value, typeof base === 'string' ? base : '', work)
        if (!merged.clean) listTextClashes(field, later, earlier, { base, merged: merged.text }, work)
        return both(a, b, merged.text)
      }
      break
    default:
  }
  listClashes(field, later, earlier, work)
  return both(a, b, work.stands(later.value))
}

function fileOf(entry: unknown): string {
  return String((entry as { file?: unknown } | undefined)?.file)
}

function both(a: Held, b: Held, value: unknown): Held {
  return { value, from: a.from.union(b.from), latest: isLater(a, b) ? a.latest : b.latest }
}

function isLater(a: Held, b: Held): boolean {
  if (a.latest.at !== b.latest.at) return a.latest.at > b.latest.at
  return a.latest.hash > b.latest.hash
}

/** Every version whose change may have been put aside is named, against the one whose text stands. */
function listClashes(field: string, later: Held, earlier: Held, work: Work): void {
  const kept = later.latest.hash
  for (const other of earlier.from) work.clash({ field, kept, other })
}

/**
 * Likewise for text, more exactly where several versions stand on a side: a version whose changes are all in the
 * merged text is not named, and the others are named against those that they clash with.
 */
function listTextClashes(
  field: string,
  later: Held,
  earlier: Held,
  { base, merged }: { base: unknown; merged: string },
  work: Work,
): void {
  const before = typeof base === 'string' ? base : ''
  const textOf = (hash: string): unknown => work.bodies.get(hash)?.fields[field]
  let named = false
  for (const other of earlier.from) {
    const text = textOf(other)
    if (typeof text !== 'string') continue
    const again = mergeText(merged, text, before, work)
    if (again.clean && again.text === merged) continue
    const against = [...later.from].filter((kept) => {
      const standing = textOf(kept)
      return typeof standing === 'string' && !mergeText(standing, text, before, work).clean
    })
    for (const kept of against.length > 0 ? against : [later.latest.hash]) work.clash({ field, kept, other })
    named = true
  }
  if (!named) listClashes(field, later, earlier, work)
}

function uniqueSorted(clashes: readonly Clash[]): Clash[] {
  const unique = new Map(clashes.map((clash) => [JSON.stringify(Object.values(clash)), clash]))
  return [...unique.values()].sort(
    (a, b) => compare(a.field, b.field) || compare(a.kept, b.kept) || compare(a.other, b.other),
  )
}
