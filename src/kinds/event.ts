import { z } from 'zod'
import {
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

/** Something that takes place, once or again and again. */
export const event: Kind = {
  name: 'event',
  path: 'events',
  by: 'anyone',
  comments: true,
  schema: z.looseObject({
    ...commonFields,
    body: text(LIMITS.body).optional(),
    /** Local wall time in `zone`, "2026-11-23T19:00", or a day where it lasts all day. */
    start: name(16),
    end: line(16).optional(),
    allDay: flag().optional(),
    /** IANA name of a time zone. */
    zone: name(50),
    /** RFC 5545, without "RRULE:". */
    rrule: line(500).optional(),
    /** Local starts of occurrences that do not take place. */
    exceptions: z.array(line(16)).max(200, 'has more than 200 entries').optional(),
    /** Occurrences that differ from the series, by their local start. */
    changes: z
      .array(z.looseObject({ occurrence: name(16) }))
      .max(200, 'has more than 200 entries')
      .optional(),
    venue: line(LIMITS.contact).optional(),
    latitude: line(20).optional(),
    longitude: line(20).optional(),
    contact: line(LIMITS.contact).optional(),
    organiser: line(LIMITS.contact).optional(),
  }),
  strategies: {
    ...commonStrategies,
    start: 'latest',
    end: 'latest',
    allDay: 'latest',
    zone: 'latest',
    rrule: 'latest',
    exceptions: 'set',
    changes: 'list',
    venue: 'latest',
    latitude: 'latest',
    longitude: 'latest',
    contact: 'latest',
    organiser: 'latest',
  },
  form: [
    FIELDS.title,
    { name: 'start', control: 'moment', required: true },
    { name: 'end', control: 'moment' },
    { name: 'zone', control: 'zone', required: true },
    { name: 'venue', control: 'line', longest: LIMITS.contact },
    FIELDS.summary,
    { name: 'body', control: 'markdown', rows: 8 },
    { name: 'organiser', control: 'line', longest: LIMITS.contact },
    { name: 'contact', control: 'line', longest: LIMITS.contact },
    FIELDS.author,
    FIELDS.tags,
    FIELDS.places,
    FIELDS.language,
    { name: 'latitude', control: 'line', longest: 20, more: true },
    { name: 'longitude', control: 'line', longest: 20, more: true },
    FIELDS.commentsClosed,
    FIELDS.group,
    FIELDS.translationOf,
  ],
  sections: () => [],
  listing: (fields) => {
    const { start, end, zone, venue, allDay } = fields
    return {
      ...commonSummary(fields),
      start,
      zone,
      ...(end === undefined ? {} : { end }),
      ...(venue === undefined ? {} : { venue }),
      ...(allDay === true ? { allDay: true } : {}),
    }
  },
}
