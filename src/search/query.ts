import { foldForSearch } from './fold.ts'

/** What somebody looks for, understood. */
export interface Query {
  /** All of these have to be there. */
  terms: QueryTerm[]
  /** None of these may be there. */
  without: QueryTerm[]
  /** What could not be taken as it was typed. */
  notices: Notice[]
}

export interface QueryTerm {
  /** Folded words, which have to follow one another. */
  words: string[]
  /** The last word is the beginning of one. */
  prefix: boolean
}

/** `unclosed_quote`: the phrase ends with the text. `too_long`: the rest is left out. `lone_sign`: it says nothing. */
export type Notice = 'unclosed_quote' | 'too_long' | 'lone_sign'

export const QUERY_LIMITS = { letters: 400, terms: 20 } as const

const PART = /(-?)(?:"([^"]*)("?)|([^\s"]+))/gu

/**
 * Reads what was typed: words that all have to be there, "phrases in quotes", beginn*, -without. Any text has a
 * meaning; whatever is not a letter or a digit parts words.
 */
export function readQuery(typed: string): Query {
  const query: Query = { terms: [], without: [], notices: [] }
  const note = (notice: Notice) => {
    if (!query.notices.includes(notice)) query.notices.push(notice)
  }
  const text = Array.from(typed)
    .slice(0, QUERY_LIMITS.letters)
    .join('')
    .replaceAll(/[“”„«»]/gu, '"')
  if (text.length < typed.length && Array.from(typed).length > QUERY_LIMITS.letters) note('too_long')
  for (const [, minus, phrase, closed, word] of text.matchAll(PART)) {
    if (phrase !== undefined && closed === '') note('unclosed_quote')
    const written = phrase ?? word ?? ''
    const words = wordsIn(written)
    if (words.length === 0) {
      note('lone_sign')
      continue
    }
    if (query.terms.length + query.without.length === QUERY_LIMITS.terms) {
      note('too_long')
      break
    }
    const list = minus === '-' ? query.without : query.terms
    list.push({ words, prefix: written.endsWith('*') })
  }
  return query
}

/** A query in the language of FTS5: `filters` are tokens that have to be there, too. Nothing typed is ever syntax. */
export function ftsQuery(
  { terms, without }: Pick<Query, 'terms' | 'without'>,
  filters: readonly string[],
): string {
  const wanted = [...filters.map((token) => `filters : "${token}"`), ...terms.map(ftsTerm)]
  const positive = wanted.join(' AND ')
  return without.length === 0
    ? positive
    : `(${positive}) NOT ({title text} : (${without.map(ftsPhrase).join(' OR ')}))`
}

/** A query for those terms in one column. */
export function ftsInColumn(terms: readonly QueryTerm[], column: string): string {
  return `${column} : (${terms.map(ftsPhrase).join(' OR ')})`
}

function ftsTerm(term: QueryTerm): string {
  return `{title text} : (${ftsPhrase(term)})`
}

function ftsPhrase({ words, prefix }: QueryTerm): string {
  return `"${words.join(' ')}"${prefix ? ' *' : ''}`
}

function wordsIn(text: string): string[] {
  return foldForSearch(text).match(/[\p{L}\p{N}\p{Co}]+/gu) ?? []
}
