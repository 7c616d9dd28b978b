import { wordsOf } from './fold.ts'
import type { QueryTerm } from './query.ts'

/** A part of a text, and whether it was looked for. */
export interface Piece {
  text: string
  hit: boolean
}

const LETTERS = 240
/** Letters before the first hit. */
const LEAD = 60
const MOST_LETTERS = 60_000

/** Whether a term's words begin at one of these words. */
export function matchesAt(
  words: readonly string[],
  index: number,
  { words: wanted, prefix }: QueryTerm,
): boolean {
  return wanted.every((word, offset) => {
    const found = words[index + offset]
    return (
      found !== undefined &&
      (prefix && offset === wanted.length - 1 ? found.startsWith(word) : found === word)
    )
  })
}

/** A text whole, with what was found in it. */
export function highlight(text: string, terms: readonly QueryTerm[]): Piece[] {
  const words = [...wordsOf(text)]
  const folded = words.map((word) => word.folded)
  const pieces: Piece[] = []
  let at = 0
  for (let index = 0; index < words.length; index++) {
    const longest = Math.max(
      0,
      ...terms.filter((term) => matchesAt(folded, index, term)).map((term) => term.words.length),
    )
    const [first, last] = [words[index], words[index + longest - 1]]
    if (longest === 0 || !first || !last) continue
    if (first.from > at) pieces.push({ text: text.slice(at, first.from), hit: false })
    pieces.push({ text: text.slice(first.from, last.to), hit: true })
    at = last.to
    index += longest - 1
  }
  if (at < text.length) pieces.push({ text: text.slice(at), hit: false })
  return pieces
}

/** Some of a text around the first thing that was found in it; its beginning where nothing was. */
export function snippetOf(text: string, terms: readonly QueryTerm[]): Piece[] {
  const some = text.slice(0, MOST_LETTERS)
  const words = [...wordsOf(some)]
  const folded = words.map((word) => word.folded)
  const hit = words.findIndex((_, index) => terms.some((term) => matchesAt(folded, index, term)))
  const first = words[hit]
  const wanted = first && first.from > LEAD ? first.from - LEAD : 0
  const from = wanted === 0 ? 0 : (words.find((word) => word.from >= wanted)?.from ?? 0)
  const whole = some.slice(from)
  const end =
    whole.length <= LETTERS
      ? whole.length
      : (words.findLast(({ to }) => to <= from + LETTERS)?.to ?? from + LETTERS) - from
  const shown = highlight(whole.slice(0, Math.max(end, 0)), terms)
  if (from > 0) shown.unshift({ text: '… ', hit: false })
  if (from + end < text.length) shown.push({ text: ' …', hit: false })
  return shown
}
