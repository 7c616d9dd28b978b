import { z } from 'zod'
import { line, LIMITS, wholeText } from './fields.ts'

/** The most characters of a comment. */
export const COMMENT_LIMITS = { title: 200, author: LIMITS.author, body: 20_000 } as const

/** The fields of a comment, as they stand in the ledger. */
export const commentFields = z.looseObject({
  author: line(COMMENT_LIMITS.author).optional(),
  title: line(COMMENT_LIMITS.title).optional(),
  /** Markdown. */
  body: wholeText(COMMENT_LIMITS.body),
})

export type CommentFields = z.infer<typeof commentFields>
