import type { Router } from '@koa/router'
import { ASSETS, SCRIPTS } from '../pages/assets.ts'
import { may } from './may.ts'

/** Style sheet, icon and scripts under names that carry their content's hash. */
export function assetRoutes(router: Router): void {
  for (const asset of [...Object.values(ASSETS), ...Object.values(SCRIPTS)]) {
    router.get(asset.path, may('read'), (ctx) => {
      ctx.set('Cache-Control', 'public, max-age=31536000, immutable')
      ctx.type = asset.type
      ctx.body = asset.body
    })
  }
}
