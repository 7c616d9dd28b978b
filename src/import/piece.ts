/** One piece read from a file or a feed, before it becomes an item. */
export interface Piece {
  /** Names the piece for good: a path inside the folder, or a feed entry's id. The same source is the same item. */
  source: string
  title: string
  /** Milliseconds since 1970. */
  dateMs: number
  author?: string
  summary?: string
  /** Markdown. */
  body: string
  tags: string[]
  language?: string
}

/** Something that was not imported, and why. */
export interface Skipped {
  source: string
  reason: string
}

/** What reading gives, one after the other. */
export type Read = { piece: Piece } | { skipped: Skipped }

/** A piece that cannot be imported, for the report. */
export function skip(source: string, reason: string): Read {
  return { skipped: { source, reason } }
}

const ISO_DATE = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?\s?(?:Z|[+-]\d\d:?\d\d)?)?$/

/**
 * Milliseconds since 1970 of a date as front matter and feeds write it: ISO 8601 (also with a space, as Jekyll
 * does), or RFC 822 as in RSS. A date without a zone is taken as UTC, so that every machine reads it alike.
 */
export function parseDate(value: unknown): number | undefined {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? undefined : value.getTime()
  if (typeof value !== 'string') return undefined
  const text = value.trim()
  let readable = text
  if (ISO_DATE.test(text)) {
    readable = text
      .replace(' ', 'T')
      .replace(/\s/, '')
      .replace(/([+-]\d\d)(\d\d)$/, '$1:$2')
    if (readable.includes('T') && !/(?:Z|[+-]\d\d:\d\d)$/.test(readable)) readable += 'Z'
  } else if (!/(?:GMT|UTC|UT|Z|[+-]\d{4}|[A-Z]{3})$/.test(text)) {
    return undefined
  }
  const dateMs = Date.parse(readable)
  if (Number.isNaN(dateMs)) return undefined
  // Date.parse takes 30 February for 2 March; a date that is not one is refused.
  const day = /^(\d{4})-(\d\d)-(\d\d)/.exec(text)
  if (
    day &&
    new Date(Date.UTC(Number(day[1]), Number(day[2]) - 1, Number(day[3]))).getUTCDate() !== Number(day[3])
  ) {
    return undefined
  }
  return dateMs
}
