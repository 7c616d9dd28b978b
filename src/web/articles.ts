import type { Router } from '@koa/router'
import type { ParameterizedContext } from 'koa'
import { HyperactiveError } from '../errors.ts'
import { isHash } from '../ledger/document.ts'
import type { Edit } from '../ledger/document.ts'
import { isItemId } from '../ledger/item-id.ts'
import { fieldChanges } from '../pages/changes.ts'
import { moment } from '../pages/format.ts'
import { articleModel, historyModel, pathOf } from '../pages/models.ts'
import { renderPage } from '../pages/render.ts'
import { isEdit } from '../project/judge.ts'
import type { SiteItem } from '../project/site-item.ts'
import { shellOf } from './context.ts'
import type { WebContext } from './context.ts'

type Parameters = ParameterizedContext & { params: Record<string, string | undefined> }

/** An article, its history, its versions and what changed between them. */
export function articleRoutes(router: Router, web: WebContext): void {
  router.get('/articles/:item', async (ctx) => {
    const item = await itemOf(ctx, web)
    const article = articleModel(item)
    answer(
      ctx,
      renderPage('article', shellOf(web), { article, title: article.title, description: article.summary }),
    )
  })
  router.get('/articles/:item/history', async (ctx) => {
    const item = await itemOf(ctx, web)
    const heads = item.heads.map((hash) => `${item._id}:edit:${hash}`)
    const history = historyModel(item, Object.values(await web.holdings(heads)))
    answer(
      ctx,
      renderPage('history', shellOf(web), {
        history,
        title: `History of “${history.title}”`,
        robots: 'noindex',
      }),
    )
  })
  router.get('/articles/:item/versions/:hash', async (ctx) => {
    const item = await itemOf(ctx, web)
    const edit = await editOf(item, ctx.params.hash ?? '', web)
    const article = articleModel(item, edit.fields)
    const version = {
      saved: moment(edit.at),
      note: edit.note,
      current: item.heads.length === 1 && item.heads[0] === ctx.params.hash,
    }
    answer(
      ctx,
      renderPage('article', shellOf(web), { article, version, title: article.title, robots: 'noindex' }),
    )
  })
  router.get('/articles/:item/changes/:from/:to', async (ctx) => {
    const item = await itemOf(ctx, web)
    const from = await editOf(item, ctx.params.from ?? '', web)
    const to = await editOf(item, ctx.params.to ?? '', web)
    const path = pathOf(item.kind, item._id)
    const model = {
      title: item.listing.title,
      path,
      from: { path: `${path}/versions/${ctx.params.from ?? ''}`, saved: moment(from.at) },
      to: { path: `${path}/versions/${ctx.params.to ?? ''}`, saved: moment(to.at) },
      changes: fieldChanges(from.fields, to.fields),
      robots: 'noindex',
    }
    answer(ctx, renderPage('changes', shellOf(web), model))
  })
}

/** @throws HyperactiveError 404 */
export async function itemOf(ctx: Parameters, { site }: WebContext): Promise<SiteItem> {
  const id = ctx.params.item ?? ''
  const item = isItemId(id) ? await site.item(id) : undefined
  if (item && ctx.path.startsWith(pathOf(item.kind, item._id))) return item
  const text =
    'No article has this address on this node. If it was published elsewhere a moment ago, it may be on its way here.'
  throw new HyperactiveError('unknown_item', text, { status: 404 })
}

async function editOf(item: SiteItem, hash: string, { ledger }: WebContext): Promise<Edit> {
  const edit = isHash(hash) && hash in item.graph ? await ledger.read(`${item._id}:edit:${hash}`) : undefined
  if (edit && isEdit(edit)) return edit
  throw new HyperactiveError('unknown_version', 'This article has no such version on this node.', {
    status: 404,
  })
}

function answer(ctx: ParameterizedContext, html: string): void {
  ctx.set('Cache-Control', 'no-cache')
  ctx.type = 'text/html'
  ctx.body = html
}
