import { allKinds } from '../../kinds/base/registry.ts'
import { normaliseTerm } from '../../kinds/base/vocabulary.ts'
import { CATEGORIES } from '../categories.ts'

/** What of an item or comment a filter can look at. */
export const PARTS = ['title', 'summary', 'body', 'author', 'links', 'tags'] as const
export type Part = (typeof PARTS)[number]

/** How a pattern is read: words and phrases, one a line, or one regular expression. */
export const WAYS = ['words', 'expression'] as const
export type Way = (typeof WAYS)[number]

/** What a filter does with what it matches. */
export const DEEDS = ['queue', 'hide', 'tag'] as const
export type Deed = (typeof DEEDS)[number]

export const FILTER_LIMITS = { name: 100, pattern: 500, tag: 50 } as const

/** What a filter can be limited to: kinds that readers publish, and comments. */
export const FILTERED_KINDS: readonly string[] = [
  ...allKinds()
    .filter(({ by }) => by === 'anyone')
    .map(({ name }) => name),
  'comment',
]

/** How something is looked for. */
export interface Pattern {
  way: Way
  pattern: string
  /** Where; anywhere when there are none. */
  parts: readonly Part[]
  /** In which kinds, "comment" among them; in all when there are none. */
  kinds: readonly string[]
}

/** A rule of the moderators of this node. */
export interface Filter extends Pattern {
  id: string
  name: string
  deed: Deed
  /** For hiding: the reason that stands in the log beside the filter's name. */
  category?: string
  /** For tagging. */
  tag?: string
  off: boolean
  /** The hybrid time from which on it acts: on what is published or changed after it. */
  from: string
}

/** What a form says of a filter. */
export type FilterInput = Omit<Filter, 'id' | 'off' | 'from'>

/** What is wrong with a filter, by the name of the form's field: the name of a message. */
export type FilterProblems = Partial<Record<'name' | 'pattern' | 'category' | 'tag', string>>

/** What is wrong with what was typed, before any text is looked at. */
export function problemsOf({ name, pattern, deed, category, tag }: FilterInput): FilterProblems {
  const problems: FilterProblems = {}
  if (name === '') problems.name = 'missing'
  else if (name.length > FILTER_LIMITS.name) problems.name = 'tooLong'
  if (pattern.trim() === '') problems.pattern = 'missing'
  else if (pattern.length > FILTER_LIMITS.pattern) problems.pattern = 'tooLong'
  if (deed === 'hide' && !(CATEGORIES as readonly string[]).includes(category ?? ''))
    problems.category = 'missing'
  if (deed === 'tag' && normaliseTerm(tag ?? '') === '') problems.tag = 'missing'
  else if ((tag ?? '').length > FILTER_LIMITS.tag) problems.tag = 'tooLong'
  return problems
}
