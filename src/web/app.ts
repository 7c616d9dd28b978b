import type { Router } from '@koa/router'
import Koa from 'koa'
import { apiRouter } from '../api/api.ts'
import { logger } from '../log.ts'
import { archivePages } from './archive.ts'
import { assetRoutes } from './assets.ts'
import { calendarPages } from './calendar.ts'
import { cloudPages } from './clouds.ts'
import { commentPages } from './comments.ts'
import { conflictPages } from './conflicts.ts'
import type { WebContext } from './context.ts'
import { errorPages } from './errors.ts'
import { feedRoutes } from './feeds.ts'
import { receiveForms } from './form.ts'
import { groupRoutes } from './group.ts'
import { healthRoutes } from './health.ts'
import { homePage } from './home.ts'
import { aliasPages, itemPages } from './items.ts'
import type { KeptPages } from './kept-pages.ts'
import { listingPages } from './listing-pages.ts'
import { mediaRoutes } from './media.ts'
import { membersPages } from './members.ts'
import { mirrorPages } from './mirror.ts'
import { speak } from './page.ts'
import { PageRouter } from './page-router.ts'
import { erasurePages } from './moderation/erase.ts'
import { stockPages } from './moderation/files.ts'
import { filterPages } from './moderation/filters.ts'
import { liveRoutes } from './live.ts'
import { logPages } from './moderation/log.ts'
import { moderatePages } from './moderation/moderate.ts'
import { officePages } from './moderation/office.ts'
import { oembedRoutes } from './oembed.ts'
import { podcastRoutes } from './podcasts.ts'
import { reportPages } from './moderation/report.ts'
import { slowPages } from './moderation/slow.ts'
import { withdrawPages } from './moderation/withdraw.ts'
import { accountPages } from './people/account.ts'
import { peoplePages } from './people/accounts.ts'
import { newAccountPages } from './people/new-account.ts'
import { recognise } from './people/person.ts'
import { signInPages } from './people/sign-in.ts'
import { publishPages } from './publish.ts'
import { searchPages } from './search.ts'
import { securityHeaders } from './security.ts'
import { sitemapRoutes } from './sitemaps.ts'
import { uploadRoutes } from './uploads.ts'

const log = logger('web')

export interface WebOptions extends WebContext {
  /** Gateway and peering: they come before anything that reads bodies, and answer in their own form. */
  before?: Router[]
  /** Where pages are kept, if they are. */
  kept?: KeptPages
  /** Resolves when everybody who answers readers knows of what was written until then. */
  heard?: () => Promise<void>
}

/** The node's web application. No middleware ever asks for a client's address. */
export function createApp({ before = [], kept, heard, ...web }: WebOptions): Koa {
  const app = new Koa()
  app.on('error', (error: { code?: string }) => log.debug('an answer was cut off', { code: error.code }))
  for (const router of before) app.use(router.routes())
  if (heard) {
    app.use(async (ctx, next) => {
      await next()
      if (ctx.method !== 'GET' && ctx.method !== 'HEAD') await heard()
    })
  }
  if (kept) app.use(kept.keeping())
  app.use(securityHeaders)
  app.use(speak(web))
  app.use(apiRouter(web).routes())
  app.use(errorPages(web))
  app.use(receiveForms(web))
  const router = createPages(web)
  web.mirror?.take(router)
  // Nobody is signed in on a mirror.
  if (web.mirror) app.use(mirrorPages(web, web.mirror))
  else app.use(recognise({ access: web.access, url: web.config.url }))
  app.use(router.routes())
  app.use(router.allowedMethods())
  return app
}

/** The router of all pages. */
export function createPages(web: WebContext): Router {
  // An address in capitals would be another page that is kept.
  const router = new PageRouter({ sensitive: true })
  healthRoutes(router, web)
  assetRoutes(router)
  mediaRoutes(router, web)
  uploadRoutes(router, web)
  homePage(router, web)
  searchPages(router, web)
  groupRoutes(router, web)
  podcastRoutes(router, web)
  oembedRoutes(router, web)
  sitemapRoutes(router, web)
  liveRoutes(router, web)
  calendarPages(router, web)
  archivePages(router, web)
  cloudPages(router, web)
  signInPages(router, web)
  newAccountPages(router, web)
  accountPages(router, web)
  peoplePages(router, web)
  officePages(router, web)
  filterPages(router, web)
  moderatePages(router, web)
  reportPages(router, web)
  erasurePages(router, web)
  stockPages(router, web)
  slowPages(router, web)
  logPages(router, web)
  withdrawPages(router, web)
  commentPages(router, web)
  conflictPages(router, web)
  membersPages(router, web)
  publishPages(router, web)
  listingPages(router, web)
  itemPages(router, web)
  feedRoutes(router, web)
  aliasPages(router, web)
  return router
}
