import type { Context, Middleware } from 'koa'
import { HyperactiveError } from '../errors.ts'
import { logger } from '../log.ts'
import type { WebContext } from './context.ts'
import { formOf } from './form.ts'
import { showPage, wordingFor } from './page.ts'
import { isCrossSite } from './security.ts'

const log = logger('web')

/** Statuses that have a title and a text of their own among the messages. */
const KNOWN = new Set([400, 403, 404, 405, 409, 410, 413, 415, 429, 500, 503])

/** Answers everything that goes wrong below it with a page. Only a code is logged: an address may hold a secret. */
export function errorPages(web: WebContext): Middleware {
  return async (ctx, next) => {
    try {
      await next()
      if (ctx.body === undefined && ctx.status >= 400 && ctx.respond !== false)
        await answer(ctx, web, ctx.status, undefined)
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
  const typed = isCrossSite(ctx, web.config.url) ? [] : await typedIn(ctx, web)
  const model = { title: t(`status.${name}.title`), text: said, typed, robots: 'noindex' }
  await showPage(ctx, web, 'message', model, { store: false })
}

/** What a form has beside what somebody has typed, or what is not to stand on a page. */
const NOT_TYPED =
  /^(?:token|action|parents|version|made|code|password|new|answer|work|to|(?:listed|choose|all|role)-.*|file-\d+(?:-place|-out)?)$/

/**
 * The texts of a form that could not be taken, because a session had ended or the form had become too old, say: nobody
 * loses what they wrote.
 */
export async function typedIn(ctx: Context, { config }: WebContext): Promise<string[]> {
  const form = await formOf(ctx, config.limits.formBytes)
  return [...(form ?? [])].flatMap(([name, value]) =>
    NOT_TYPED.test(name) || value.trim() === '' ? [] : [value],
  )
}

/** What broke, for the log: our own errors hold no address and no text of a person; of others only the kind is told. */
function reasonOf(error: unknown): string {
  if (error instanceof HyperactiveError) return error.message
  return error instanceof Error
    ? `${error.name} ${(error.stack ?? '').split('\n')[1]?.trim() ?? ''}`
    : typeof error
}
