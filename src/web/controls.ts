import type { Control, FormField, Input } from '../kinds/base/kind.ts'
import { readTerms } from '../kinds/base/vocabulary.ts'

/** How a control turns what was typed into a field's value and back. An empty input is an absent field. */
interface ControlCode {
  read(typed: string, input: Input, name: string): unknown
  show(value: unknown, name: string): Input
}

const asTyped: ControlCode = {
  read: (typed) => typed.trim(),
  show: (value, name) => ({ [name]: typeof value === 'string' ? value : '' }),
}

const typedLine: ControlCode = { ...asTyped, read: oneLine }

const termList: ControlCode = {
  read: (typed) => readTerms(typed),
  show: (value, name) => ({ [name]: Array.isArray(value) ? value.map(String).join(', ') : '' }),
}

const CONTROLS: Record<Control, ControlCode> = {
  line: typedLine,
  text: asTyped,
  markdown: asTyped,
  tags: termList,
  places: termList,
  language: asTyped,
  address: asTyped,
  zone: asTyped,
  day: asTyped,
  choice: asTyped,
  given: asTyped,
  // Read and shown apart: what is said of a file is not among the fields, but in documents of their own.
  files: { read: () => '', show: () => ({}) },
  addresses: {
    read: (typed) => [...new Set(lines(typed))],
    show: (value, name) => ({ [name]: Array.isArray(value) ? value.map(String).join('\n') : '' }),
  },
  playlist: {
    // "The title https://…": the address is the last word of its line.
    read: (typed) =>
      lines(typed).map((line) => {
        const cut = line.lastIndexOf(' ')
        return { title: line.slice(0, Math.max(cut, 0)).trim(), address: line.slice(cut + 1) }
      }),
    show: (value, name) => ({
      [name]: (Array.isArray(value) ? (value as { title: unknown; address: unknown }[]) : [])
        .map(({ title, address }) => `${String(title)} ${String(address)}`)
        .join('\n'),
    }),
  },
  flag: {
    read: (typed) => (typed === '' ? '' : true),
    show: (value, name) => ({ [name]: value === true ? 'yes' : '' }),
  },
  moment: {
    read: (typed, input, name) => {
      const time = (input[`${name}Time`] ?? '').trim()
      return time === '' ? typed.trim() : `${typed.trim()}T${time.slice(0, 5)}`
    },
    show: (value, name) => {
      const [day = '', time = ''] = (typeof value === 'string' ? value : '').split('T')
      return { [name]: day, [`${name}Time`]: time }
    },
  },
}

/** Lists that an item always has, empty ones too. */
const ALWAYS = new Set(['tags', 'also'])

/** A field's value as it was typed; undefined when the field shall be absent. */
export function readControl({ name, control }: FormField, input: Input): unknown {
  const value = CONTROLS[control].read(input[name] ?? '', input, name)
  if (Array.isArray(value)) return value.length > 0 || ALWAYS.has(name) ? value : undefined
  return value === '' ? undefined : value
}

/** What inputs show for a field's value. */
export function showControl({ name, control }: FormField, value: unknown): Input {
  return CONTROLS[control].show(value, name)
}

/** Composed Unicode, single spaces. */
export function oneLine(typed: string): string {
  return typed.normalize('NFC').replaceAll(/\s+/gu, ' ').trim()
}

function lines(typed: string): string[] {
  return typed
    .split(/\n/u)
    .map((line) => line.replaceAll(/\s+/gu, ' ').trim())
    .filter((line) => line !== '')
}
