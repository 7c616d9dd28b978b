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

/** Files that programs play, by how their names end; whoever offers them may say otherwise. */
const MEDIA: Readonly<Record<string, string>> = {
  mp3: 'audio/mpeg',
  m4a: 'audio/mp4',
  ogg: 'audio/ogg',
  oga: 'audio/ogg',
  opus: 'audio/ogg',
  flac: 'audio/flac',
  mp4: 'video/mp4',
  webm: 'video/webm',
  ogv: 'video/ogg',
}

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
    FIELDS.dayOnly,
    FIELDS.group,
    FIELDS.translationOf,
  ],
  sections: () => [],
  listing: (fields) => ({ ...commonSummary(fields), address: fields.address }),
  enclosures: ({ address: where }) => {
    const file = typeof where === 'string' && URL.canParse(where) ? new URL(where).pathname : ''
    const type = MEDIA[/\.([a-z0-9]+)$/i.exec(file)?.[1]?.toLowerCase() ?? '']
    return type === undefined ? [] : [{ address: String(where), type }]
  },
}
