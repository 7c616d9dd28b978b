import { z } from 'zod'
import {
  address,
  commonFields,
  commonStrategies,
  commonSummary,
  FIELDS,
  LIMITS,
  text,
} from './base/fields.ts'
import type { Kind } from './base/kind.ts'

/** Something worth reading elsewhere. It has a column of its own, so that bare links do not fill the newswire. */
export const link: Kind = {
  name: 'link',
  path: 'links',
  by: 'anyone',
  comments: true,
  schema: z.looseObject({
    ...commonFields,
    /** Where it is to be read; nobody here asks that address. */
    address: address(),
    body: text(LIMITS.body).optional(),
  }),
  strategies: { ...commonStrategies, address: 'latest' },
  form: [
    FIELDS.title,
    { name: 'address', control: 'address', required: true, longest: LIMITS.address },
    { ...FIELDS.summary },
    FIELDS.author,
    FIELDS.tags,
    FIELDS.places,
    FIELDS.language,
    FIELDS.commentsClosed,
    FIELDS.group,
    FIELDS.translationOf,
  ],
  sections: () => [],
  listing: (fields) => ({ ...commonSummary(fields), address: fields.address }),
}
