import type { Middleware, ParameterizedContext } from 'koa'
import getRawBody from 'raw-body'
import type { z } from 'zod'
import { HyperactiveError } from '../errors.ts'
import { logger } from '../log.ts'

const log = logger('api')

/** What was sent breaks a schema: says where, by name of the field. */
export class UnfitBody extends HyperactiveError {
  readonly problems: Readonly<Record<string, string>>

  constructor(problems: Readonly<Record<string, string>>) {
    super('unfit_fields', 'Nothing was saved: some fields are not as they should be.', { status: 422 })
    this.problems = problems
  }
}

/** Answers everything that goes wrong below it with JSON: `error`, a code of docs/errors.md, and `reason`. */
export const jsonErrors: Middleware = async (ctx, next) => {
  try {
    await next()
    if (ctx.body === undefined && ctx.status >= 400)
      answerError(ctx, ctx.status, 'not_found', 'There is nothing at this address.')
  } catch (error) {
    const known = error instanceof HyperactiveError ? error : undefined
    const away = known?.code === 'store_unreachable' || known?.status === 503
    const status = away ? 503 : known?.expose ? known.status : 500
    if (status >= 500 && !known?.expose)
      log.error('a request could not be answered', { code: known?.code ?? 'unexpected' })
    const reason = known?.expose ? known.message : 'This node could not answer. Try again in a moment.'
    answerError(ctx, status, known?.code ?? 'unexpected', reason)
    if (known?.retryAfterSeconds !== undefined) ctx.set('Retry-After', String(known.retryAfterSeconds))
    if (status === 503) ctx.set('Retry-After', '10')
    if (error instanceof UnfitBody) Object.assign(ctx.body as object, { problems: error.problems })
  }
}

function answerError(ctx: ParameterizedContext, status: number, error: string, reason: string): void {
  ctx.status = status
  ctx.set('Cache-Control', 'no-store')
  ctx.type = 'application/json'
  ctx.body = { error, reason }
}

/**
 * Reads a JSON body that fits a schema.
 *
 * @throws HyperactiveError `body_type` (415), `body_too_large` (413), `body_not_json` (400); {@link UnfitBody} (422)
 */
export async function readBody<Schema extends z.ZodType>(
  ctx: ParameterizedContext,
  schema: Schema,
  limit: number,
): Promise<z.infer<Schema>> {
  if (!ctx.is('application/json'))
    throw new HyperactiveError('body_type', 'Send JSON: Content-Type: application/json.', { status: 415 })
  let value: unknown
  try {
    const length = ctx.get('content-length') || undefined
    const bytes = await getRawBody(ctx.req, { limit, length } as { limit: number })
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    if ((error as { status?: number }).status === 413) {
      ctx.req.resume()
      const reason = `The body is larger than ${Math.floor(limit / 1024)} KiB.`
      throw new HyperactiveError('body_too_large', reason, { status: 413 })
    }
    throw new HyperactiveError('body_not_json', 'The body is not JSON in UTF-8.', { status: 400 })
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw new UnfitBody(
    Object.fromEntries(parsed.error.issues.map(({ path, message }) => [path.join('.') || 'body', message])),
  )
}
