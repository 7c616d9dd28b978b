import { z } from 'zod'
import {
  address,
  commonFields,
  commonStrategies,
  commonSummary,
  FIELDS,
  flag,
  line,
  LIMITS,
  name,
  text,
} from './base/fields.ts'
import type { Kind } from './base/kind.ts'

/** Most external feeds and most entries of a playlist. */
export const GROUP_LIMITS = { feeds: 5, playlist: 100, summary: 1_500 } as const

/** A group that publishes: its page, its newswire and calendar, what it reads elsewhere and what it plays. */
export const group: Kind = {
  name: 'group',
  path: 'groups',
  by: 'anyone',
  comments: false,
  schema: z.looseObject({
    ...commonFields,
    body: text(LIMITS.body).optional(),
    /** Addresses of feeds that its page shows. */
    feeds: z
      .array(address())
      .max(GROUP_LIMITS.feeds, `has more than ${GROUP_LIMITS.feeds} entries`)
      .optional(),
    playlist: z
      .array(z.looseObject({ title: name(LIMITS.title), address: address() }))
      .max(GROUP_LIMITS.playlist, `has more than ${GROUP_LIMITS.playlist} entries`)
      .optional(),
    contact: line(LIMITS.contact).optional(),
    /** Anybody may publish in it; otherwise only who has the group's link. */
    open: flag().optional(),
  }),
  strategies: {
    ...commonStrategies,
    feeds: 'set',
    playlist: 'list',
    contact: 'latest',
    open: 'latest',
  },
  form: [
    FIELDS.title,
    { ...FIELDS.summary, required: true, longest: GROUP_LIMITS.summary },
    { name: 'body', control: 'markdown', rows: 8 },
    FIELDS.files,
    { name: 'contact', control: 'line', longest: LIMITS.contact },
    FIELDS.tags,
    FIELDS.places,
    FIELDS.language,
    { name: 'feeds', control: 'addresses', rows: 3, more: true },
    { name: 'playlist', control: 'playlist', rows: 5, more: true },
    { name: 'open', control: 'flag', more: true },
    FIELDS.dayOnly,
  ],
  sections: () => [],
  listing: (fields) => ({ ...commonSummary(fields), ...(fields.open === true ? { open: true } : {}) }),
}
