import { z } from 'zod'
import { toldTime } from '../ledger/clock.ts'
import { renderMarkdown } from '../pages/markdown.ts'
import { pathOf, text } from '../pages/models.ts'
import type { CalendarRow, CommentRow, ListingRow } from '../project/site-rows.ts'
import type { ShownResult } from '../web/search.ts'
import type { SiteItem } from '../project/site-item.ts'
import { coverOfRow, coverSchema, fileSchema, filesOfItem } from './file-models.ts'

const time = z.iso.datetime()
const address = z.url()
const names = z.array(z.string())

/** A row of a listing: an item, or a comment among the latest changes. */
export const entrySchema = z.object({
  id: z.string(),
  kind: z.string(),
  url: address,
  title: z.string(),
  summary: z.string(),
  author: z.string().optional(),
  tags: names,
  places: names,
  language: z.string(),
  group: z.string().optional(),
  status: z.enum(['published', 'promoted', 'featured']),
  published: time,
  updated: time,
  comments: z.int(),
  cover: coverSchema.optional(),
  /** What plays among its files. */
  plays: z.array(z.enum(['sound', 'film'])).optional(),
})

export const listingSchema = z.object({
  title: z.string(),
  url: address,
  entries: z.array(entrySchema),
  /** Where the listing goes on, both ways. */
  newer: address.optional(),
  older: address.optional(),
})

export const occurrenceSchema = z.object({
  /** The local start that names the occurrence in its series. */
  occurrence: z.string(),
  start: time,
  end: time,
  /** Local days, the first and the last. */
  day: z.iso.date(),
  lastDay: z.iso.date(),
})

export const itemSchema = z.object({
  id: z.string(),
  kind: z.string(),
  url: address,
  published: time,
  updated: time,
  status: entrySchema.shape.status,
  hidden: z.boolean(),
  /** Hashes of the versions that are newest: the parents of the next edit. */
  heads: names,
  versions: z.int(),
  comments: z.int(),
  /** As the kind's schema has them. */
  fields: z.record(z.string(), z.unknown()),
  /** The body, cleaned. */
  html: z.string(),
  /** Its files in their order. */
  files: z.array(fileSchema),
  occurrences: z.array(occurrenceSchema).optional(),
  translations: z.array(z.object({ url: address, language: z.string(), title: z.string() })),
})

export const commentSchema = z.object({
  id: z.string(),
  url: address,
  published: time,
  inReplyTo: z.string().optional(),
  author: z.string().optional(),
  title: z.string().optional(),
  body: z.string(),
  html: z.string(),
})

export const commentsSchema = z.object({ comments: z.array(commentSchema), more: address.optional() })

export const calendarSchema = z.object({
  occurrences: z.array(
    occurrenceSchema.extend({
      id: z.string(),
      url: address,
      title: z.string(),
      venue: z.string().optional(),
      zone: z.string(),
      allDay: z.boolean(),
      language: z.string(),
    }),
  ),
  /** Where it goes on. */
  later: address.optional(),
})

export const countsSchema = z.object({ names: z.array(z.object({ name: z.string(), count: z.int() })) })

export const searchSchema = z.object({
  results: z.array(
    z.object({
      id: z.string(),
      /** Of a comment the item that it is on. */
      item: z.string(),
      kind: z.string(),
      url: address,
      title: z.string(),
      /** Parts of the text, `hit` where they were looked for. */
      snippet: z.array(z.object({ text: z.string(), hit: z.boolean() })),
      author: z.string().optional(),
      tags: names,
      places: names,
      language: z.string(),
      published: time,
    }),
  ),
  found: z.int(),
  /** There are more than were found. */
  capped: z.boolean(),
  /** What could not be taken as it was typed. */
  notices: z.array(z.enum(['unclosed_quote', 'too_long', 'lone_sign'])),
  more: address.optional(),
})

export const publishedSchema = z.object({
  item: itemSchema,
  /** Whoever has it can edit the item, on every node. It is told only now. */
  secret: z.string(),
  editUrl: address,
})

export const savedSchema = z.object({ item: itemSchema })

export const challengeSchema = z.object({
  /** Valid for a day, and for one thing that is sent. */
  token: z.string(),
  /** SHA-256 of "<token>:<work>" has to begin with so many zero bits; `work` is a number in decimal digits. */
  workBits: z.int(),
  /** Whether publishing, editing and commenting need it at this moment. */
  needed: z.object({ publish: z.boolean(), edit: z.boolean(), comment: z.boolean() }),
})

