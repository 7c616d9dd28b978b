import { z } from 'zod'
import { commentFields } from '../kinds/base/comment.ts'
import { LIMITS, line } from '../kinds/base/fields.ts'
import { allKinds } from '../kinds/base/registry.ts'
import { isHash } from '../ledger/document.ts'
import { MEDIA_LIMITS } from '../ledger/media.ts'

const hash = z.string().refine(isHash, 'is not the hash of a version or comment')

/** What proves work, where that is asked for: a token of `GET /challenge`, and the nonce that fits it. */
const proof = {
  challenge: z.string().max(200).optional(),
  work: z.string().max(16).optional(),
}

export type Proof = z.infer<z.ZodObject<typeof proof>>

/** Kinds that anyone publishes. */
const kinds = allKinds()
  .filter(({ by }) => by === 'anyone')
  .map(({ name }) => name)

/** A file that was sent before, and what is said of it. */
const sentFile = z.strictObject({
  /** As `POST /files` gave it. */
  upload: z.string().regex(/^[0-9a-f]{32}$/, 'is not the name of an upload'),
  /** For those who cannot see or hear it. */
  alt: z.string().max(MEDIA_LIMITS.alt).optional(),
  caption: z.string().max(LIMITS.caption).optional(),
  credit: line(MEDIA_LIMITS.credit).optional(),
  licence: line(MEDIA_LIMITS.licence).optional(),
  /** What it is called when it is downloaded. */
  name: line(MEDIA_LIMITS.name).optional(),
})

/** Files that come after those which the fields name. */
const files = z.array(sentFile).max(LIMITS.files, `has more than ${LIMITS.files} entries`).optional()

export type SentFiles = z.infer<typeof files>

/** What publishes an item. The kind's own schema checks the fields. */
export const newItem = z.strictObject({
  kind: z.enum(kinds, `is not one of ${kinds.join(', ')}`),
  fields: z.record(z.string(), z.unknown()),
  files,
  ...proof,
})

/** What saves a new version of an item. */
export const editBody = z.strictObject({
  parents: z.array(hash).min(1, 'names no version').max(100, 'names more than 100 versions'),
  fields: z.record(z.string(), z.unknown()),
  files,
  note: z.string().max(200, 'is longer than 200 characters').optional(),
  ...proof,
})

/** What comments on an item, or answers a comment. */
export const newComment = z.strictObject({
  fields: commentFields,
  inReplyTo: hash.optional(),
  ...proof,
})
