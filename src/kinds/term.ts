import { z } from 'zod'
import { commonFields, commonStrategies, commonSummary, FIELDS, flag, line, LIMITS } from './base/fields.ts'
import type { Kind } from './base/kind.ts'
import { normaliseTerm, readTerms, uniqueTerms } from './base/vocabulary.ts'

const isNormal = (value: string) => value !== '' && normaliseTerm(value) === value

/** What editors say of a word of a vocabulary: its other names lead to it, and it may be suggested to who publishes. */
export const term: Kind = {
  name: 'term',
  path: 'terms',
  by: 'editors',
  comments: false,
  schema: z.looseObject({
    ...commonFields,
    title: line(LIMITS.term).refine(isNormal, 'is not written as a tag is'),
    vocabulary: z.enum(['tag', 'place'], 'is not the name of a vocabulary'),
    /** Names that stand for this one. */
    also: z
      .array(line(LIMITS.term).refine(isNormal, 'is not written as a tag is'))
      .max(200, 'has more than 200 entries'),
    suggested: flag().optional(),
  }),
  strategies: {
    ...commonStrategies,
    title: 'latest',
    vocabulary: 'latest',
    also: 'set',
    suggested: 'latest',
  },
  form: [
    { ...FIELDS.title, longest: LIMITS.term },
    { name: 'vocabulary', control: 'choice', choices: ['tag', 'place'] },
    { name: 'also', control: 'tags' },
    { name: 'suggested', control: 'flag' },
    FIELDS.language,
  ],
  sections: () => [],
  listing: (fields) => ({
    ...commonSummary(fields),
    vocabulary: fields.vocabulary,
    also: uniqueTerms(readTerms((fields.also as string[]).join(','))),
    ...(fields.suggested === true ? { suggested: true } : {}),
  }),
}
