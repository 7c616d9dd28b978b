import type { Router } from '@koa/router'
import type { ParameterizedContext } from 'koa'
import type { WebContext } from './context.ts'
import { findListing, placeOf } from './listing-pages.ts'
import { LISTINGS } from './listings.ts'
import { may } from './may.ts'

/** When to ask again where there is no room. */
const FULL_SECONDS = 300

/** For each listing of stories a stream of events that says how many there are above the newest one of a page. */
export function liveRoutes(router: Router, web: WebContext): void {
  for (const route of LISTINGS) {
    router.get(`/live${route.pattern}`, may('read'), async (ctx, next) => {
      const { live } = web
      const found = live && (await findListing(ctx, web, route, (path) => `/live${path}`))
      if (found === 'elsewhere') return
      if (!live || !found?.live) {
        await next()
        return
      }
      ctx.set('Cache-Control', 'no-store')
      if (ctx.method === 'HEAD') {
        ctx.type = 'text/event-stream'
        ctx.body = ''
        return
      }
      const named = found.named ?? false
      const opened = await live.tell(ctx.res, { scope: found.scope, after: placeAsked(ctx), named })
      if (opened === 'nothing there') await next()
      else if (opened === 'full') {
        ctx.status = 503
        ctx.set('Retry-After', String(FULL_SECONDS))
        ctx.body = 'live_full: too many pages are told of what comes; this one stays as it is\n'
      } else {
        ctx.status = 200
        ctx.respond = false
      }
    })
  }
}

/** The place above which entries count: the page's own, or where somebody who comes back was told last. */
function placeAsked(ctx: ParameterizedContext): string | undefined {
  const { after = ctx.get('last-event-id') || undefined } = ctx.query
  if (after === undefined || after === '') return after
  const { at, item } = placeOf(after)
  return `${at}_${item}`
}
