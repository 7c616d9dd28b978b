import { hash } from 'node:crypto'
import type { Reads } from '../../reads.ts'
import { scopeOf, scopeOfRange } from './dependencies.ts'
import type { Change } from './dependencies.ts'

/** Every page has it: what drops it drops everything. */
export const EVERYTHING = 'all'
/** How long the header may become: servers in front take 4 KB of headers, and a page has others too. */
const LONGEST = 2000
/** Letters of a key: all pages with one letter fewer than they need would hold each other's keys as well. */
const LENGTHS = [10, 3, 1] as const
const MOST_KNOWN = 20_000

const known = new Map<string, string>()

/**
 * The value of a page's `Surrogate-Key` header: keys of all that it was made of. They are the first letters of hashes,
 * so they tell nobody what they stand for who does not know it already. A page that was made of more than the header
 * can hold has shorter keys, which other things have as well: it is dropped more often than it must, never less.
 */
export function surrogateKeys(reads: Reads): string {
  const names = namesOf(reads.documents, reads.names, reads.ranges.map(scopeOfRange))
  for (const length of LENGTHS) {
    const keys = new Set(names.map((name) => keyOf(name).slice(0, length)))
    const value = [EVERYTHING, ...keys].join(' ')
    if (value.length <= LONGEST) return value
  }
  return EVERYTHING
}

/** Keys of which a page that a change concerns has at least one. */
export function changedKeys({ documents, names, rows }: Change): string[] {
  const scopes = rows.flatMap(({ view, ordered }) => [scopeOf(view, ordered), `${view} `])
  const keys = namesOf(documents, names, scopes).map(keyOf)
  return [...new Set(keys.flatMap((key) => LENGTHS.map((length) => key.slice(0, length))))]
}

function namesOf(documents: Iterable<string>, names: Iterable<string>, scopes: Iterable<string>): string[] {
  return [
    ...[...documents].map((id) => `document ${id}`),
    ...[...names].map((name) => `name ${name}`),
    ...[...scopes].map((scope) => `rows ${scope}`),
  ]
}

/** Pages have most of their keys in common, so each is made once. */
function keyOf(name: string): string {
  const found = known.get(name)
  if (found !== undefined) return found
  const key = hash('sha256', name, 'base64url').slice(0, LENGTHS[0])
  if (known.size >= MOST_KNOWN) known.clear()
  known.set(name, key)
  return key
}
