import { HyperactiveError } from '../errors.ts'
import { isItemId } from '../ledger/item-id.ts'
import { pathOf } from '../pages/models.ts'
import type { SiteItem } from '../project/site-item.ts'
import type { WebContext } from './context.ts'
import { wordingFor } from './page.ts'
import type { PageRequest } from './page.ts'

/**
 * The item that an address names.
 *
 * @throws HyperactiveError `unknown_item` (404)
 */
export async function itemOf(ctx: PageRequest, { site }: Pick<WebContext, 'site'>): Promise<SiteItem> {
  const id = ctx.params.item ?? ''
  const item = isItemId(id) ? await site.item(id) : undefined
  if (item && ctx.path.startsWith(pathOf(item.kind, item._id))) return item
  throw new HyperactiveError('unknown_item', wordingFor(ctx).t('error.unknownItem'), { status: 404 })
}