export const uploadSchema = z.object({
  /** What the file is called by in `files` of an item; nobody else knows it. */
  upload: z.string(),
  /** Media type of the clean file, by its content. */
  type: z.string(),
  bytes: z.int(),
  sha256: z.string(),
  width: z.int().optional(),
  height: z.int().optional(),
  durationMs: z.int().optional(),
})

export const errorSchema = z.object({
  error: z.string(),
  reason: z.string(),
  /** What is wrong, by name of the field. */
  problems: z.record(z.string(), z.string()).optional(),
})

export type ApiItem = z.infer<typeof itemSchema>

/** @param url this node's public address, without a slash at the end */
export function entryOf(
  row: ListingRow,
  url: string,
  comments: ReadonlyMap<string, number>,
): z.infer<typeof entrySchema> {
  const { item, of, kind, title, summary, author, tags, places, language, group, status, at, updatedAt } = row
  const path = of === undefined ? pathOf(kind, item) : `/comments/${item.split(':').slice(1).join('/')}`
  return {
    id: item,
    kind,
    url: url + path,
    title,
    summary,
    ...(author === undefined ? {} : { author }),
    tags,
    places,
    language,
    ...(group === undefined ? {} : { group }),
    status,
    published: isoOf(at, row.dayOnly),
    updated: isoOf(updatedAt, row.dayOnly),
    comments: comments.get(of ?? item) ?? 0,
    ...(row.cover ? { cover: coverOfRow(row.cover, url) } : {}),
    ...(row.plays ? { plays: row.plays } : {}),
  }
}

export function itemOf(
  item: SiteItem,
  url: string,
  { comments, translations }: { comments: number; translations: ApiItem['translations'] },
): ApiItem {
  return {
    id: item._id,
    kind: item.kind,
    url: url + pathOf(item.kind, item._id),
    published: isoOf(item.at, item.listing.dayOnly),
    updated: isoOf(item.updatedAt, item.listing.dayOnly),
    status: item.standing.status,
    hidden: item.standing.hidden,
    heads: item.heads,
    versions: Object.keys(item.graph).length,
    comments,
    fields: item.fields,
    html: renderMarkdown(text(item.fields.body)),
    files: filesOfItem(item, url),
    ...(item.occurrences
      ? {
          occurrences: item.occurrences.map(({ occurrence, start, end, day, lastDay }) => ({
            occurrence,
            start,
            end,
            day,
            lastDay,
          })),
        }
      : {}),
    translations,
  }
}

export function commentOf(item: string, row: CommentRow, url: string): z.infer<typeof commentSchema> {
  const { author, title, body } = row.fields as Record<string, string | undefined>
  return {
    id: row.hash,
    url: `${url}/comments/${item}/${row.hash}`,
    published: isoOf(row.at),
    ...(row.inReplyTo === undefined ? {} : { inReplyTo: row.inReplyTo }),
    ...(author === undefined ? {} : { author }),
    ...(title === undefined ? {} : { title }),
    body: body ?? '',
    html: renderMarkdown(body ?? ''),
  }
}

export function foundOf(result: ShownResult, url: string): z.infer<typeof searchSchema>['results'][number] {
  const { id, item, kind, path, title, snippet, author, tags, places, language, at } = result
  return {
    id,
    item,
    kind,
    url: url + path,
    title,
    snippet,
    ...(author === undefined ? {} : { author }),
    tags: tags.map(({ name }) => name),
    places: places.map(({ name }) => name),
    language,
    published: isoOf(at),
  }
}

export function occurrenceOf(
  row: CalendarRow,
  url: string,
): z.infer<typeof calendarSchema>['occurrences'][number] {
  const { item, occurrence, start, end, day, lastDay, title, venue, zone, allDay, language } = row
  return {
    id: item,
    url: url + pathOf('event', item),
    title,
    ...(venue === undefined ? {} : { venue }),
    occurrence,
    start,
    end,
    day,
    lastDay,
    zone,
    allDay: allDay === true,
    language,
  }
}

function isoOf(at: string, dayOnly = false): string {
  return new Date(toldTime(at, dayOnly)).toISOString()
}
