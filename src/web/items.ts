import type { Router } from '@koa/router'
import { HyperactiveError } from '../errors.ts'
import { kindAt, kindOf } from '../kinds/base/registry.ts'
import { isHash } from '../ledger/document.ts'
import type { Edit } from '../ledger/document.ts'
import { isItemId } from '../ledger/item-id.ts'
import { fieldChanges } from '../pages/changes.ts'
import { whenModel } from '../pages/calendar.ts'
import { historyModel, itemModel, pathOf } from '../pages/models.ts'
import { cardOf } from '../pages/structured.ts'
import { isEdit } from '../project/judge.ts'
import { noteUntold } from '../reads.ts'
import type { Wording } from '../i18n/wording.ts'
import type { SiteItem } from '../project/site-item.ts'
import { discussion } from './comments.ts'
import type { WebContext } from './context.ts'
import { extraOf } from './extras.ts'
import { itemFiles, versionFiles } from './files-of-item.ts'
import { groupExtra } from './group.ts'
import { itemOf } from './item-of.ts'
import { resolvePath } from './listing-pages.ts'
import { localPath, publicUrl, showPage, wordingFor } from './page.ts'
import type { PageRequest } from './page.ts'
import { may } from './may.ts'
import { mayHere, relate } from './relations.ts'

/** An item's page, its history, its versions and what changed between them. */
export function itemPages(router: Router, web: WebContext): void {
  router.get('/:kind/:item', may('read'), async (ctx, next) => {
    if (!kindAt(ctx.params.kind ?? '') || !isItemId(ctx.params.item ?? '')) {
      await next()
      return
    }
    const item = await itemOf(ctx, web).catch(async (error: unknown) => {
      // What was exported elsewhere and imported here answers to its former address.
      if (await followAlias(ctx, web)) return undefined
      throw error
    })
    if (!item) return
    const wording = wordingFor(ctx)
    const model = itemModel(item, wording)
    await relate(ctx, item, web)
    const [extra, ofGroup, comments] = await Promise.all([
      extraOf(item, web, wording),
      item.kind === 'group' ? groupExtra(item, web, wording) : {},
      discussion(item, web, { wording, from: ctx.query.comments }),
    ])
    const files = itemFiles(item, wording, { seesHidden: mayHere(ctx, 'moderate') })
    await showPage(
      ctx,
      web,
      templateOf(item),
      {
        item: model,
        files,
        embeds: files.count > files.attachments.length,
        rights: rightsOn(ctx, item),
        ...extra,
        ...ofGroup,
        ...(item.occurrences ? { when: whenModel(item, wording, Date.now()) } : {}),
        comments,
        title: model.title,
        description: item.standing.hidden ? undefined : model.summary,
        robots: item.standing.hidden ? 'noindex, nofollow' : undefined,
        card: item.standing.hidden
          ? undefined
          : cardOf(item, { name: web.config.site.name, url: publicUrl(ctx, web) }),
        ...(item.kind === 'group' ? { feed: `${model.path}/newswire` } : {}),
        ...(comments
          ? { feed: model.path, feedTitle: wording.t('comments.on', { title: model.title }) }
          : {}),
      },
      { plays: files.plays },
    )
  })
  router.get('/:kind/:item/history', may('read'), async (ctx) => {
    const item = await itemOf(ctx, web)
    const wording = wordingFor(ctx)
    const heads = item.heads.map((hash) => `${item._id}:edit:${hash}`)
    // Peers' copies come and go without the site changing.
    noteUntold()
    const history = historyModel(item, Object.values(await web.holdings(heads)), wording)
    const title = wording.t('history.title', { title: history.title })
    await showPage(ctx, web, 'history', { history, title, robots: 'noindex' })
  })
  router.get('/:kind/:item/versions/:hash', may('read'), async (ctx) => {
    const item = await itemOf(ctx, web)
    const edit = await editOf(item, ctx.params.hash ?? '', web)
    const wording = wordingFor(ctx)
    const model = itemModel(item, wording, edit.fields)
    const files = await versionFiles(item, edit.fields, { wording, web })
    const version = {
      saved: wording.moment(edit.at, item.listing.dayOnly),
      note: edit.note,
      current: item.heads.length === 1 && item.heads[0] === ctx.params.hash,
    }
    await showPage(
      ctx,
      web,
      templateOf(item),
      {
        item: model,
        version,
        files,
        ...(kindOf(item.kind)?.occurrences ? { when: whenOfVersion(item, edit, wording) } : {}),
        title: model.title,
        robots: 'noindex',
      },
      { plays: files.plays },
    )
  })
  router.get('/:kind/:item/changes/:from/:to', may('read'), async (ctx) => {
    const item = await itemOf(ctx, web)
    const from = await editOf(item, ctx.params.from ?? '', web)
    const to = await editOf(item, ctx.params.to ?? '', web)
    const wording = wordingFor(ctx)
    const path = pathOf(item.kind, item._id)
    await showPage(ctx, web, 'changes', {
      itemTitle: item.listing.title,
      kind: item.kind,
      path,
      older: {
        path: `${path}/versions/${ctx.params.from ?? ''}`,
        saved: wording.moment(from.at, item.listing.dayOnly),
      },
      newer: {
        path: `${path}/versions/${ctx.params.to ?? ''}`,
        saved: wording.moment(to.at, item.listing.dayOnly),
      },
      changes: fieldChanges(from.fields, to.fields),
      title: wording.t('changes.title', { title: item.listing.title }),
      robots: 'noindex',
    })
  })
}

/** Where whoever asks may go from an item's page. */
function rightsOn(ctx: PageRequest, item: SiteItem) {
  const edits = mayHere(ctx, 'edit-any')
  const isGroup = item.kind === 'group'
  const path = pathOf(item.kind, item._id)
  return {
    moderates: mayHere(ctx, 'moderate'),
    edits,
    resolvePath: edits && item.clashes.length > 0 ? resolvePath(item) : undefined,
    membersPath: isGroup && mayHere(ctx, 'members') ? `${path}/members` : undefined,
    publishPath: isGroup && mayHere(ctx, 'publish-in-group') ? `${path}/publish` : undefined,
  }
}

/** Addresses of older sites that items answer to: the last thing to try before there is nothing. */
export function aliasPages(router: Router, web: WebContext): void {
  router.get('/{*path}', may('read'), async (ctx, next) => {
    if (!(await followAlias(ctx, web))) await next()
  })
}

/** Sends on to the item that answers to an address of an older site, if there is one. */
async function followAlias(ctx: PageRequest, { site }: Pick<WebContext, 'site'>): Promise<boolean> {
  const target = await site.itemAtAlias(ctx.path)
  if (!target) return false
  ctx.status = 301
  ctx.redirect(localPath(ctx, pathOf(target.kind, target.item)))
  return true
}

/** The template of an item's page: its kind's own. */
function templateOf({ kind }: SiteItem): string {
  return `kinds/${kindOf(kind)?.name ?? 'article'}`
}

function whenOfVersion(item: SiteItem, { fields }: Edit, wording: Wording) {
  const occurrences = [...(kindOf(item.kind)?.occurrences?.(fields) ?? [])]
  return whenModel({ ...item, fields, occurrences }, wording, 0)
}

async function editOf(item: SiteItem, hash: string, { ledger }: WebContext): Promise<Edit> {
  const edit = isHash(hash) && hash in item.graph ? await ledger.read(`${item._id}:edit:${hash}`) : undefined
  if (edit && isEdit(edit)) return edit
  throw new HyperactiveError('unknown_version', 'This item has no such version on this node.', {
    status: 404,
  })
}
