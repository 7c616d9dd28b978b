import type { Router } from '@koa/router'
import type { ParameterizedContext } from 'koa'
import { HyperactiveError } from '../../errors.ts'
import { CATEGORIES } from '../../newsroom/categories.ts'
import { pathOf, reasonNamed } from '../../pages/models.ts'
import { isHash } from '../../ledger/document.ts'
import { isItemId } from '../../ledger/item-id.ts'
import { attemptOf, challengeFor, refusalOf } from '../abuse/on-forms.ts'
import type { GivenBack } from '../abuse/on-forms.ts'
import type { WebContext } from '../context.ts'
import { may } from '../may.ts'
import { showPage, wordingFor } from '../page.ts'
import type { PageRequest } from '../page.ts'
import { issueToken, readOwnForm } from '../people/own-form.ts'
import { FormTokens } from '../token.ts'

const LONGEST_REASON = 2000

interface Target {
  target: string
  path: string
}

interface Shown extends Partial<GivenBack> {
  typed?: { category?: string; reason?: string; answer?: string | undefined }
  done?: true
}

/** Where anybody tells the moderators of this node what is wrong with an item or a comment. */
export function reportPages(router: Router, web: WebContext): void {
  const tokens = new FormTokens(web.nodeKey)

  for (const address of ['/report/:item', '/report/:item/:comment']) {
    router.get(address, may('report'), async (ctx) => show(ctx, await targetOf(ctx)))
    router.post(address, may('report'), async (ctx) => {
      const target = await targetOf(ctx)
      const form = await readOwnForm(ctx, tokens, { url: web.config.url })
      const { t } = wordingFor(ctx)
      const reason = (form.get('reason') ?? '').trim()
      const typed = { category: form.get('category') ?? '', reason, answer: form.get('answer') }
      const category = reasonNamed(typed.category)
      const problem =
        category === undefined && reason === ''
          ? t('report.reasonMissing')
          : reason.length > LONGEST_REASON
            ? t('moderation.reasonTooLong')
            : undefined
      if (problem !== undefined) return show(ctx, target, { notice: problem, typed, status: 422 })
      const report = {
        target: target.target,
        ...(category === undefined ? {} : { category }),
        ...(reason === '' ? {} : { reason }),
      }
      try {
        const attempt = attemptOf(ctx, form, { activity: 'report' })
        await web.gate.pass(attempt, wordingFor(ctx), () => web.queue.reports.add(report))
      } catch (error) {
        const refusal = refusalOf(ctx, error)
        if (refusal) return show(ctx, target, { ...refusal, typed })
        throw error
      }
      await show(ctx, target, { done: true })
    })
  }

  async function targetOf(ctx: PageRequest): Promise<Target> {
    const { item: id = '', comment: hash } = ctx.params
    const item = isItemId(id) ? await web.site.item(id) : undefined
    const comment = hash !== undefined && isHash(hash) ? await web.site.comment(id, hash) : undefined
    if (!item || (hash !== undefined && (!comment || comment.standing.hidden)))
      throw new HyperactiveError('unknown_item', wordingFor(ctx).t('error.unknownItem'), { status: 404 })
    return hash === undefined
      ? { target: id, path: pathOf(item.kind, id) }
      : { target: `${id}/${hash}`, path: `/comments/${id}/${hash}` }
  }

  async function show(
    ctx: ParameterizedContext,
    { path }: Target,
    { status = 200, challengeError, typed = {}, ...more }: Shown = {},
  ): Promise<void> {
    ctx.status = status
    const token = issueToken(ctx, tokens, ctx.path)
    const { challenge, scripts } = challengeFor(
      ctx,
      web,
      { activity: 'report' },
      { token, answer: typed.answer, error: challengeError },
    )
    const model = {
      ...more,
      typed,
      challenge,
      path,
      categories: CATEGORIES,
      action: ctx.path,
      token,
      title: wordingFor(ctx).t('report.title'),
      robots: 'noindex',
    }
    await showPage(ctx, web, 'moderation/report', model, { store: false, scripts })
  }
}
