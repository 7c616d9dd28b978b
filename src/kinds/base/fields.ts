import { z } from 'zod'
import { isItemId } from '../../ledger/item-id.ts'
import { digest } from '../../ledger/manifest.ts'
import { isHash } from '../../ledger/document.ts'
import type { Fields } from '../../ledger/document.ts'
import type { FormField, Strategy, Summary } from './kind.ts'

/** The most characters of each field, and the most entries of lists. */
export const LIMITS = {
  title: 200,
  author: 100,
  summary: 2_000,
  body: 1_000_000,
  tags: 20,
  places: 5,
  term: 50,
  language: 35,
  address: 2_000,
  contact: 200,
  caption: 1_000,
  files: 60,
} as const

/** Letters of the summary that a listing shows. */
const TEASER_LETTERS = 320

/** One line of text. */
export function line(longest: number) {
  return (
    z
      .string()
      .max(longest, `is longer than ${longest} characters`)
      // eslint-disable-next-line no-control-regex -- control characters are just what must not be in a line
      .regex(/^[^\u0000-\u001f\u007f]*$/u, 'has line breaks or control characters')
  )
}

/** One line of text that is not empty. */
export function name(longest: number) {
  return line(longest).regex(/\S/u, 'is missing')
}

/** Text of many lines. */
export function text(longest: number) {
  return z.string().max(longest, `is longer than ${longest} characters`)
}

/** Text that is not empty. */
export function wholeText(longest: number) {
  return text(longest).regex(/\S/u, 'is missing')
}

/** A list of terms of a vocabulary, normalised by `normaliseTerm` and sorted. */
export function terms(most: number) {
  return z.array(line(LIMITS.term).min(1)).max(most, `has more than ${most} entries`)
}

/** An http or https address. Nobody asks it on this node's behalf unless it says so. */
export function address() {
  return text(LIMITS.address).refine(isWebAddress, 'is not an http or https address')
}

/** The id of another item. */
export function itemId() {
  return z.string().refine(isItemId, 'is not the id of an item')
}

/** The files of an item in their order: which they are, the media documents that say more of them, and captions. */
export function files() {
  return z
    .array(
      z.looseObject({
        /** The digest of its bytes. */
        file: digest,
        /** The hash of its media document. */
        media: z.string().refine(isHash, 'is not a hash of 40 hex digits'),
        caption: text(LIMITS.caption).optional(),
      }),
    )
    .max(LIMITS.files, `has more than ${LIMITS.files} entries`)
    .refine(
      (entries) => new Set(entries.map(({ file }) => file)).size === entries.length,
      'has an entry twice',
    )
}

/** A statement that is true when it is there. */
export function flag() {
  return z.literal(true)
}

/** Whether a text is an absolute http or https address without a password in it. */
export function isWebAddress(value: string): boolean {
  if (!/^https?:\/\//i.test(value) || !URL.canParse(value)) return false
  const url = new URL(value)
  return url.username === '' && url.password === '' && url.hostname !== ''
}

const language = z
  .string()
  .max(LIMITS.language)
  .regex(/^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$/u, 'is not a language tag such as "en" or "pt-BR"')

/** The fields that every kind has. */
export const commonFields = {
  title: name(LIMITS.title),
  /** Free text, as the author wishes to be called; absent for none. */
  author: line(LIMITS.author).optional(),
  summary: text(LIMITS.summary).optional(),
  tags: terms(LIMITS.tags),
  places: terms(LIMITS.places).optional(),
  /** BCP 47. */
  language,
  /** The group that it is published in; what that takes, the group says. */
  group: itemId().optional(),
  /**
   * The key of that group, where a node publishes in the name of the group's members. It counts only in what the node
   * itself signed as the author.
   */
  groupKey: line(64).optional(),
  /** The item of which this one is a translation: the original, not another translation. */
  translationOf: itemId().optional(),
  /** Pictures, sound, film and documents. */
  files: files().optional(),
  /** No more comments are taken. */
  commentsClosed: flag().optional(),
  /** Its edits hold the day, not the time of the day, and pages show no more. */
  dayOnly: flag().optional(),
  /** Paths of older sites that lead here. */
  aliases: z
    .array(line(500).regex(/^\/[^\s]*$/u, 'is not a path that begins with /'))
    .max(10, 'has more than 10 entries')
    .optional(),
  /** Names the piece that an import made this of. */
  importId: line(100).optional(),
} as const

export const commonStrategies = {
  title: 'text',
  author: 'latest',
  summary: 'text',
  body: 'text',
  tags: 'set',
  places: 'set',
  language: 'latest',
  group: 'latest',
  groupKey: 'latest',
  translationOf: 'latest',
  files: 'files',
  commentsClosed: 'latest',
  dayOnly: 'latest',
  aliases: 'set',
} as const satisfies Record<string, Strategy>

export const FIELDS = {
  title: { name: 'title', control: 'line', required: true, longest: LIMITS.title },
  author: { name: 'author', control: 'line', longest: LIMITS.author },
  summary: { name: 'summary', control: 'text', longest: LIMITS.summary, rows: 3 },
  body: { name: 'body', control: 'markdown', required: true, rows: 18 },
  files: { name: 'files', control: 'files' },
  tags: { name: 'tags', control: 'tags' },
  places: { name: 'places', control: 'places' },
  language: { name: 'language', control: 'language', required: true, longest: LIMITS.language },
  group: { name: 'group', control: 'given' },
  translationOf: { name: 'translationOf', control: 'given' },
  commentsClosed: { name: 'commentsClosed', control: 'flag', more: true },
  dayOnly: { name: 'dayOnly', control: 'flag', more: true },
} as const satisfies Record<string, FormField>

/** What listings show of the fields that every kind has. */
export function commonSummary(fields: Fields): Summary {
  const { title, summary, author, tags, places, language, group } = fields as Record<string, string>
  return {
    title: String(title),
    summary: shorten(summary ?? '', TEASER_LETTERS),
    ...(author ? { author } : {}),
    tags: list(tags),
    places: list(places),
    language: String(language),
    ...(group ? { group } : {}),
    ...(fields.dayOnly === true ? { dayOnly: true } : {}),
  }
}

function list(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : []
}

/** At most so many letters, with an ellipsis where something is cut off. */
export function shorten(long: string, letters: number): string {
  if (long.length <= letters) return long
  const all = Array.from(long)
  return all.length <= letters ? long : `${all.slice(0, letters).join('').trimEnd()}…`
}
