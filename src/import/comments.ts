import { z } from 'zod'
import { parseDate } from './piece.ts'
import type { PieceComment } from './piece.ts'

/** The comments on "a.md" stand in "a.comments.json". */
export const COMMENTS_BESIDE = '.comments.json'

/** One comment as an export writes it. */
export const writtenComment = z.object({
  id: z.string().max(100),
  inReplyTo: z.string().max(100).optional(),
  date: z.string(),
  author: z.string().optional(),
  title: z.string().optional(),
  body: z.string(),
})

/** Reads comments as an export writes them; a text says why they cannot be read. */
export function readComments(bytes: Uint8Array): PieceComment[] | string {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    return `${COMMENTS_BESIDE} beside it is not JSON in UTF-8`
  }
  const parsed = z.array(writtenComment).safeParse(value)
  if (!parsed.success) return `${COMMENTS_BESIDE} beside it holds something that is no comment`
  const comments: PieceComment[] = []
  for (const { id: name, date, ...comment } of parsed.data) {
    const dateMs = parseDate(date)
    if (dateMs === undefined)
      return `${COMMENTS_BESIDE} beside it has the date "${date.slice(0, 40)}", which is not one`
    comments.push({ name, dateMs, ...comment })
  }
  return comments
}
