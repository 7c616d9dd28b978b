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

const SHOWN = ['title', 'author', 'summary', 'body', 'tags', 'language']

/** The differences between two versions' fields, word by word. */
export function fieldChanges(
  older: Readonly<Record<string, unknown>>,
  newer: Readonly<Record<string, unknown>>,
): FieldChange[] {
  return SHOWN.flatMap((field) => {
    const [before, after] = [asText(older[field]), asText(newer[field])]
    return before === after ? [] : [{ field, pieces: pieces(before, after) }]
  })
}

function pieces(before: string, after: string): Piece[] {
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

function asText(value: unknown): string {
  if (Array.isArray(value)) return value.map(String).join(', ')
  return typeof value === 'string' ? value : ''
}
