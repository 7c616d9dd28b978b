import type { Middleware } from 'koa'
import type { Router } from '@koa/router'
import type { WebContext } from './context.ts'
import { typedIn } from './errors.ts'
import type { Guard } from './may.ts'
import { localPath, showPage, wordingFor } from './page.ts'
import { isCrossSite } from './security.ts'

/** The pages of a node that is only read: which addresses it has no page for, and where these are. */
export class Mirror {
  readonly #publishAt: readonly string[]
  #router: Router | undefined

  /** @param publishAt addresses of nodes that people publish on, without a slash at the end; the first is linked to */
  constructor(publishAt: readonly string[]) {
    this.#publishAt = publishAt
  }

  /** To be told all routes: what asks for more than to read is not here. */
  take(router: Router): void {
    this.#router = router
  }

  /** Where a path of this site is on the nodes that people publish on. */
  places(path: string): { name: string; address: string }[] {
    return this.#publishAt.map((node) => ({ name: new URL(node).host, address: node + path }))
  }

  /** Whether an address, without a language's prefix, is a page that only the other nodes have. */
  isElsewhere(address: string, method = 'GET'): boolean {
    const [path = ''] = address.split(/[?#]/, 1)
    const { pathAndMethod = [] } = this.#router?.match(path, method) ?? {}
    return pathAndMethod.some(({ stack }) => (stack[0] as unknown as Guard).permission !== 'read')
  }
}

/** Answers with where to go to whoever wants to do more than read; what they have written is given back to them. */
export function mirrorPages(web: WebContext, mirror: Mirror): Middleware {
  return async (ctx, next) => {
    const method = ctx.method === 'HEAD' ? 'GET' : ctx.method
    if (!mirror.isElsewhere(ctx.path, method)) {
      await next()
      return
    }
    const { t } = wordingFor(ctx)
    ctx.status = 403
    const model = {
      title: t('mirror.title'),
      text: t('mirror.text'),
      places: mirror.places(localPath(ctx, ctx.path) + ctx.search),
      typed: isCrossSite(ctx, web.config.url) ? [] : await typedIn(ctx, web),
      robots: 'noindex',
    }
    await showPage(ctx, web, 'message', model, { store: false })
  }
}
