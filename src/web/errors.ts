import type { Context, Middleware } from 'koa'
import { HyperactiveError } from '../errors.ts'
import { logger } from '../log.ts'
import type { WebContext } from './context.ts'
import { showPage, wordingFor } from './page.ts'

const log = logger('web')

/** Statuses that have a title and a text of their own among the messages. */
const KNOWN = new Set([400, 403, 404, 405, 409, 410, 413, 415, 429, 500, 503])

/** Answers everything that goes wrong below it with a page. Only a code is logged: an address may hold a secret. */
export function errorPages(web: WebContext): Middleware {
  return async (ctx, next) => {
    try {
      await next()
      if (ctx.body === undefined && ctx.status >= 400) await answer(ctx, web, ctx.status, undefined)
    } catch (error) {
      const known = error instanceof HyperactiveError ? error : undefined
      const away = known?.code === 'store_unreachable' || known?.status === 503
      const status = away ? 503 : known?.expose ? known.status : 500
      if (status >= 500)
        log.error('a page could not be made', { code: known?.code ?? 'unexpected', reason: reasonOf(error) })
      if (known?.retryAfterSeconds !== undefined) ctx.set('Retry-After', String(known.retryAfterSeconds))
      await answer(ctx, web, status, known?.expose ? known.message : undefined)
    }
  }
}

async function answer(
  ctx: Context,
  web: WebContext,
  status: number,
  text: string | undefined,
): Promise<void> {
  const { t } = wordingFor(ctx)
  const name = KNOWN.has(status) ? status : 400
  const said = text ?? t(`status.${name}.text`)
  ctx.status = status
  if (status === 503) ctx.set('Retry-After', '10')
  const model = { title: t(`status.${name}.title`), text: said, robots: 'noindex' }
  await showPage(ctx, web, 'message', model, { store: false })
}

/** What broke, for the log: our own errors hold no address and no text of a person; of others only the kind is told. */
function reasonOf(error: unknown): string {
  if (error instanceof HyperactiveError) return error.message
  return error instanceof Error
    ? `${error.name} ${(error.stack ?? '').split('\n')[1]?.trim() ?? ''}`
    : typeof error
}
