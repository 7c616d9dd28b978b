import { diff3MergeRegions } from 'node-diff3'
import { pairsWithin, trimCommon } from './bounds.ts'

/** What merging two changed texts gives; `clean` is false where a side's change was put aside for the later one. */
export interface MergedText {
  text: string
  clean: boolean
}

interface Paragraph {
  text: string
  /** The blank lines behind it, as they stood; empty for the last. */
  after: string
}

const BLANK_LINES = /(\n[ \t]*\n[\n \t]*)/
const BETWEEN = '\n\n'

/**
 * Merges two changes of one text: by paragraphs first, and by words inside paragraphs that both changed. Paragraphs
 * that both sides put at the same place are both kept, the earlier side's first. Where words cannot be merged
 * cleanly, and where the texts have more that repeats than a difference can be found in with bounded work, the later
 * side stands.
 *
 * Without a base there is nothing to tell a change by: the later side stands whole.
 */
export function mergeText(later: string, earlier: string, base: string): MergedText {
  if (later === earlier) return { text: later, clean: true }
  if (later === base) return { text: earlier, clean: true }
  if (earlier === base) return { text: later, clean: true }
  if (base.trim() === '') return { text: later, clean: false }
  const [a, o, b] = [later, base, earlier].map(paragraphs) as [Paragraph[], Paragraph[], Paragraph[]]
  const regions = threeWay(textsOf(a), textsOf(o), textsOf(b))
  if (!regions) return { text: later, clean: false }
  const merged: Paragraph[] = []
  let clean = true
  for (const region of regions) {
    if ('from' in region) {
      merged.push(...{ a, o, b }[region.from].slice(region.start, region.end))
      continue
    }
    const sides = { a: a.slice(...region.a), o: o.slice(...region.o), b: b.slice(...region.b) }
    const outcome = mergeRegion(sides.a, sides.o, sides.b)
    merged.push(...outcome.paragraphs)
    clean &&= outcome.clean
  }
  return { text: joined(merged) + (a.at(-1)?.after ?? ''), clean }
}

function mergeRegion(
  a: Paragraph[],
  o: Paragraph[],
  b: Paragraph[],
): { paragraphs: Paragraph[]; clean: boolean } {
  if (o.length === 0) return { paragraphs: [...b, ...a], clean: true }
  if (a.length === o.length && b.length === o.length) {
    const outcomes = a.map((paragraph, index) =>
      mergeParagraph(paragraph, o[index] ?? paragraph, b[index] ?? paragraph),
    )
    return {
      paragraphs: outcomes.map(({ paragraph }) => paragraph),
      clean: outcomes.every(({ clean }) => clean),
    }
  }
  const words = mergeWords(joined(a), joined(o), joined(b))
  const after = (a.at(-1) ?? b.at(-1))?.after ?? ''
  return words === undefined
    ? { paragraphs: a, clean: false }
    : { paragraphs: words === '' ? [] : [{ text: words, after }], clean: true }
}

function mergeParagraph(a: Paragraph, o: Paragraph, b: Paragraph): { paragraph: Paragraph; clean: boolean } {
  if (a.text === b.text || b.text === o.text) return { paragraph: a, clean: true }
  if (a.text === o.text) return { paragraph: b, clean: true }
  const text = mergeWords(a.text, o.text, b.text)
  return text === undefined
    ? { paragraph: a, clean: false }
    : { paragraph: { text, after: a.after }, clean: true }
}

/** Both sides' changes of words, or undefined where they touch or overlap. */
function mergeWords(later: string, base: string, earlier: string): string | undefined {
  const [a, o, b] = [words(later), words(base), words(earlier)]
  const regions = threeWay(a, o, b)
  if (!regions) return undefined
  let text = ''
  for (const region of regions) {
    if (!('from' in region)) return undefined
    text += { a, o, b }[region.from].slice(region.start, region.end).join('')
  }
  return text
}

type Span = [start: number, end: number]
type Region = { from: 'a' | 'o' | 'b'; start: number; end: number } | { a: Span; o: Span; b: Span }

/** The regions of a three-way comparison, or undefined when it would be too much work. */
function threeWay(a: string[], o: string[], b: string[]): Region[] | undefined {
  const { head, tail } = trimCommon(a, o, b)
  const inner = (tokens: string[]) => tokens.slice(head, tokens.length - tail)
  const [innerA, innerO, innerB] = [inner(a), inner(o), inner(b)]
  if (!pairsWithin(innerA, innerO) || !pairsWithin(innerB, innerO)) return undefined
  const regions: Region[] = []
  if (head > 0) regions.push({ from: 'a', start: 0, end: head })
  for (const region of diff3MergeRegions(innerA, innerO, innerB)) {
    if (region.stable) {
      const start = region.bufferStart + head
      regions.push({ from: region.buffer, start, end: start + region.bufferLength })
      continue
    }
    const span = (start: number, length: number): Span => [start + head, start + head + length]
    const spans = {
      a: span(region.aStart, region.aLength),
      o: span(region.oStart, region.oLength),
      b: span(region.bStart, region.bLength),
    }
    const same = a.slice(...spans.a).join('\u0000') === b.slice(...spans.b).join('\u0000')
    regions.push(same ? { from: 'a', start: spans.a[0], end: spans.a[1] } : spans)
  }
  if (tail > 0) regions.push({ from: 'a', start: a.length - tail, end: a.length })
  return regions
}

function paragraphs(text: string): Paragraph[] {
  const parts = text.split(BLANK_LINES)
  const found: Paragraph[] = []
  for (let index = 0; index < parts.length; index += 2) {
    const paragraph = { text: parts[index] ?? '', after: parts[index + 1] ?? '' }
    if (paragraph.text !== '' || paragraph.after !== '') found.push(paragraph)
  }
  return found
}

function textsOf(list: readonly Paragraph[]): string[] {
  return list.map(({ text }) => text)
}

/** Paragraphs with the blank lines that stood behind them; one that was the last gets a blank line when others follow. */
function joined(list: readonly Paragraph[]): string {
  return list
    .map(({ text, after }, index) => (index === list.length - 1 ? text : text + (after || BETWEEN)))
    .join('')
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
