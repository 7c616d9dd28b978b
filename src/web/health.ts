import type { Router } from '@koa/router'
import { scope } from '../project/site-rows.ts'
import type { WebContext } from './context.ts'
import { may } from './may.ts'

/** `/livez` answers when the process does, `/readyz` when it can serve and publish. */
export function healthRoutes(router: Router, { site, ledger, mirror }: WebContext): void {
  const well = mirror ? 'ok, a mirror\n' : 'ok\n'
  router.get('/livez', may('read'), (ctx) => {
    ctx.set('Cache-Control', 'no-store')
    ctx.body = well
  })
  router.get('/readyz', may('read'), async (ctx) => {
    ctx.set('Cache-Control', 'no-store')
    try {
      await Promise.all([ledger.database.info(), site.list(scope('newswire'), { limit: 1 })])
      ctx.body = well
    } catch {
      ctx.status = 503
      ctx.body = 'the store does not answer\n'
    }
  })
}
