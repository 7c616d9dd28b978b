import type { FormField, Input, Kind } from '../kinds/base/kind.ts'
import type { Fields } from '../ledger/document.ts'
import { WHOLE } from '../project/merge-item.ts'
import { align, written } from '../resolve/passages.ts'
import type { Aligned, Choice } from '../resolve/passages.ts'
import type { Clash, Version } from '../resolve/resolve.ts'
import { mergeList, mergeSet, sameValue } from '../resolve/values.ts'
import { readControl, showControl } from './controls.ts'

/** Differing passages of one text that are chosen one by one; what is beyond them is chosen as a whole. */
const MOST_PASSAGES = 60

/** One version's value of a field that clashes. */
export interface Side {
  hash: string
  value: unknown
}

/** A field that clashes, with what each version has of it; those that have the same are one side. */
export interface ClashingField {
  name: string
  sides: Side[]
  /** What stands now. */
  merged: unknown
  /** How it is written anew; what a kind's form does not show cannot be. */
  control: FormField | undefined
  /** Texts of many lines are chosen by paragraphs. */
  aligned: Aligned | undefined
  /** Whether all sides together are a value, too. */
  listed: boolean
}

/** Fields of a form, by number: the clashing field, and for texts the passage. */
export const inputName = {
  choice: (field: number, passage?: number) => `choose-${field}${passage === undefined ? '' : `-${passage}`}`,
  passage: (field: number, passage: number) => `text-${field}-${passage}`,
}

/**
 * What of an item waits for somebody to choose. Pure, so that a form that was opened on the same versions is read as it
 * was shown.
 *
 * @param versions by hash, at least those that clashes name
 */
export function clashingFields(
  kind: Kind,
  { fields, clashes }: { fields: Fields; clashes: readonly Clash[] },
  versions: ReadonlyMap<string, Version>,
): ClashingField[] {
  const hashesOf = (field: string) => {
    const named = clashes.filter((clash) => clash.field === field)
    return [...new Set([...named.map(({ kept }) => kept), ...named.map(({ other }) => other)])]
  }
  const whole = hashesOf(WHOLE)
  const named = clashes.map(({ field }) => field).filter((field) => field !== WHOLE)
  const inWhole = whole.flatMap((hash) => Object.keys(versions.get(hash)?.fields ?? {}))
  const order = kind.form.map(({ name }) => name)
  const rank = (name: string) => (order.includes(name) ? order.indexOf(name) : order.length)
  const names = [...new Set([...named, ...inWhole])].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))
  return names.flatMap((name) => {
    const hashes = [...new Set([...hashesOf(name), ...whole])]
    const field = clashingField(kind, name, { merged: fields[name], sides: sidesOf(name, hashes, versions) })
    return field.sides.some(({ value }) => !sameValue(value, field.merged)) ? [field] : []
  })
}

function sidesOf(name: string, hashes: readonly string[], versions: ReadonlyMap<string, Version>): Side[] {
  const sides: Side[] = []
  for (const hash of hashes) {
    const version = versions.get(hash)
    if (!version) continue
    const value = version.fields[name]
    if (!sides.some((side) => sameValue(side.value, value))) sides.push({ hash, value })
  }
  return sides
}

function clashingField(
  kind: Kind,
  name: string,
  { merged, sides }: { merged: unknown; sides: Side[] },
): ClashingField {
  const control = kind.form.find(
    ({ name: shown, control: of }) => shown === name && of !== 'given' && of !== 'files',
  )
  const values = sides.map(({ value }) => value)
  const isText = kind.strategies[name] === 'text' && control?.control !== 'line'
  const texts = [merged, ...values].filter((value) => typeof value === 'string')
  const aligned =
    isText && texts.length === values.length + 1
      ? align(texts[0] ?? '', texts.slice(1), MOST_PASSAGES)
      : undefined
  const listed = values.every((value) => Array.isArray(value))
  return { name, sides, merged, control, aligned, listed }
}

/** What is taken where nothing was chosen: what stands now. */
function standing({ sides, merged, control }: ClashingField): string {
  const side = sides.findIndex(({ value }) => sameValue(value, merged))
  return side >= 0 || !control ? String(Math.max(side, 0)) : 'anew'
}

/**
 * What was chosen of a field. Whoever writes something anew and forgets to choose that has chosen it.
 *
 * @param at its number
 */
export function picked(field: ClashingField, at: number, typed: Input = {}): string {
  const stands = standing(field)
  const choice = typed[inputName.choice(at)] ?? stands
  const shown = shownInput(field, undefined)
  const isWritten = Object.entries(shown).some(([name, value]) => (typed[name] ?? value) !== value)
  return choice === stands && isWritten ? 'anew' : choice
}

/** Likewise of one passage of a text. */
export function pickedPassage(
  { aligned }: ClashingField,
  at: number,
  number: number,
  typed: Input = {},
): string {
  const { merged = '', sides = [] } = aligned?.passages[number] ?? {}
  const side = sides.indexOf(merged)
  const stands = side >= 0 ? String(side) : 'anew'
  const choice = typed[inputName.choice(at, number)] ?? stands
  const anew = typed[inputName.passage(at, number)]
  const isWritten = anew !== undefined && anew.trimEnd() !== merged.trimEnd()
  return choice === stands && isWritten ? 'anew' : choice
}

/** What the form shows of a field that can be written anew: what was typed, or else what stands now. */
export function shownInput({ control, merged }: ClashingField, typed: Input | undefined): Input {
  if (!control) return {}
  const shown = showControl(control, merged)
  // What a browser leaves out was emptied: a box that is not ticked.
  return typed ? Object.fromEntries(Object.keys(shown).map((name) => [name, typed[name] ?? ''])) : shown
}

/** The fields that the choices of a form make. */
export function chosenFields(
  kind: Kind,
  fields: Fields,
  clashing: readonly ClashingField[],
  typed: Input,
): Fields {
  const chosen = new Map<string, unknown>(Object.entries(fields))
  for (const [at, field] of clashing.entries()) chosen.set(field.name, chosenValue(kind, field, at, typed))
  return Object.fromEntries([...chosen].filter(([, value]) => value !== undefined))
}

function chosenValue(kind: Kind, field: ClashingField, at: number, typed: Input): unknown {
  const { aligned, sides, control, listed, merged, name } = field
  if (aligned) {
    const text = written(aligned, choicesIn(field, at, typed))
    // A text that was emptied is absent, as it is after any other form.
    return text !== '' || sides.some(({ value }) => value === '') ? text : undefined
  }
  const choice = picked(field, at, typed)
  if (choice === 'anew' && control) return readControl(control, typed)
  if (choice === 'all' && listed) {
    const join = kind.strategies[name] === 'set' ? mergeSet : mergeList
    return sides.reduce<unknown[]>((all, { value }) => join(all, value as unknown[], []), [])
  }
  const side = sides[sideIn(choice) ?? -1]
  return side ? side.value : merged
}

function choicesIn(field: ClashingField, at: number, typed: Input): Map<number, Choice> {
  const choices = new Map<number, Choice>()
  for (const [number, { same }] of (field.aligned?.passages ?? []).entries()) {
    if (same) continue
    const choice = pickedPassage(field, at, number, typed)
    const anew = typed[inputName.passage(at, number)]
    const side = sideIn(choice)
    if (side !== undefined) choices.set(number, side)
    else if (choice === 'all') choices.set(number, 'all')
    else if (choice === 'anew' && anew !== undefined) choices.set(number, { anew })
  }
  return choices
}

function sideIn(choice: string): number | undefined {
  return /^\d{1,3}$/.test(choice) ? Number(choice) : undefined
}
