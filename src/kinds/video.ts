import { z } from 'zod'
import { commonFields, commonStrategies, commonSummary, FIELDS, LIMITS, text } from './base/fields.ts'
import type { Kind } from './base/kind.ts'

/** Film. The files themselves are the media's; this is what stands around them. */
export const video: Kind = {
  name: 'video',
  path: 'videos',
  by: 'anyone',
  comments: true,
  schema: z.looseObject({
    ...commonFields,
    /** Markdown. */
    body: text(LIMITS.body).optional(),
  }),
  strategies: commonStrategies,
  form: [
    FIELDS.files,
    FIELDS.title,
    FIELDS.author,
    FIELDS.summary,
    { name: 'body', control: 'markdown', rows: 8 },
    FIELDS.tags,
    FIELDS.places,
    FIELDS.language,
    FIELDS.commentsClosed,
    FIELDS.dayOnly,
    FIELDS.group,
    FIELDS.translationOf,
  ],
  sections: () => ['newswire', 'media'],
  listing: commonSummary,
}
