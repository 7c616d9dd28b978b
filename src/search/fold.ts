/** Scripts written without spaces: each letter is a word by itself, and a run of them is looked for as a phrase. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/gu

/** Letters that Unicode does not take apart, though people leave out what they carry when they search. */
const PLAIN: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ħ: 'h',
  ı: 'i',
  // Arabic: the forms of alef, the dotless yeh and the teh marbuta.
  أ: 'ا',
  إ: 'ا',
  آ: 'ا',
  ٱ: 'ا',
  ى: 'ي',
  ة: 'ه',
}
const CARRYING = new RegExp(`[${Object.keys(PLAIN).join('')}]`, 'gu')

/**
 * Text as the index keeps it and as queries ask for it: compatibility-composed and in small letters, without accents
 * and vowel marks, words of scripts without spaces apart.
 */
export function foldForSearch(text: string): string {
  return foldLetters(text).replaceAll(UNSPACED, ' $& ')
}

/** One word or letter of the text as it stands there, and as it is compared. */
export interface Word {
  /** Where it begins and ends in the text, in UTF-16 units. */
  from: number
  to: number
  folded: string
}

/** The words of a text that is shown, each with its folded form. */
export function* wordsOf(text: string): Generator<Word> {
  for (const { index, 0: run } of text.matchAll(/[\p{L}\p{N}\p{M}\p{Co}]+/gu)) {
    let from = index
    for (const part of run.split(
      /(?=\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Thai}|\p{Script=Lao}|\p{Script=Khmer}|\p{Script=Myanmar})/gu,
    )) {
      yield { from, to: from + part.length, folded: foldLetters(part).trim() }
      from += part.length
    }
  }
}

function foldLetters(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(CARRYING, (letter) => PLAIN[letter] ?? letter)
    .normalize('NFKD')
    .replaceAll(/[\p{M}\u0640\u200b-\u200f\u202a-\u202e\u2066-\u2069\u00ad\ufeff]/gu, '')
}
