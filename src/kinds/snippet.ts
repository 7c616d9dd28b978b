import { z } from 'zod'
import {
  address,
  commonFields,
  commonStrategies,
  commonSummary,
  FIELDS,
  LIMITS,
  wholeText,
} from './base/fields.ts'
import type { Kind } from './base/kind.ts'

/** Where a snippet may stand: above or beside the front page, or at the foot of every page. */
export const SPOTS = ['front', 'side', 'foot'] as const

/** A few lines that editors put in a fixed spot. */
export const snippet: Kind = {
  name: 'snippet',
  path: 'snippets',
  by: 'editors',
  comments: false,
  schema: z.looseObject({
    ...commonFields,
    spot: z.enum(SPOTS, 'is not the name of a spot'),
    body: wholeText(20_000),
    address: address().optional(),
  }),
  strategies: { ...commonStrategies, spot: 'latest', address: 'latest' },
  form: [
    FIELDS.title,
    { name: 'spot', control: 'choice', choices: SPOTS },
    { ...FIELDS.body, rows: 6, longest: 20_000 },
    FIELDS.files,
    { name: 'address', control: 'address', longest: LIMITS.address },
    FIELDS.language,
  ],
  sections: () => ['snippet'],
  // The text itself is listed: where a snippet stands, nothing else of it is read.
  listing: (fields) => ({
    ...commonSummary(fields),
    spot: fields.spot,
    body: fields.body,
    ...(fields.address === undefined ? {} : { address: fields.address }),
  }),
}
