import type { Router } from '@koa/router'
import type { ParameterizedContext } from 'koa'
import { HyperactiveError } from '../errors.ts'
import { isHybridTime } from '../ledger/clock.ts'
import { isEdit } from '../project/judge.ts'
import { listing, pathOf } from '../pages/models.ts'
import { asText } from '../pages/changes.ts'
import { CLASHES } from '../project/site-rows.ts'
import type { ListingPage, PageQuery, Place } from '../project/site-rows.ts'
import type { SiteItem } from '../project/site-item.ts'
import type { Clash } from '../resolve/resolve.ts'
import type { WebContext } from './context.ts'
import { LISTINGS } from './listings.ts'
import type { Listing, ListingRoute } from './listings.ts'
import { liveLine } from './live-line.ts'
import { playedLinks } from './played-links.ts'
import { localPath, showPage, wordingFor } from './page.ts'
import type { PageRequest } from './page.ts'
import { may } from './may.ts'
import { mayOnItem } from './relations.ts'

const PAGE_ENTRIES = 20

/** The pages of all listings, and of what waits for a person. */
export function listingPages(router: Router, web: WebContext): void {
  for (const route of LISTINGS) {
    router.get(route.pattern, may('read'), async (ctx, next) => {
      const found = await findListing(ctx, web, route)
      if (found === undefined) await next()
      if (found === undefined || found === 'elsewhere') return
      const wording = wordingFor(ctx)
      const page = await web.site.list(found.scope, { ...pageQuery(ctx), part: 'teaser' })
      if (found.named && page.rows.length === 0) ctx.status = 404
      const model = {
        ...found,
        ...listing(page, found.path, wording, commentsOn(page, web)),
        feed: found.path,
        ...playedLinks(found, page.rows),
      }
      const live = found.live && liveLine(ctx, web, { path: found.path, rows: page.rows })
      await showPage(ctx, web, 'listing', { ...model, live }, { scripts: live ? ['live'] : [] })
    })
  }
  router.get('/clashes', may('read'), async (ctx) => {
    const page = await web.site.list(CLASHES, pageQuery(ctx))
    const items = await web.site.items(page.rows.map(({ item }) => item))
    const models = await Promise.all(
      items.map(async (item) => ({
        ...(await clashesOf(item, web)),
        resolvePath: (await mayOnItem(ctx, 'edit-any', item, web)) ? resolvePath(item) : undefined,
      })),
    )
    const { newer, older } = listing(page, '/clashes', wordingFor(ctx))
    await showPage(ctx, web, 'clashes', { items: models, newer, older, robots: 'noindex' })
  })
}

/** The listing that an address names. When the same one has another address the answer sends there: 'elsewhere'. */
export async function findListing(
  ctx: PageRequest,
  web: WebContext,
  route: ListingRoute,
  addressOf = (path: string) => path,
): Promise<Listing | 'elsewhere' | undefined> {
  const found = await route.find(ctx.params, web, wordingFor(ctx))
  if (typeof found !== 'string') return found
  ctx.status = 301
  ctx.redirect(localPath(ctx, addressOf(found)) + ctx.search)
  return 'elsewhere'
}

/** How many comments there are on the items of a page. */
export function commentsOn({ rows }: Pick<ListingPage, 'rows'>, { index }: WebContext): Map<string, number> {
  return index.counts(
    'comments',
    rows.map(({ item, of }) => of ?? item),
  )
}

/** An item's clashes with both texts, as they stand in the two versions. */
export async function clashesOf(item: SiteItem, { ledger }: Pick<WebContext, 'ledger'>) {
  const path = pathOf(item.kind, item._id)
  const hashes = [...new Set(item.clashes.flatMap(({ kept, other }) => [kept, other]))]
  const found = await ledger.readMany(hashes.map((hash) => `${item._id}:edit:${hash}`))
  const side = (hash: string, field: string) => {
    const edit = found.get(`${item._id}:edit:${hash}`)
    const value = edit && isEdit(edit) ? edit.fields[field] : undefined
    return { short: hash.slice(0, 8), path: `${path}/versions/${hash}`, text: asText(value) }
  }
  return {
    path,
    kind: item.kind,
    title: item.listing.title,
    clashes: item.clashes.map(({ field, kept, other }: Clash) => ({
      field,
      kept: side(kept, field),
      other: side(other, field),
    })),
  }
}

/** Where somebody settles an item's clashes: by the secret of its edit link, or signed in. */
export function resolvePath(item: SiteItem, secret?: string): string {
  return `${pathOf(item.kind, item._id)}/resolve${secret === undefined ? '' : `/${secret}`}`
}

/** Which page of a listing an address asks for. */
export function pageQuery(ctx: ParameterizedContext, limit = PAGE_ENTRIES): PageQuery {
  const { before, after } = ctx.query
  if (before !== undefined) return { limit, olderThan: placeOf(before) }
  if (after !== undefined) return { limit, newerThan: placeOf(after) }
  return { limit }
}

/** @throws HyperactiveError `bad_place` */
export function placeOf(value: unknown): Place {
  const [, at = '', item = ''] = /^(.{1,40}?)_([0-9a-z:]{26,100})$/.exec(String(value)) ?? []
  if (isHybridTime(at)) return { at, item }
  throw new HyperactiveError(
    'bad_place',
    'This is not a place in the listing. Start again from its first page.',
    {
      status: 400,
    },
  )
}
