import type { z } from 'zod'
import type { FormField, Input, Kind } from '../kinds/base/kind.ts'
import type { Fields } from '../ledger/document.ts'
import type { Wording } from '../i18n/wording.ts'
import { readControl, showControl } from './controls.ts'
import type { Form } from './form.ts'

/** What a form's inputs make: the fields that would be saved, and what is wrong by name of the input. */
export interface CheckedInput {
  fields: Fields
  errors: Record<string, string>
}

/** The inputs of a kind's form as they were sent. What the form does not have is left out. */
export function readInput(form: Form, kind: Kind): Input {
  const names = Object.keys(inputOf({}, kind))
  return Object.fromEntries(names.map((name) => [name, form.get(name) ?? '']))
}

/** What a kind's form shows for fields. */
export function inputOf(fields: Fields, kind: Kind): Input {
  const shown = kind.form.map((field) => showControl(field, fields[field.name]))
  return Object.assign({}, ...shown, kind.show?.(fields)) as Input
}

/**
 * Makes a kind's fields of what was typed, and checks them by the kind's schema.
 *
 * @param before fields of the version that is edited; those that the form does not show are kept
 */
export function checkInput(
  input: Input,
  kind: Kind,
  { before = {}, wording }: { before?: Fields; wording: Wording },
): CheckedInput {
  const shown = new Set(kind.form.map(({ name }) => name))
  const kept = Object.entries(before).filter(([name]) => !shown.has(name))
  const typed = kind.form.map((field): [string, unknown] => [field.name, readControl(field, input)])
  // Every item has a list of tags, also where the form has none.
  const plain = Object.fromEntries(
    [['tags', []] as const, ...kept, ...typed].filter(([, value]) => value !== undefined),
  )
  const { fields, problems } = kind.read?.(input, plain, before) ?? { fields: plain, problems: {} }
  const errors: Record<string, string> = {}
  for (const [name, problem] of Object.entries(problems))
    errors[name] = sentence(name, problem, kind, wording)
  for (const { name, problem } of fieldProblems(fields, kind)) {
    errors[name] ??= sentence(name, problem, kind, wording)
  }
  return { fields, errors }
}

/** What is wrong with fields, as sentences by name of the field. */
export function fieldErrors(fields: Fields, kind: Kind, wording: Wording): Record<string, string> {
  const errors: Record<string, string> = {}
  for (const { name, problem } of fieldProblems(fields, kind))
    errors[name] ??= sentence(name, problem, kind, wording)
  return errors
}

/** What is wrong with fields by a kind's schema: the name of the field and a phrase that says the rest. */
export function fieldProblems(fields: Fields, kind: Kind): { name: string; problem: string }[] {
  const parsed = kind.schema.safeParse(fields)
  if (parsed.success) return []
  return parsed.error.issues.map((issue) => ({ name: String(issue.path[0] ?? ''), problem: phrase(issue) }))
}

/** The schema's English phrase; an absent field is missing, whatever type it should have. */
function phrase(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type' && issue.path.length === 1) return 'is missing'
  return issue.path.length > 1 ? `has an entry that ${issue.message}` : issue.message
}

/**
 * A problem as a whole sentence in the reader's language. Messages of problems stand under their English phrases, with
 * numbers as `{number}`.
 */
function sentence(name: string, problem: string, kind: Kind, wording: Wording): string {
  return problemSentence(wording.field(kind.name, name), problem, wording)
}

/** Likewise of anything that is typed, by what its input is called. */
export function problemSentence(subject: string, problem: string, wording: Wording): string {
  const inList = problem.startsWith('has an entry that ')
  const bare = inList ? problem.slice('has an entry that '.length) : problem
  const number = /\d[\d.,]*/.exec(bare)?.[0]
  const path = `problem.${number === undefined ? bare : bare.replace(number, '{number}')}`
  const found = wording.t(path, number === undefined ? {} : { number })
  const said = found === path || found.startsWith('problem.') ? bare : found
  return wording.t(inList ? 'form.problemInEntry' : 'form.problem', { field: subject, problem: said })
}

/** A field of a form, ready for the template. */
export interface ShownField extends FormField {
  label: string
  hint: string
}

/** The fields of a kind's form in a reader's language. */
export function shownFields(kind: Kind, wording: Wording): ShownField[] {
  return kind.form.map((field) => ({
    ...field,
    label: wording.field(kind.name, field.name),
    hint: wording.hint(kind.name, field.name),
  }))
}
