import type { z } from 'zod'
import { LISTINGS } from '../web/listings.ts'
import {
  calendarSchema,
  challengeSchema,
  commentsSchema,
  commentSchema,
  countsSchema,
  itemSchema,
  listingSchema,
  publishedSchema,
  savedSchema,
  searchSchema,
  uploadSchema,
} from './models.ts'
import { editBody, newComment, newItem } from './bodies.ts'

/** One thing that the API does, as its description has it. */
export interface Operation {
  method: 'get' | 'post'
  /** Below {@link API}, with `:name` for what stands in the address. */
  path: string
  summary: string
  query?: Readonly<Record<string, string>>
  body?: z.ZodType
  /** Whether the body is a file. */
  takesFile?: true
  /** What it answers when all is well. */
  status: 200 | 201
  answer: z.ZodType
  /** Whether the request carries an item's secret. */
  secret?: true
}

export const API = '/api/v1'

const PAGING = {
  before: 'A place in the listing, as `older` has it: what is older.',
  after: 'A place in the listing, as `newer` has it: what is newer.',
}

/** Everything that the API does. Routes, description and tests follow it. */
export const OPERATIONS = {
  ...Object.fromEntries(
    LISTINGS.map(({ pattern }): [string, Operation] => [
      `list ${pattern}`,
      {
        method: 'get',
        path: pattern,
        summary: `The listing ${pattern}`,
        query: PAGING,
        status: 200,
        answer: listingSchema,
      },
    ]),
  ),
  names: {
    method: 'get',
    path: '/names/:vocabulary',
    summary:
      'Tags, places, authors, languages, groups or months (of the newswire), with how much carries each',
    status: 200,
    answer: countsSchema,
  },
  calendar: {
    method: 'get',
    path: '/calendar',
    summary: 'Occurrences of events, a row for each local day that one touches',
    query: {
      from: 'The first local day, such as 2026-11-23; today when it is left out.',
      to: 'The last local day.',
      tag: 'Only events with this tag.',
      place: 'Only events at this place.',
      group: 'Only events of this group, by its id.',
      after: 'Where to go on, as `later` has it.',
    },
    status: 200,
    answer: calendarSchema,
  },
  search: {
    method: 'get',
    path: '/search',
    summary: 'Full-text search. The newest thousand that fit are ranked and paged.',
    query: {
      q: 'Words that all have to be there, "phrases", beginn*, -without.',
      kind: 'Only this kind; "comment" for comments.',
      tag: 'Only with this tag.',
      place: 'Only at this place.',
      group: 'Only of this group, by its id.',
      language: 'Only in this language.',
      from: 'The first day of publication (UTC), such as 2026-11-23.',
      until: 'The last day.',
      order: '"newest", or the best first.',
      after: 'Where to go on, as `more` has it.',
    },
    status: 200,
    answer: searchSchema,
  },
  item: { method: 'get', path: '/items/:item', summary: 'An item', status: 200, answer: itemSchema },
  comments: {
    method: 'get',
    path: '/items/:item/comments',
    summary: 'The comments on an item as they came',
    query: { after: 'Where to go on, as `more` has it.' },
    status: 200,
    answer: commentsSchema,
  },
  challenge: {
    method: 'get',
    path: '/challenge',
    summary:
      'A token to prove work on: find a number so that SHA-256 of "<token>:<number>" begins with `workBits` zero bits, and send both as `challenge` and `work` with what you publish. A node asks for it while it is busy.',
    status: 200,
    answer: challengeSchema,
  },
  upload: {
    method: 'post',
    path: '/files',
    summary:
      'Send a file, as the body of the request. It is written anew without metadata, and waits for some hours to be named in `files` of an item.',
    query: { name: 'What it is called when it is downloaded, such as minutes.pdf.' },
    takesFile: true,
    status: 201,
    answer: uploadSchema,
  },
  publish: {
    method: 'post',
    path: '/items',
    summary: 'Publish an item. An `Idempotency-Key` makes a repeated request publish once.',
    body: newItem,
    status: 201,
    answer: publishedSchema,
  },
  edit: {
    method: 'post',
    path: '/items/:item/edits',
    summary: 'Save a new version of an item: all its fields, and the versions that it was made from',
    body: editBody,
    status: 201,
    answer: savedSchema,
    secret: true,
  },
  comment: {
    method: 'post',
    path: '/items/:item/comments',
    summary: 'Comment on an item',
    body: newComment,
    status: 201,
    answer: commentSchema,
  },
} satisfies Record<string, Operation>
