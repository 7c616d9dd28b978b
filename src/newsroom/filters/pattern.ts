import { RE2JS, RE2JSException } from 're2js'
import { HyperactiveError } from '../../errors.ts'
import { wordsOf } from '../../search/fold.ts'
import { PARTS } from './filter.ts'
import type { Pattern } from './filter.ts'
import type { Texts } from './texts.ts'

/** Instructions that an expression may come to: looking at a text takes time by their number. */
const MOST_INSTRUCTIONS = 1000

/** Says whether texts match. */
export type Matching = (texts: Texts) => boolean

/**
 * Makes a pattern ready. Regular expressions are run by RE2's algorithm, whose time grows with the length of the text
 * alone, whatever the expression; the letters' case does not matter, and `^` and `$` stand at each line.
 *
 * @throws HyperactiveError `filter_bad_pattern`, with what is wrong; `filter_too_large`
 */
export function compile({ way, pattern, parts, kinds }: Pattern): Matching {
  const matches = way === 'words' ? words(pattern) : expression(pattern)
  const where = parts.length > 0 ? parts : PARTS
  return ({ kind, parts: texts }) =>
    (kinds.length === 0 || kinds.includes(kind)) && where.some((part) => matches(texts[part]))
}

function expression(pattern: string): (text: string) => boolean {
  let compiled: RE2JS
  try {
    compiled = RE2JS.compile(pattern.normalize('NFC'), RE2JS.CASE_INSENSITIVE | RE2JS.MULTILINE)
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error
    // "error parsing regexp: missing closing ): `(?m)(?i)(`": the flags in front are not the author's.
    const text = error.message.replace(/^error parsing regexp: /, '').replace('`(?m)(?i)', '`')
    throw new HyperactiveError('filter_bad_pattern', text, { status: 422, cause: error })
  }
  if (compiled.programSize() > MOST_INSTRUCTIONS)
    throw new HyperactiveError('filter_too_large', 'the expression comes to too many steps', { status: 422 })
  return (text) => compiled.test(text)
}

/** Whole words, whatever their case and accents; several in one line stand one after the other. */
function words(pattern: string): (text: string) => boolean {
  const phrases = pattern
    .split('\n')
    .map(folded)
    .filter((phrase) => phrase.trim() !== '')
  if (phrases.length === 0)
    throw new HyperactiveError('filter_bad_pattern', 'there is no word in it', { status: 422 })
  return (text) => {
    const line = folded(text)
    return phrases.some((phrase) => line.includes(phrase))
  }
}

function folded(text: string): string {
  return ` ${[...wordsOf(text)].map(({ folded }) => folded).join(' ')} `
}
