/** The two vocabularies: what an item is about, and where. */
export type Vocabulary = 'tag' | 'place'

/**
 * A tag or place in the form in which it is stored, compared and put into addresses: compatibility-composed Unicode
 * (so that wide and ligature letters are the plain ones), lower case, single spaces, no control or invisible characters, and
 * none of those that part one term from the next.
 */
export function normaliseTerm(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .normalize('NFKC')
    .replaceAll(/[\p{Cc}\p{Z}\s,،、，;；؛]+/gu, ' ')
    .replaceAll(/[\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\u00ad]/gu, '')
    .replaceAll(/ +/g, ' ')
    .trim()
}

/** Several of them as people type them into one line: separated by commas of any script, each once, sorted. */
export function readTerms(text: string): string[] {
  return uniqueTerms(text.split(/[,،、，;；؛\n]/u))
}

/** Normalised, without empty ones, each once, sorted by code unit. */
export function uniqueTerms(names: readonly string[]): string[] {
  return [...new Set(names.map(normaliseTerm))].filter((name) => name !== '').sort()
}
