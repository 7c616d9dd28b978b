/** One piece read from a file or a feed, before it becomes an item. */
export interface Piece {
  /** Names the piece for good: a path inside the folder, or a feed entry's id. The same source is the same item. */
  source: string
  /** The kind of item; an article unless given. */
  kind?: string
  title: string
  /** Milliseconds since 1970. */
  dateMs: number
  author?: string
  summary?: string
  /** Markdown. */
  body: string
  tags: string[]
  places?: string[]
  language?: string
  /** Paths of the old site that shall lead to it. */
  aliases?: string[]
  /** What else its kind has; whatever its schema does not take is told. */
  more?: Record<string, unknown>
  /** What other pieces call it: its id where it comes from. */
  name?: string
  /** Other pieces that it refers to, by their names. */
  refs?: Partial<Record<'group' | 'translationOf', string>>
  comments?: PieceComment[]
  /** Its pictures, sound and other files. */
  files?: PieceFile[]
  /** What moderation had decided of it: actions of decisions. */
  decided?: string[]
}

/** A file that belongs to a piece, and what is said of it. */
export interface PieceFile {
  /** As the piece names it. */
  file: string
  /** Where it lies, and the folder or file that is imported: it is not to lie outside of that. */
  path: string
  root: string
  name?: string
  alt?: string
  caption?: string
  credit?: string
  licence?: string
}

/** A comment on a piece. Addresses and e-mail of who wrote it are never read. */
export interface PieceComment {
  name: string
  /** The name of the comment that it answers. */
  inReplyTo?: string
  dateMs: number
  author?: string
  title?: string
  /** Markdown. */
  body: string
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

/** The path of an address of the old site, as an alias has it; nothing for what leads to no page of its own. */
export function aliasOf(address: unknown): string | undefined {
  if (typeof address !== 'string' || !URL.canParse(address, 'https://old.example')) return undefined
  const { pathname, protocol } = new URL(address, 'https://old.example')
  return /^https?:$/.test(protocol) && pathname !== '/' && pathname.length <= 500 ? pathname : undefined
}
