import { z } from 'zod'
import { commonFields, commonStrategies, commonSummary, FIELDS, flag, LIMITS, text } from './base/fields.ts'
import type { Kind } from './base/kind.ts'

/** A call to act now. The newest one that says so stands as a banner on the front page. */
export const alert: Kind = {
  name: 'alert',
  path: 'alerts',
  by: 'editors',
  comments: false,
  schema: z.looseObject({
    ...commonFields,
    summary: text(500),
    body: text(LIMITS.body).optional(),
    onFront: flag().optional(),
  }),
  strategies: { ...commonStrategies, onFront: 'latest' },
  form: [
    FIELDS.title,
    { ...FIELDS.summary, required: true, longest: 500 },
    { name: 'body', control: 'markdown', rows: 8 },
    FIELDS.tags,
    FIELDS.places,
    FIELDS.language,
    { name: 'onFront', control: 'flag' },
    FIELDS.translationOf,
  ],
  sections: ({ onFront }) => (onFront === true ? ['banner'] : []),
  listing: commonSummary,
}
