import { filesOf } from './project/media.ts'
import type { KnownMedia } from './project/media.ts'

type Value = Readonly<Record<string, unknown>>
type Parts = Readonly<Record<string, (value: Value) => unknown>>

/**
 * What pages show of a listing's row where they do not show all of it: as long as this stays as it is, so do they.
 */
const OF_ROWS = {
  /** An entry of a listing: all but the time of its latest change. */
  teaser: (entry) => ({ ...entry, updatedAt: undefined }),
  /** A name that leads somewhere. */
  name: ({ kind, title, language }) => [kind, title, language],
  /** That it is there. */
  place: () => true,
  /** A text that stands where its place says. */
  body: ({ body }) => body,
} as const satisfies Parts

/** The same of documents of the site database. */
const OF_DOCUMENTS = {
  /** Whether what somebody says on it may be read. */
  visible: ({ type, standing }) => [type, isHidden(standing)],
  /** A group on the pages of what it publishes. */
  group: ({ kind, author, fields, standing, listing }) => {
    const { title, tags } = partsOf(listing)
    return [kind, author, partsOf(fields).open, isHidden(standing), title, tags]
  },
  /** An entry of a feed. */
  entry: ({ type, kind, at, updatedAt, item, fields, media, occurrences, standing, listing }) => {
    const shown = { ...partsOf(listing), status: undefined, clashes: undefined }
    const files = filesIn(fields, media)
    return [type, kind, at, updatedAt, item, fields, files, occurrences, isHidden(standing), shown]
  },
  /** Its files, where nothing else of it is shown. */
  files: ({ fields, media, standing }) => [filesIn(fields, media), isHidden(standing)],
} as const satisfies Parts

/** A part of a row, or of a document, by what it is called here. */
export type RowPart = keyof typeof OF_ROWS
export type DocumentPart = keyof typeof OF_DOCUMENTS

const DOCUMENT_PARTS = Object.keys(OF_DOCUMENTS) as readonly DocumentPart[]
export const ROW_PARTS = Object.keys(OF_ROWS) as readonly RowPart[]

/** What a view or a document is noted as by whoever makes use of a part of it alone. */
export function partOf(name: string, part: RowPart | DocumentPart | undefined): string {
  return part === undefined ? name : `${name}|${part}`
}

/** A view's rows or a document with all their parts, for whoever cannot tell which of them are others. */
export function withRowParts(view: string): string[] {
  return [view, ...ROW_PARTS.map((part) => partOf(view, part))]
}

export function withDocumentParts(id: string): string[] {
  return [id, ...DOCUMENT_PARTS.map((part) => partOf(id, part))]
}

/** The parts of a row that are others than before, or that came or went with it. */
export function changedRowParts(before: object | undefined, after: object | undefined): RowPart[] {
  return changedParts(OF_ROWS, before, after) as RowPart[]
}

/** The same of a document. */
export function changedDocumentParts(before: object | undefined, after: object | undefined): DocumentPart[] {
  return changedParts(OF_DOCUMENTS, before, after) as DocumentPart[]
}

function changedParts(parts: Parts, before: object | undefined, after: object | undefined): string[] {
  const differing = Object.entries(parts).filter(([, part]) => textOf(part, before) !== textOf(part, after))
  return differing.map(([name]) => name)
}

function textOf(part: (value: Value) => unknown, value: object | undefined): string | undefined {
  return value && JSON.stringify(part(value as Value))
}

function filesIn(fields: unknown, media: unknown): unknown {
  return filesOf(partsOf(fields), media as Record<string, KnownMedia> | undefined)
}

function isHidden(standing: unknown): unknown {
  const { hidden, closed } = partsOf(standing)
  return [hidden, closed]
}

function partsOf(value: unknown): Value {
  return typeof value === 'object' && value !== null ? (value as Value) : {}
}
