/** What is changed in one occurrence of a series; what is absent is as in the series. */
export interface OccurrenceChange {
  /** Local start of the occurrence as the series has it. */
  occurrence: string
  start?: string
  end?: string
  venue?: string
  title?: string
  note?: string
}

/** The fields of an event that say when and where it is, as they stand in an edit. */
export interface EventFields {
  title?: string
  /** Local time in `zone`, "2026-11-23T19:00"; for an event of whole days the first day, "2026-11-23". */
  start: string
  /** Like `start`: after it for a time, the last day for whole days. */
  end?: string
  allDay?: boolean
  /** IANA name, such as "Europe/Berlin". */
  zone: string
  /** The value of an RFC 5545 RRULE. */
  rrule?: string
  /** Local starts of the occurrences that do not take place. */
  exceptions?: readonly string[]
  changes?: readonly OccurrenceChange[]
  venue?: string
  /** Decimal degrees (WGS 84) as text: a ledger document has no fractions. */
  latitude?: string
  longitude?: string
  contact?: string
  organiser?: string
  tags?: readonly string[]
}

/** A sentence that begins with the field's name. */
export interface Problem {
  field: string
  problem: string
}

export const EVENT_LIMITS = {
  /** Days from the first to the last, both counted. */
  days: 31,
  /** Years from the start of a series to its last occurrence. */
  years: 3,
  occurrences: 200,
  /** Days that all occurrences take together. */
  daysInAll: 400,
  /** Days by which one occurrence may be moved. */
  moved: 366,
  rrule: 300,
  title: 200,
  venue: 200,
  note: 2_000,
} as const
