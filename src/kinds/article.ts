import { z } from 'zod'
import { commonFields, commonStrategies, commonSummary, FIELDS, LIMITS, wholeText } from './base/fields.ts'
import type { Kind } from './base/kind.ts'

/** A report, an opinion, an announcement: the newswire's daily bread. */
export const article: Kind = {
  name: 'article',
  path: 'articles',
  by: 'anyone',
  comments: true,
  schema: z.looseObject({
    ...commonFields,
    /** Markdown. */
    body: wholeText(LIMITS.body),
  }),
  strategies: commonStrategies,
  form: [
    FIELDS.title,
    FIELDS.author,
    FIELDS.summary,
    FIELDS.body,
    FIELDS.files,
    FIELDS.tags,
    FIELDS.places,
    FIELDS.language,
    FIELDS.commentsClosed,
    FIELDS.dayOnly,
    FIELDS.group,
    FIELDS.translationOf,
  ],
  sections: () => ['newswire'],
  listing: commonSummary,
}
