import { Router } from '@koa/router'
import Koa from 'koa'
import { logger } from '../log.ts'
import { articleRoutes } from './articles.ts'
import { assetRoutes } from './assets.ts'
import type { WebContext } from './context.ts'
import { errorPages } from './errors.ts'
import { feedRoutes } from './feeds.ts'
import { healthRoutes } from './health.ts'
import { listingRoutes } from './listings.ts'
import { publishRoutes } from './publish.ts'
import { securityHeaders } from './security.ts'

const log = logger('web')

export interface WebOptions extends WebContext {
  /** Gateway and peering: they come before anything that reads bodies, and answer in their own form. */
  before?: Router[]
}

/** The node's web application. No middleware ever asks for a client's address. */
export function createApp({ before = [], ...web }: WebOptions): Koa {
  const app = new Koa()
  app.on('error', (error: { code?: string }) => log.debug('an answer was cut off', { code: error.code }))
  for (const router of before) app.use(router.routes())
  app.use(securityHeaders)
  app.use(errorPages(web))
  const router = new Router()
  healthRoutes(router, web)
  assetRoutes(router)
  listingRoutes(router, web)
  feedRoutes(router, web)
  publishRoutes(router, web)
  articleRoutes(router, web)
  app.use(router.routes())
  app.use(router.allowedMethods())
  return app
}
