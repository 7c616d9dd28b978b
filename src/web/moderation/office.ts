import type { Router } from '@koa/router'
import type { ParameterizedContext } from 'koa'
import { allows } from '../../accounts/permissions.ts'
import { HyperactiveError } from '../../errors.ts'
import { allKinds } from '../../kinds/base/registry.ts'
import { isHash } from '../../ledger/document.ts'
import { isItemId } from '../../ledger/item-id.ts'
import { CATEGORIES } from '../../newsroom/categories.ts'
import { reasonNamed, text } from '../../pages/models.ts'
import { CLASHES } from '../../project/site.ts'
import type { WebContext } from '../context.ts'
import type { Form } from '../form.ts'
import { redirect } from '../form.ts'
import { may } from '../may.ts'
import { localPath, showPage, wordingFor } from '../page.ts'
import { issueToken, knownPerson, readOwnForm } from '../people/own-form.ts'
import { FormTokens } from '../token.ts'
import { judge, readJudgement, targetName } from './judging.ts'

const HERE = '/office'
const ROWS = 50
/** What only editors publish, by a form. */
const EDITORS_KINDS = allKinds()
  .filter(({ by, name }) => by === 'editors' && name !== 'term')
  .map(({ name }) => name)

/** The moderators' page: what waits for approval, several at once, and the ways to everything else. */
export function officePages(router: Router, web: WebContext): void {
  const tokens = new FormTokens(web.nodeKey)

  router.get(HERE, may('moderate'), (ctx) => show(ctx))

  router.post(HERE, may('moderate'), async (ctx) => {
    const form = await readOwnForm(ctx, tokens, { url: web.config.url })
    try {
      const targets = targetsIn(form)
      if (targets.length === 0)
        throw new HyperactiveError('nothing_chosen', wordingFor(ctx).t('moderation.nothingChosen'), {
          status: 422,
        })
      if (form.get('action') === 'dismiss')
        for (const target of targets) await web.reports.close(targetName(target))
      else await judge(ctx, web, targets, readJudgement(ctx, form))
      redirect(ctx, localPath(ctx, HERE))
    } catch (error) {
      if (!(error instanceof HyperactiveError) || error.status !== 422) throw error
      await show(ctx, { notice: error.message, status: 422, chosen: new Set(chosenIn(form)) })
    }
  })

  async function show(
    ctx: ParameterizedContext,
    {
      status = 200,
      notice,
      chosen = new Set<string>(),
    }: { status?: number; notice?: string; chosen?: ReadonlySet<string> } = {},
  ): Promise<void> {
    const wording = wordingFor(ctx)
    const waiting = await web.site.awaiting(ROWS + 1)
    ctx.status = status
    const model = {
      entries: waiting.slice(0, ROWS).map((entry) => {
        const path = entry.type === 'item' ? entry._id : `${entry.item}/${entry.hash}`
        return {
          id: path,
          chosen: chosen.has(path),
          path: `/moderate/${path}`,
          kind: entry.type === 'item' ? wording.kind(entry.kind) : wording.t('comments.one'),
          title: text(entry.fields.title) || wording.t('comments.one'),
          text: `${text(entry.fields.summary)} ${text(entry.fields.body)}`.trim().slice(0, 400),
          at: wording.moment(entry.at),
        }
      }),
      reported: await reportedModels(chosen),
      count: Math.min(waiting.length, ROWS),
      more: waiting.length > ROWS,
      clashes: await web.site.count(CLASHES),
      categories: CATEGORIES,
      kinds: allows('publish-pages', knownPerson(ctx).roles) ? EDITORS_KINDS : [],
      administers: allows('accounts', knownPerson(ctx).roles),
      notice,
      token: issueToken(ctx, tokens, HERE),
      title: wording.t('office.title'),
      robots: 'noindex',
    }
    await showPage(ctx, web, 'moderation/office', model, { store: false })
  }

  async function reportedModels(chosen: ReadonlySet<string>) {
    const reported = await web.reports.open()
    const found = await web.site.documents(
      reported.map(({ target }) => (target.includes('/') ? `comment:${target.replace('/', ':')}` : target)),
    )
    return reported.map(({ target, reports }) => {
      const document = found.get(target.includes('/') ? `comment:${target.replace('/', ':')}` : target)
      return {
        id: target,
        chosen: chosen.has(target),
        path: `/moderate/${target}`,
        title: text(document?.fields.title) || target,
        text: text(document?.fields.body).slice(0, 400),
        reports: reports.map(({ category, reason, at }) => ({ category: reasonNamed(category), reason, at })),
      }
    })
  }
}

function chosenIn(form: Form): string[] {
  return [...form.keys()].flatMap((name) => (name.startsWith('choose-') ? name.slice(7) : []))
}

function targetsIn(form: Form): { item: string; comment?: string }[] {
  return chosenIn(form).flatMap((path) => {
    const [item = '', comment] = path.split('/')
    if (!isItemId(item) || (comment !== undefined && !isHash(comment))) return []
    return comment === undefined ? { item } : { item, comment }
  })
}
