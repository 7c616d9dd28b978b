import { HyperactiveError } from '../errors.ts'
import { belongsTo, isItemId } from '../ledger/item-id.ts'
import { keyFromSecret } from '../ledger/keys.ts'
import type { SigningKey } from '../ledger/keys.ts'
import { pathOf } from '../pages/models.ts'
import type { SiteItem } from '../project/site-item.ts'
import type { WebContext } from './context.ts'
import { wordingFor } from './page.ts'
import type { PageRequest } from './page.ts'

/**
 * The item that an address names.
 *
 * @throws HyperactiveError `unknown_item` (404); `item_closed` (410) for one that nobody can read any more, or not yet
 */
export async function itemOf(ctx: PageRequest, web: Pick<WebContext, 'site'>): Promise<SiteItem> {
  const item = await anyItemOf(ctx, web)
  const { closed } = item.standing
  if (closed === undefined) return item
  throw new HyperactiveError('item_closed', wordingFor(ctx).t(`closed.${closed}`), { status: 410 })
}

/**
 * The item that an address names, also when nobody can read it.
 *
 * @throws HyperactiveError `unknown_item` (404); `item_closed` (410) for one that was erased
 */
export async function anyItemOf(ctx: PageRequest, { site }: Pick<WebContext, 'site'>): Promise<SiteItem> {
  const id = ctx.params.item ?? ''
  const item = isItemId(id) ? await site.anyItem(id) : undefined
  if (item && ctx.path.startsWith(pathOf(item.kind, item._id))) return item
  if (!item && isItemId(id) && (await site.isErased(id)))
    throw new HyperactiveError('item_closed', wordingFor(ctx).t('closed.erased'), { status: 410 })
  throw new HyperactiveError('unknown_item', wordingFor(ctx).t('error.unknownItem'), { status: 404 })
}

/** Whether an item is not even its author's and the editors' any more. */
export function isShut({ standing }: Pick<SiteItem, 'standing'>): boolean {
  return standing.closed === 'concealed' || standing.closed === 'erased'
}

/** @throws HyperactiveError `item_closed` (410) */
export function refuseShut(ctx: PageRequest, item: SiteItem): void {
  if (!isShut(item)) return
  const text = wordingFor(ctx).t(`closed.${item.standing.closed ?? 'concealed'}`)
  throw new HyperactiveError('item_closed', text, { status: 410 })
}

/** The key of an edit link, when it belongs to the item. */
export function authorOf(ctx: PageRequest): SigningKey | undefined {
  const { item = '', secret = '' } = ctx.params
  const key = keyFromSecret(secret)
  return key && isItemId(item) && belongsTo(item, key.publicKey) ? key : undefined
}

/**
 * The item that an edit link is for, also when it waits for approval or its author has withdrawn it.
 *
 * @throws HyperactiveError `wrong_edit_link` (403), `unknown_item` (404), `item_closed` (410)
 */
export async function authorsItem(ctx: PageRequest, web: Pick<WebContext, 'site'>): Promise<SiteItem> {
  const item = await anyItemOf(ctx, web)
  if (!authorOf(ctx))
    throw new HyperactiveError('wrong_edit_link', wordingFor(ctx).t('error.wrongLink'), { status: 403 })
  refuseShut(ctx, item)
  return item
}
