import { z } from 'zod'
import {
  commonFields,
  commonStrategies,
  commonSummary,
  FIELDS,
  flag,
  LIMITS,
  wholeText,
} from './base/fields.ts'
import type { Kind } from './base/kind.ts'

/** A page that stands: who we are, how to publish, guidelines. */
export const page: Kind = {
  name: 'page',
  path: 'pages',
  by: 'editors',
  comments: false,
  schema: z.looseObject({
    ...commonFields,
    body: wholeText(LIMITS.body),
    /** Every page of the site links to it. */
    inMenu: flag().optional(),
  }),
  strategies: { ...commonStrategies, inMenu: 'latest' },
  form: [
    FIELDS.title,
    FIELDS.summary,
    FIELDS.body,
    FIELDS.files,
    FIELDS.language,
    { name: 'inMenu', control: 'flag' },
    FIELDS.translationOf,
  ],
  sections: ({ inMenu }) => (inMenu === true ? ['menu'] : []),
  listing: commonSummary,
}
