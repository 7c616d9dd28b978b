import { z } from 'zod'
import type { BlobManifest } from './manifest.ts'
import { digest, manifestFields, manifestProblem } from './manifest.ts'

/** The most letters of what people write about a file, and the most files that one document names. */
export const MEDIA_LIMITS = {
  name: 200,
  alt: 1000,
  credit: 200,
  licence: 200,
  files: 24,
  side: 65_535,
} as const

/** One file: what it is made of, and what it is. */
export interface MediaFile extends BlobManifest {
  /** Media type, as its content says. */
  readonly type: string
  /** How a name for it ends, without a dot. */
  readonly extension: string
  /** Pixels of a picture or film, upright. */
  readonly width?: number
  readonly height?: number
  /** Of sound and film. */
  readonly durationMs?: number
  /** What it is among the files that were made of another: "w640", "poster", … */
  readonly as?: string
}

/** What people say about a file. */
export interface MediaTexts {
  /** What it was called by whoever published it, without a path. */
  readonly name?: string
  /** For who does not see or hear it. */
  readonly alt?: string
  readonly credit?: string
  readonly licence?: string
}

/**
 * A media document's own fields: a file that belongs to an item, or files that were made `of` it. The bytes are blobs,
 * which travel by themselves.
 */
export interface MediaFields extends MediaTexts {
  /** Exactly one, unless they were made of another. */
  readonly files: readonly MediaFile[]
  /** The digest of the file that they were made of. */
  readonly of?: string
}

function lineUpTo(most: number) {
  return (
    z
      .string()
      .max(most, `is longer than ${most} characters`)
      // eslint-disable-next-line no-control-regex -- control characters are just what must not be in a line
      .regex(/^[^\u0000-\u001f\u007f]*$/u, 'has line breaks or control characters')
  )
}

const side = z.int().min(1).max(MEDIA_LIMITS.side)

const file = z
  .looseObject({
    ...manifestFields,
    type: z.string().regex(/^[a-z]+\/[a-z0-9][a-z0-9.+-]{0,99}$/, 'is not a media type'),
    extension: z.string().regex(/^[a-z0-9]{1,8}$/, 'is not how a name ends'),
    width: side.optional(),
    height: side.optional(),
    durationMs: z
      .int()
      .min(0)
      .max(30 * 24 * 60 * 60 * 1000)
      .optional(),
    as: z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,29}$/, 'is not what a file can be made as')
      .optional(),
  })
  .check(({ value, issues }) => {
    const problem = manifestProblem(value)
    if (problem) issues.push({ code: 'custom', message: problem, input: value })
  })

/** The shape of a media document beside its envelope. */
export const mediaShape = z
  .looseObject({
    files: z.array(file).min(1, 'names no file').max(MEDIA_LIMITS.files),
    of: digest.optional(),
    name: lineUpTo(MEDIA_LIMITS.name).optional(),
    alt: z.string().max(MEDIA_LIMITS.alt).optional(),
    credit: lineUpTo(MEDIA_LIMITS.credit).optional(),
    licence: lineUpTo(MEDIA_LIMITS.licence).optional(),
  })
  .refine(
    ({ of, files }) => of !== undefined || files.length === 1,
    'names several files that were made of none',
  )
  .refine(
    ({ of, files }) => files.every(({ as }) => (as === undefined) === (of === undefined)),
    'says of a file what it was made as, and not of which, or the reverse',
  )
