import { diffWordsWithSpace } from 'diff'

/** jsdiff gives up after this, and both texts are shown whole. */
const DIFF_MS = 500

/** A piece of text that is in both versions, only in the older or only in the newer. */
export interface Piece {
  kind: 'same' | 'removed' | 'added'
  text: string
}

/** What changed in a field from one version to another; fields that are equal are left out. */
export interface FieldChange {
  field: string
  pieces: Piece[]
}

/** Fields that are nobody's text. */
const NOT_SHOWN = new Set(['importId', 'groupKey'])

/** The differences between two versions' fields, word by word. */
export function fieldChanges(
  older: Readonly<Record<string, unknown>>,
  newer: Readonly<Record<string, unknown>>,
): FieldChange[] {
  const names = [...new Set([...Object.keys(newer), ...Object.keys(older)])].filter(
    (name) => !NOT_SHOWN.has(name),
  )
  return names.sort().flatMap((field) => {
    const [before, after] = [asText(older[field]), asText(newer[field])]
    return before === after ? [] : [{ field, pieces: pieces(before, after) }]
  })
}

/** What two texts share, and what only one of them has, word by word. */
export function pieces(before: string, after: string): Piece[] {
  const parts = diffWordsWithSpace(before, after, { timeout: DIFF_MS })
  if (!parts) {
    return [
      { kind: 'removed', text: before },
      { kind: 'added', text: after },
    ]
  }
  return parts.map(({ added, removed, value }) => ({
    kind: added ? 'added' : removed ? 'removed' : 'same',
    text: value,
  }))
}

/** A field's value as text: lists a line each, what has parts as JSON. */
export function asText(value: unknown): string {
  if (value === undefined) return ''
  if (typeof value === 'string') return value
  if (Array.isArray(value))
    return value.map(asText).join(value.every((entry) => typeof entry === 'string') ? ', ' : '\n')
  return JSON.stringify(value)
}
