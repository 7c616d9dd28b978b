import { Budget } from './bounds.ts'
import { BLANK_LINES, endOf, paragraphs } from './text.ts'
import type { Tokens } from './text.ts'
import { lineUp } from './three-way.ts'

/** Paragraphs that are the same in all texts, or what each text has in the same place. */
export interface Passage {
  readonly merged: string
  readonly sides: readonly string[]
  readonly same: boolean
}

/** Texts lined up by paragraphs. */
export interface Aligned {
  readonly passages: readonly Passage[]
  /** The white space that each text ends with, and what stands between two paragraphs. */
  readonly ends: { readonly merged: string; readonly sides: readonly string[] }
  readonly between: string
}

/** What somebody takes for a passage: one side by its number, all of them one after the other, or a new text. */
export type Choice = number | 'all' | { readonly anew: string }

/**
 * Lines up the sides of a clash with the text that they were merged to. The passages of one side, put together, are
 * that side. Texts that cannot be compared with bounded work are one passage.
 *
 * @param most differing passages that there may be; what is beyond them is one passage
 */
export function align(merged: string, sides: readonly string[], most = Infinity): Aligned {
  const all = [merged, ...sides]
  const between = all.map((text) => BLANK_LINES.exec(text.trimEnd())?.[0]).find(Boolean) ?? '\n\n'
  const tokens = sides.map((text) => paragraphs(text, between))
  const ends = { merged: endOf(merged), sides: sides.map(endOf) }
  const base = paragraphs(merged, between)
  const stretches = lineUp(base, tokens, { touching: false, budget: new Budget() })
  const found = (stretches ?? []).flatMap(({ o, sides: spans }) =>
    passagesIn(
      base.slice(...o),
      tokens.map((side, at) => side.slice(...(spans[at] ?? [0, 0]))),
    ),
  )
  const whole = [{ ...passage(base, tokens), same: false }]
  const passages = found.every(({ same }) => same) && all.some((text) => text !== merged) ? whole : found
  return { passages: stretches ? bounded(passages, most) : whole, ends, between }
}

/** The text that choices make of aligned texts; without a choice a passage is as it was merged. */
export function written({ passages, ends, between }: Aligned, choices: ReadonlyMap<number, Choice>): string {
  let text = ''
  let end = ends.merged
  for (const [at, { merged, sides, same }] of passages.entries()) {
    const choice = choices.get(at)
    if (same || choice === undefined) text += merged
    else if (typeof choice === 'number') text += sides[choice] ?? merged
    else if (choice === 'all') text += [...new Set(sides)].join('')
    else if (choice.anew.trim() !== '') text += choice.anew.trimEnd() + between
    // How the text ends is a matter of whose last words were taken.
    if (!same) end = (typeof choice === 'number' ? ends.sides[choice] : undefined) ?? ends.merged
  }
  return text.trimEnd() + end
}

/** Where every text has as many paragraphs, each is a passage of its own. */
function passagesIn(base: Tokens, sides: readonly Tokens[]): Passage[] {
  if (base.length < 2 || sides.some(({ length }) => length !== base.length)) return [passage(base, sides)]
  const each = base.map((_, at) =>
    passage(
      base.slice(at, at + 1),
      sides.map((side) => side.slice(at, at + 1)),
    ),
  )
  return each.every(({ same }) => same) ? [passage(base, sides)] : each
}

function passage(base: Tokens, sides: readonly Tokens[]): Passage {
  const merged = base.join('')
  const texts = sides.map((side) => side.join(''))
  return { merged, sides: texts, same: texts.every((text) => text === merged) }
}

function bounded(passages: readonly Passage[], most: number): readonly Passage[] {
  const differing = passages.flatMap(({ same }, at) => (same ? [] : [at]))
  const from = differing[most - 1]
  if (differing.length <= most || from === undefined) return passages
  const rest = passages.slice(from)
  const last: Passage = {
    merged: rest.map(({ merged }) => merged).join(''),
    sides: (rest[0]?.sides ?? []).map((_, side) => rest.map(({ sides }) => sides[side] ?? '').join('')),
    same: false,
  }
  return [...passages.slice(0, from), last]
}
