import type { Router } from '@koa/router'
import type { ParameterizedContext } from 'koa'
import { HyperactiveError } from '../../errors.ts'
import { kindOf } from '../../kinds/base/registry.ts'
import { normaliseTerm } from '../../kinds/base/vocabulary.ts'
import { LIMITS } from '../../kinds/base/fields.ts'
import { isItemId } from '../../ledger/item-id.ts'
import { isPause, PAUSES } from '../../newsroom/slow.ts'
import { termPath } from '../../pages/models.ts'
import type { SiteComment, SiteItem } from '../../project/site-item.ts'
import type { WebContext } from '../context.ts'
import { redirect } from '../form.ts'
import type { Form } from '../form.ts'
import { may } from '../may.ts'
import { localPath, showPage, wordingFor } from '../page.ts'
import { issueToken, readOwnForm } from '../people/own-form.ts'
import { FormTokens } from '../token.ts'

const TAGS = '/office/slow'

/** Where moderators slow down comments on an item, and new items with a tag, on this node. */
export function slowPages(router: Router, web: WebContext): void {
  const tokens = new FormTokens(web.nodeKey)

  router.post('/slow/:item', may('slow'), async (ctx) => {
    const { item: id = '' } = ctx.params
    const form = await readOwnForm(ctx, tokens, { action: `/moderate/${id}`, url: web.config.url })
    const item = isItemId(id) ? await web.site.anyItem(id) : undefined
    if (!item)
      throw new HyperactiveError('unknown_item', wordingFor(ctx).t('error.unknownItem'), { status: 404 })
    await web.slow.set(`item:${id}`, pauseIn(ctx, form))
    redirect(ctx, localPath(ctx, `/moderate/${id}`))
  })

  router.get('/office/slow', may('slow'), (ctx) => show(ctx))
  router.post('/office/slow', may('slow'), async (ctx) => {
    const form = await readOwnForm(ctx, tokens, { url: web.config.url })
    const typed = form.get('tag') ?? ''
    const tag = web.terms().nameOf('tag', normaliseTerm(typed))
    if (tag === '' || tag.length > LIMITS.term)
      return show(ctx, { typed, status: 422, error: wordingFor(ctx).t('abuse.noTag') })
    await web.slow.set(`tag:${tag}`, pauseIn(ctx, form))
    redirect(ctx, localPath(ctx, TAGS))
  })

  async function show(
    ctx: ParameterizedContext,
    { status = 200, typed = '', error }: { status?: number; typed?: string; error?: string } = {},
  ): Promise<void> {
    const { t } = wordingFor(ctx)
    const all = web.slow.all()
    const named = (prefix: string) =>
      all
        .filter(({ key }) => key.startsWith(prefix))
        .map(({ key, minutes }) => ({ name: key.slice(prefix.length), minutes }))
    const items = await web.site.items(named('item:').map(({ name }) => name))
    const titles = new Map(items.map(({ _id, listing }) => [_id, listing.title]))
    ctx.status = status
    const model = {
      tags: named('tag:').map((tag) => ({ ...tag, path: termPath('tag', tag.name) })),
      items: named('item:').map(({ name, minutes }) => ({
        name: titles.get(name) ?? name,
        minutes,
        path: `/moderate/${name}`,
      })),
      pauses: PAUSES,
      typed,
      error,
      action: TAGS,
      token: issueToken(ctx, tokens, TAGS),
      title: t('abuse.slowTitle'),
      robots: 'noindex',
    }
    await showPage(ctx, web, 'moderation/slow', model, { store: false })
  }
}

/** The form that slows down comments, for the page on which moderators decide on an item; it has the page's token. */
export function slowForm({ slow }: Pick<WebContext, 'slow'>, target: SiteItem | SiteComment) {
  if (target.type !== 'item' || !kindOf(target.kind)?.comments) return undefined
  return { action: `/slow/${target._id}`, minutes: slow.minutes(`item:${target._id}`), pauses: PAUSES }
}

function pauseIn(ctx: ParameterizedContext, form: Form): number {
  const minutes = Number(form.get('minutes'))
  if (isPause(minutes)) return minutes
  throw new HyperactiveError('bad_pause', wordingFor(ctx).t('abuse.badPause'), { status: 400 })
}
