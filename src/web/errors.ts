import type { Context, Middleware } from 'koa'
import { HyperactiveError } from '../errors.ts'
import { logger } from '../log.ts'
import { renderPage } from '../pages/render.ts'
import { shellOf } from './context.ts'
import type { WebContext } from './context.ts'

const log = logger('web')

const TITLES: Record<number, string> = {
  400: 'That did not work',
  403: 'Not with this link',
  404: 'There is nothing here',
  405: 'Not in this way',
  413: 'Too large',
  415: 'Not a form',
  500: 'Something broke on this node',
  503: 'Back in a moment',
}

const TEXTS: Record<number, string> = {
  404: 'No page has this address on this node. If it was published elsewhere a moment ago, it may be on its way here.',
  405: 'This page cannot be asked in that way.',
  500: 'The error has been noted. Nothing that was published is lost.',
  503: 'This node cannot reach its store right now. Please try again shortly, or read another node of the network.',
}

/** Answers everything that goes wrong below it with a page. Only a code is logged: an address may hold a secret. */
export function errorPages(web: WebContext): Middleware {
  return async (ctx, next) => {
    try {
      await next()
      if (ctx.body === undefined && ctx.status >= 400) answer(ctx, web, ctx.status, undefined)
    } catch (error) {
      const known = error instanceof HyperactiveError ? error : undefined
      const away = known?.code === 'store_unreachable' || known?.status === 503
      const status = away ? 503 : known?.expose ? known.status : 500
      if (status >= 500)
        log.error('a page could not be made', { code: known?.code ?? 'unexpected', reason: reasonOf(error) })
      answer(ctx, web, status, known?.expose ? known.message : undefined)
    }
  }
}

function answer(ctx: Context, web: WebContext, status: number, text: string | undefined): void {
  const model = {
    title: TITLES[status] ?? 'That did not work',
    text: text ?? TEXTS[status] ?? '',
    robots: 'noindex',
  }
  ctx.status = status
  if (status === 503) ctx.set('Retry-After', '10')
  ctx.set('Cache-Control', 'no-store')
  ctx.type = 'text/html'
  ctx.body = renderPage('message', shellOf(web), model)
}

/** What broke, for the log: our own errors hold no address and no text of a person; of others only the kind is told. */
function reasonOf(error: unknown): string {
  if (error instanceof HyperactiveError) return error.message
  return error instanceof Error
    ? `${error.name} ${(error.stack ?? '').split('\n')[1]?.trim() ?? ''}`
    : typeof error
}
