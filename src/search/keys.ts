import { createHash } from 'node:crypto'
import { wallTime } from '../ledger/clock.ts'
import type { IndexEntry, SearchQuery } from './search-index.ts'

/** Milliseconds since 1970 and 20 bits that tell apart what is of one of them: good until the year 2248. */
const PLACE_BITS = 20n
/** Every entry has it, so that there is something to leave out from. */
const ALL = 'xall'

/** The tokens that everything a query may find has. */
export function filtersOf({ kind, tag, place, group, language, author }: SearchQuery): string[] {
  const wanted = Object.entries({ kind, tag, place, group, language, author })
  return [ALL, ...wanted.flatMap(([name, value]) => (value === undefined ? [] : [filterToken(name, value)]))]
}

/** The tokens of an entry, one for each thing that a search may be narrowed to. */
export function filtersOfEntry({ kind, tags, places, group, language, author }: IndexEntry): string[] {
  return [
    ALL,
    filterToken('kind', kind),
    ...tags.map((name) => filterToken('tag', name)),
    ...places.map((name) => filterToken('place', name)),
    ...(group === undefined ? [] : [filterToken('group', group)]),
    ...(language === '' ? [] : [filterToken('language', language)]),
    ...(author === undefined ? [] : [filterToken('author', author)]),
  ]
}

/** A word that nobody writes, for what is no word. */
function filterToken(name: string, value: string): string {
  return `x${createHash('sha256').update(`${name}:${value}`).digest('hex').slice(0, 20)}`
}

/** The place of an entry in the order of time. */
export function placeOf(at: string, id: string): bigint {
  const low = createHash('sha256').update(id).digest().readUInt32BE(0) & ((1 << Number(PLACE_BITS)) - 1)
  return (BigInt(Math.max(0, wallTime(at))) << PLACE_BITS) | BigInt(low)
}

/** The first and the last place of a query's days. */
export function periodOf({ from, until }: SearchQuery): [oldest: bigint, newest: bigint] {
  const start = from === undefined ? 0 : Math.max(0, Date.parse(`${from}T00:00:00Z`))
  const end = until === undefined ? 2 ** 42 : Math.max(0, Date.parse(`${until}T23:59:59.999Z`))
  return [BigInt(start) << PLACE_BITS, ((BigInt(end) + 1n) << PLACE_BITS) - 1n]
}
