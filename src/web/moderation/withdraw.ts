import type { Router } from '@koa/router'
import { decide } from '../../newsroom/decide.ts'
import { pathOf } from '../../pages/models.ts'
import { Budget, Budgets } from '../budget.ts'
import type { WebContext } from '../context.ts'
import { redirect } from '../form.ts'
import { authorOf, authorsItem } from '../item-of.ts'
import { may } from '../may.ts'
import { localPath, showPage, wordingFor } from '../page.ts'
import { readOwnForm } from '../people/own-form.ts'
import { FormTokens } from '../token.ts'

/** Each is a document for good. Nothing that others do keeps an author from withdrawing. */
const AT_ONCE = 10
const ONE_MORE_MS = 360_000
const REMEMBERED = 10_000

/** Where an author withdraws what they published, or takes that back, by the secret of their edit link. */
export function withdrawPages(router: Router, web: WebContext): void {
  const { ledger, site, policy, settled } = web
  const tokens = new FormTokens(web.nodeKey)
  const budgets = new Budgets(() => new Budget(AT_ONCE, ONE_MORE_MS), REMEMBERED)

  router.get('/:kind/:item/withdraw/:secret', may('edit-by-link'), async (ctx) => {
    const item = await authorsItem(ctx, web)
    const withdrawn = item.standing.closed === 'withdrawn'
    const model = {
      withdrawn,
      name: item.listing.title,
      editPath: `${pathOf(item.kind, item._id)}/edit/${ctx.params.secret ?? ''}`,
      action: ctx.path,
      token: tokens.issue(ctx.path),
      title: wordingFor(ctx).t(withdrawn ? 'withdraw.reinstate' : 'withdraw.title'),
      robots: 'noindex',
    }
    await showPage(ctx, web, 'moderation/withdraw', model, { store: false })
  })

  router.post('/:kind/:item/withdraw/:secret', may('edit-by-link'), async (ctx) => {
    const item = await authorsItem(ctx, web)
    const form = await readOwnForm(ctx, tokens, { url: web.config.url })
    const action = form.get('action') === 'reinstate' ? 'reinstate' : 'withdraw'
    const author = authorOf(ctx)
    if (author) {
      budgets.of(item._id).take(wordingFor(ctx).t('abuse.tooManyHere'))
      const newsroom = { ledger, site: site.database, policy }
      await settled(await decide(newsroom, { item: item._id, action, author }))
    }
    redirect(ctx, localPath(ctx, ctx.path))
  })
}
