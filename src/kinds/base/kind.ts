import type { z } from 'zod'
import type { Occurrence } from '../../calendar/occurrences.ts'
import type { Fields } from '../../ledger/document.ts'

/**
 * How two changes of one field are merged: `text` three ways by paragraphs and words, `set` as a union without what
 * either side removed, `list` likewise in order, `files` likewise by what each entry's `file` is, `latest` by the later
 * edit.
 */
export type Strategy = 'text' | 'set' | 'list' | 'files' | 'latest'

/** What a form shows for a field, and how what was typed becomes the field's value. */
export type Control =
  | 'line'
  | 'text'
  | 'markdown'
  /** Names separated by commas, of the vocabulary of tags or of places. */
  | 'tags'
  | 'places'
  | 'language'
  | 'address'
  /** One web address a line. */
  | 'addresses'
  /** Title and web address of one entry a line. */
  | 'playlist'
  | 'flag'
  /** A day and, unless left empty, a time. */
  | 'moment'
  | 'day'
  | 'zone'
  | 'choice'
  /** Pictures, sound, film and documents, which come with the form, and what is said of each. */
  | 'files'
  /** Not shown; its value comes with the address of the form. */
  | 'given'

/** One field of a kind's form, in the order in which they stand there. */
export interface FormField {
  readonly name: string
  readonly control: Control
  readonly required?: true
  /** The most characters that the browser lets in; the schema decides. */
  readonly longest?: number
  readonly rows?: number
  /** The values to choose from. */
  readonly choices?: readonly string[]
  /** Stands behind "more" until it is opened, or filled in. */
  readonly more?: true
}

/** What was typed into a form, by name of the input. */
export type Input = Record<string, string>

/** What listings show of any item, whatever its kind. */
export interface Summary {
  title: string
  summary: string
  author?: string
  tags: string[]
  places: string[]
  language: string
  /** The item of the group that it names. */
  group?: string
  /** Of its times only the days are shown. */
  dayOnly?: true
  /** What only some kinds have, such as the place of an event. */
  [more: string]: unknown
}

/** A file elsewhere that belongs to an item, such as the sound that a link leads to. */
export interface Enclosure {
  address: string
  /** Media type. */
  type: string
  bytes?: number
}

/** One kind of item: what it is made of, how its fields merge, its form, and where it is listed. */
export interface Kind {
  readonly name: string
  /** The first part of its items' addresses: /<path>/<item>. */
  readonly path: string
  /** Checks an item's fields wherever they come from: form, API, import or peer. Unknown fields are kept. */
  readonly schema: z.ZodType<Fields>
  readonly strategies: Readonly<Record<string, Strategy>>
  readonly form: readonly FormField[]
  /** Who publishes it: anyone, or editors alone. */
  readonly by: 'anyone' | 'editors'
  /** Whether readers may comment on it. */
  readonly comments: boolean
  /** English words for it, for a kind that the message files do not know. */
  readonly words?: {
    readonly one: string
    readonly many: string
    readonly fields?: Readonly<Record<string, string>>
  }
  /** Listings in which items with these checked fields stand, beside that of their kind. */
  sections(fields: Fields): readonly Section[]
  /** What a listing shows of an item with these checked fields. */
  listing(fields: Fields): Summary
  /** Files that programs which read feeds may fetch. */
  enclosures?(fields: Fields): readonly Enclosure[]
  /** When an event takes place. */
  occurrences?(fields: Fields): readonly Occurrence[]
  /**
   * Makes fields of inputs that belong together; says what is wrong by name of the input.
   *
   * @param fields what the form's controls made of the inputs, and what they do not show
   * @param before the fields that are edited; none of a new item
   */
  read?(
    input: Input,
    fields: Fields,
    before: Fields,
  ): { fields: Fields; problems: Readonly<Record<string, string>> }
  /** The reverse: inputs for fields that are shown by more than one. */
  show?(fields: Fields): Input
  /** Parts of an item that have a form of their own, such as the occurrences of a series. */
  parts?(fields: Fields): readonly string[]
  /** The kind as its form for a part has it; undefined where there is no such part. */
  part?(fields: Fields, name: string): Kind | undefined
}

/**
 * Listings that some kinds or items stand in: the newswire; sound, pictures and film; banners of the front page; pages
 * in the menu; groups.
 */
export type Section = 'newswire' | 'media' | 'banner' | 'menu' | 'snippet'
