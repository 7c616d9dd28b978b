import { createHash } from 'node:crypto'
import type { ParameterizedContext } from 'koa'
import { isKeeping, mayKeep } from './kept-pages.ts'

/**
 * Answers with a text that is the same until what it is made of changes: with an entity tag, and 304 to whoever has it
 * (RFC 9110, section 13).
 *
 * @param changed when what it holds was last changed
 */
export function answerText(
  ctx: ParameterizedContext,
  { type, body, changed }: { type: string; body: string; changed?: Date | undefined },
): void {
  ctx.set('Cache-Control', 'no-cache')
  mayKeep(ctx)
  ctx.etag = createHash('sha256').update(body).digest('base64url').slice(0, 22)
  if (changed) ctx.lastModified = changed
  ctx.status = 200
  ctx.set('Content-Type', type)
  ctx.body = body
  if (ctx.fresh && !isKeeping(ctx)) ctx.status = 304
}
