import type { Router } from '@koa/router'
import type { ParameterizedContext } from 'koa'
import { HyperactiveError } from '../errors.ts'
import { normaliseTag } from '../kinds/article.ts'
import { isHybridTime } from '../ledger/clock.ts'
import { isEdit } from '../project/judge.ts'
import { isItemId } from '../ledger/item-id.ts'
import { listing, pathOf, tagPath, text } from '../pages/models.ts'
import { renderPage } from '../pages/render.ts'
import type { PageQuery, Place } from '../project/site.ts'
import type { SiteItem } from '../project/site-item.ts'
import type { Clash } from '../resolve/resolve.ts'
import { shellOf } from './context.ts'
import type { WebContext } from './context.ts'

const HOME_ENTRIES = 24
const PAGE_ENTRIES = 20

/** Home, newswire, tags and clashes. */
export function listingRoutes(router: Router, web: WebContext): void {
  const { site } = web
  router.get('/', async (ctx) => {
    const { entries, older } = listing(await site.newswire({ limit: HOME_ENTRIES }), '/newswire')
    const model = {
      lead: entries[0],
      seconds: entries.slice(1, 5),
      wire: entries.slice(5),
      older,
      current: 'home',
    }
    answer(ctx, renderPage('home', shellOf(web), model))
  })
  router.get('/newswire', async (ctx) => {
    const page = listing(await site.newswire(pageQuery(ctx)), '/newswire')
    answer(ctx, renderPage('listing', shellOf(web), { ...page, title: 'Newswire', current: 'newswire' }))
  })
  router.get('/tags/:tag', async (ctx) => {
    const tag = normaliseTag(ctx.params.tag ?? '')
    const page = listing(await site.tagged(tag, pageQuery(ctx)), tagPath(tag))
    if (page.entries.length === 0) ctx.status = 404
    answer(ctx, renderPage('listing', shellOf(web), { ...page, title: tag, kicker: 'Tag' }))
  })
  router.get('/clashes', async (ctx) => {
    const page = await site.clashes(pageQuery(ctx))
    const items = await site.items(page.rows.map(({ item }) => item))
    const models = await Promise.all(items.map((item) => clashesOf(item, web)))
    const { newer, older } = listing(page, '/clashes')
    answer(ctx, renderPage('clashes', shellOf(web), { items: models, newer, older, robots: 'noindex' }))
  })
}

/** An item's clashes with both texts, as they stand in the two versions. */
export async function clashesOf(item: SiteItem, { ledger }: WebContext) {
  const path = pathOf(item.kind, item._id)
  const hashes = [...new Set(item.clashes.flatMap(({ kept, other }) => [kept, other]))]
  const found = await ledger.readMany(hashes.map((hash) => `${item._id}:edit:${hash}`))
  const side = (hash: string, field: string) => {
    const edit = found.get(`${item._id}:edit:${hash}`)
    const value = edit && isEdit(edit) ? edit.fields[field] : undefined
    const shown = Array.isArray(value) ? value.map(String).join(', ') : text(value)
    return { short: hash.slice(0, 8), path: `${path}/versions/${hash}`, text: shown }
  }
  return {
    path,
    title: item.listing.title,
    clashes: item.clashes.map(({ field, kept, other }: Clash) => ({
      field: field === '*' ? 'whole item' : field,
      kept: side(kept, field),
      other: side(other, field),
    })),
  }
}

/** Which page of a listing an address asks for. */
function pageQuery(ctx: ParameterizedContext): PageQuery {
  const { before, after } = ctx.query
  if (before !== undefined) return { limit: PAGE_ENTRIES, olderThan: placeOf(before) }
  if (after !== undefined) return { limit: PAGE_ENTRIES, newerThan: placeOf(after) }
  return { limit: PAGE_ENTRIES }
}

function placeOf(value: unknown): Place {
  const [, at = '', item = ''] = /^(.{1,40})_(.{26})$/.exec(String(value)) ?? []
  if (isHybridTime(at) && isItemId(item)) return { at, item }
  throw new HyperactiveError(
    'bad_place',
    'This is not a place in the newswire. Start again from its first page.',
    { status: 400 },
  )
}

function answer(ctx: ParameterizedContext, html: string): void {
  ctx.set('Cache-Control', 'no-cache')
  ctx.type = 'text/html'
  ctx.body = html
}
