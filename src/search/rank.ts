import { wordsOf } from './fold.ts'
import type { Query, QueryTerm } from './query.ts'
import type { IndexEntry } from './search-index.ts'
import { matchesAt } from './snippet.ts'

/** Those that come first by title and time are read and weighed; the others follow in that order. */
const WEIGHED = 100
const TITLE = 3
const NEWEST = 1
/** How soon more of the same says no more, and how much length counts (BM25's k1 and b). */
const SATURATION = 1.2
const LENGTH = 0.5
const USUAL_WORDS = 300
const MOST_WORDS = 2_000

/**
 * Orders entries that all fit a query: by how often its terms stand in the text and in the title, by the usual measure
 * (BM25 without the rarity of terms, for all of them have to be there), and by how new they are among the others.
 *
 * @param places of the entries, newest first
 * @param inTitle those with a term in their title
 */
export function rank(
  places: readonly bigint[],
  {
    inTitle,
    query,
    textOf,
  }: { inTitle: ReadonlySet<bigint>; query: Query; textOf: (places: readonly bigint[]) => IndexEntry[] },
): bigint[] {
  const newness = new Map(places.map((place, index) => [place, NEWEST * (1 - index / places.length)]))
  const first = [
    ...places.filter((place) => inTitle.has(place)),
    ...places.filter((place) => !inTitle.has(place)),
  ]
  const weighed = first.slice(0, WEIGHED)
  const entries = textOf(weighed)
  const scores = new Map(
    weighed.map((place, index) => {
      const entry = entries[index]
      return [place, (newness.get(place) ?? 0) + (entry ? weightOf(entry, query.terms) : 0)]
    }),
  )
  const best = weighed.toSorted((a, b) => (scores.get(b) ?? 0) - (scores.get(a) ?? 0) || (a < b ? 1 : -1))
  return [...best, ...first.slice(WEIGHED)]
}

function weightOf(
  { title, summary, body, tags, places, author = '' }: IndexEntry,
  terms: readonly QueryTerm[],
): number {
  const text = `${summary} . ${body} . ${tags.join(' . ')} . ${places.join(' . ')} . ${author}`
  return TITLE * frequency(title, terms) + frequency(text, terms)
}

function frequency(text: string, terms: readonly QueryTerm[]): number {
  const words: string[] = []
  for (const { folded } of wordsOf(text)) {
    words.push(folded)
    if (words.length === MOST_WORDS) break
  }
  const length = 1 - LENGTH + (LENGTH * words.length) / USUAL_WORDS
  return terms.reduce((sum, term) => {
    const times = words.filter((_, index) => matchesAt(words, index, term)).length
    return sum + (times * (SATURATION + 1)) / (times + SATURATION * length)
  }, 0)
}
