import { trimCommon } from './bounds.ts'
import type { Budget } from './bounds.ts'
import { threeWay } from './three-way.ts'

/** What merging two changed texts gives; `clean` is false where a side's change was put aside for the later one. */
export interface MergedText {
  text: string
  clean: boolean
}

/** How a merge is done: the work it may do, and what it puts where two changes cannot both stand. */
export interface Manner {
  readonly budget: Budget
  readonly stands: (later: string) => string
}

/** Ends where the next paragraph's own line begins, because a line's indentation means something in Markdown. */
export const BLANK_LINES = /(\r?\n(?:[ \t\r]*\n)+)/

/**
 * Merges two changes of one text: by paragraphs first, and by words inside paragraphs that both changed. Paragraphs
 * that both sides put at the same place are both kept, the earlier side's first. Where words cannot be merged
 * cleanly, and where the texts have more that repeats than a difference can be found in with bounded work, the later
 * side stands.
 *
 * Without a base there is nothing to tell a change by: the later side stands whole.
 */
export function mergeText(later: string, earlier: string, base: string, manner: Manner): MergedText {
  if (later === earlier || earlier === base) return { text: later, clean: true }
  if (later === base) return { text: earlier, clean: true }
  const whole = { text: manner.stands(later), clean: false }
  if (base.trim() === '') return whole
  const between = BLANK_LINES.exec(base)?.[0] ?? '\n\n'
  const [a, o, b] = [later, base, earlier].map((text) => paragraphs(text, between)) as [
    Tokens,
    Tokens,
    Tokens,
  ]
  const regions = threeWay(a, o, b, { touching: false, budget: manner.budget })
  if (!regions) return whole
  let text = ''
  let clean = true
  for (const region of regions) {
    const merged = mergeParagraphs(a.slice(...region.a), o.slice(...region.o), b.slice(...region.b), manner)
    text += merged.text
    clean &&= merged.clean
  }
  const end = endOf(later) === endOf(base) ? endOf(earlier) : endOf(later)
  return { text: text.trimEnd() + end, clean }
}

export type Tokens = readonly string[]

function mergeParagraphs(a: Tokens, o: Tokens, b: Tokens, manner: Manner): MergedText {
  const [later, base, earlier] = [a.join(''), o.join(''), b.join('')]
  if (later === earlier || earlier === base) return { text: later, clean: true }
  if (later === base) return { text: earlier, clean: true }
  if (o.length === 0) return { text: bothInserted(a, b), clean: true }
  if (o.length > 1 && a.length === o.length && b.length === o.length) {
    const each = o.map((_, at) => mergeParagraphs(one(a, at), one(o, at), one(b, at), manner))
    return { text: each.map(({ text }) => text).join(''), clean: each.every(({ clean }) => clean) }
  }
  const text = mergeWords(later, base, earlier, manner.budget)
  return text === undefined ? { text: manner.stands(later), clean: false } : { text, clean: true }
}

function one(list: Tokens, at: number): Tokens {
  return list.slice(at, at + 1)
}

/** The earlier side's paragraphs and then the later's; what both begin or end with stands once. */
function bothInserted(later: Tokens, earlier: Tokens): string {
  const { head, tail } = trimCommon(later, earlier)
  return [...earlier.slice(0, earlier.length - tail), ...later.slice(head)].join('')
}

/** Both sides' changes of words, or undefined where they touch or overlap. */
function mergeWords(later: string, base: string, earlier: string, budget: Budget): string | undefined {
  const [a, o, b] = [words(later), words(base), words(earlier)]
  const regions = threeWay(a, o, b, { touching: true, budget })
  if (!regions) return undefined
  let text = ''
  for (const region of regions) {
    const ours = a.slice(...region.a).join('')
    const before = o.slice(...region.o).join('')
    const theirs = b.slice(...region.b).join('')
    if (ours !== before && theirs !== before && ours !== theirs) return undefined
    text += ours === before ? theirs : ours
  }
  return text
}

/** Paragraphs with the blank lines behind them; the last one gets those that would stand `between` it and another. */
export function paragraphs(text: string, between: string): Tokens {
  const trimmed = text.trimEnd()
  if (trimmed === '') return []
  const parts = [...trimmed.split(BLANK_LINES), between]
  return parts.flatMap((part, at) => (at % 2 === 0 ? [part + (parts[at + 1] ?? '')] : []))
}

/** The white space that a text ends with. */
export function endOf(text: string): string {
  return text.slice(text.trimEnd().length)
}

/**
 * Words with the white space behind them, so that changes of neighbouring words touch. Scripts that write without
 * spaces count by character; the ranges are written out here because a segmenter's rules differ between versions, and
 * every node must find the same words.
 */
const WORD =
  /[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]\s*|[\u{20000}-\u{3ffff}]\s*|[^\s\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\u{20000}-\u{3ffff}]+\s*|\s+/gu

function words(text: string): string[] {
  return text.match(WORD) ?? []
}
