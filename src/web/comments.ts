import type { Router } from '@koa/router'
import type { Context } from 'koa'
import { HyperactiveError } from '../errors.ts'
import type { Wording } from '../i18n/wording.ts'
import { COMMENT_LIMITS, commentFields } from '../kinds/base/comment.ts'
import { kindOf } from '../kinds/base/registry.ts'
import { isHybridTime } from '../ledger/clock.ts'
import { isHash } from '../ledger/document.ts'
import { isItemId } from '../ledger/item-id.ts'
import { logger } from '../log.ts'
import { renderMarkdown } from '../pages/markdown.ts'
import { pathOf, placeText, threads } from '../pages/models.ts'
import type { Policy } from '../project/policy.ts'
import type { SiteItem } from '../project/site-item.ts'
import { attemptOf, challengeFor, refusalOf } from './abuse/on-forms.ts'
import type { WebContext } from './context.ts'
import { oneLine } from './controls.ts'
import { readForm, redirect } from './form.ts'
import type { Form } from './form.ts'
import { localPath, showPage, wordingFor } from './page.ts'
import type { PageRequest } from './page.ts'
import { saveComment } from './saving.ts'
import { isCrossSite } from './security.ts'
import { Submissions } from './submissions.ts'
import { FormTokens } from './token.ts'
import { may } from './may.ts'

const log = logger('web')

/** Comments that an item's page shows; the rest stand on pages of their own. */
const SHOWN = 200
const PLACE = /^(.{1,40}?)_([0-9a-f]{0,40})$/

/** What an item's page says below the item: its comments, and whether more are taken. */
export async function discussion(
  item: SiteItem,
  { site, index, policy }: WebContext,
  { wording, from }: { wording: Wording; from?: unknown },
) {
  const { comments: takes = false } = kindOf(item.kind) ?? {}
  if (!takes) return undefined
  const [, at = '', hash = ''] = PLACE.exec(String(from)) ?? []
  const rows = await site.comments(item._id, SHOWN + 1, isHybridTime(at) ? { at, hash } : undefined)
  const shown = rows.slice(0, SHOWN)
  const last = shown.at(-1)
  const path = pathOf(item.kind, item._id)
  return {
    threads: threads(item._id, shown, wording),
    count: index.counts('comments', [item._id]).get(item._id) ?? 0,
    open: isOpen(item, policy),
    path: `/comments/${item._id}`,
    more:
      rows.length > SHOWN && last
        ? `${path}?comments=${placeText({ at: last.at, item: last.hash })}#comments`
        : undefined,
  }
}

/** Whether readers may comment on an item now. */
export function isOpen(item: SiteItem, policy: Policy): boolean {
  const { commentsClosed } = item.fields
  return (
    policy.takesComments &&
    kindOf(item.kind)?.comments === true &&
    commentsClosed !== true &&
    !item.standing.locked &&
    !item.standing.hidden
  )
}

type Input = Record<'author' | 'title' | 'body', string>

/** The form to comment, or to answer a comment, and the lasting address of each comment. */
export function commentPages(router: Router, web: WebContext): void {
  const tokens = new FormTokens(web.nodeKey)
  const submissions = new Submissions()

  router.get('/comments/:item', may('comment'), async (ctx) => {
    const item = await commentedItem(ctx, web)
    await showForm(ctx, item, { input: { author: '', title: '', body: '' } })
  })
  router.get('/comments/:item/:hash', may('read'), async (ctx) => {
    const item = await commentedItem(ctx, web)
    const { comment } = await commentOf(ctx, item)
    // The comment may stand far down: its page is the item's from there on.
    const many = (web.index.counts('comments', [item._id]).get(item._id) ?? 0) > SHOWN
    const from = many ? `?comments=${placeText({ at: comment.at, item: '' })}` : ''
    redirectTo(ctx, `${pathOf(item.kind, item._id)}${from}#c-${comment.hash}`)
  })
  router.get('/comments/:item/:hash/answer', may('comment'), async (ctx) => {
    const item = await commentedItem(ctx, web)
    const answered = await commentOf(ctx, item)
    await showForm(ctx, item, { input: { author: '', title: '', body: '' }, answered })
  })
  router.post('/comments/:item', may('comment'), async (ctx) => save(ctx, await commentedItem(ctx, web)))
  router.post('/comments/:item/:hash/answer', may('comment'), async (ctx) => {
    const item = await commentedItem(ctx, web)
    await save(ctx, item, await commentOf(ctx, item))
  })

  async function save(ctx: PageRequest & Context, item: SiteItem, answered?: Answered): Promise<void> {
    const form = await readForm(ctx, web.config.limits.formBytes)
    const input = readInput(form)
    const { t } = wordingFor(ctx)
    const state = { input, answer: form.get('answer'), ...(answered ? { answered } : {}) }
    const fields = Object.fromEntries(Object.entries(tidy(input)).filter(([, value]) => value !== ''))
    const parsed = commentFields.safeParse(fields)
    if (isCrossSite(ctx, web.config.url)) {
      return showForm(ctx, item, { ...state, notice: t('form.crossSite'), status: 403 })
    }
    if (!tokens.isValid(form.get('token') ?? '', ctx.path)) {
      return showForm(ctx, item, { ...state, notice: t('form.staleToken'), status: 403 })
    }
    if (!isOpen(item, web.policy)) {
      return showForm(ctx, item, { ...state, notice: t('comments.closedMeanwhile'), status: 403 })
    }
    if (!parsed.success) {
      const errors: Record<string, string> = {}
      for (const issue of parsed.error.issues) {
        const name = String(issue.path[0])
        const problem = issue.code === 'invalid_type' ? t('problem.is missing') : issue.message
        errors[name] ??= t('form.problem', { field: t(`comments.${name}`), problem })
      }
      return showForm(ctx, item, { ...state, errors, status: 422 })
    }
    if (form.get('action') === 'preview') {
      return showForm(ctx, item, { ...state, preview: renderMarkdown(input.body) })
    }
    try {
      const attempt = attemptOf(ctx, form, { activity: 'comment', item: item._id })
      const location = await submissions.once(attempt.token, () =>
        web.gate.pass(attempt, wordingFor(ctx), async () => {
          const hash = await saveComment(web, item, { fields, inReplyTo: answered?.comment.hash })
          return `${pathOf(item.kind, item._id)}#c-${hash}`
        }),
      )
      redirect(ctx, localPath(ctx, location))
    } catch (error) {
      const refusal = refusalOf(ctx, error)
      if (refusal) return showForm(ctx, item, { ...state, ...refusal })
      const code = error instanceof HyperactiveError ? error.code : 'unexpected'
      log.error('a comment could not be saved', { code })
      ctx.set('Retry-After', '10')
      await showForm(ctx, item, { ...state, notice: t('form.notSaved'), status: 503 })
    }
  }

  async function commentOf(ctx: PageRequest, item: SiteItem): Promise<Answered> {
    const hash = ctx.params.hash ?? ''
    const comment = isHash(hash) ? await web.site.comment(item._id, hash) : undefined
    if (!comment || comment.standing.hidden) {
      throw new HyperactiveError('unknown_comment', wordingFor(ctx).t('error.unknownComment'), {
        status: 404,
      })
    }
    const [thread] = threads(item._id, [{ hash, at: comment.at, fields: comment.fields }], wordingFor(ctx))
    return { comment, thread }
  }

  async function showForm(
    ctx: Context,
    item: SiteItem,
    { status = 200, errors = {}, answered, answer, challengeError, ...state }: CommentState,
  ): Promise<void> {
    const wording = wordingFor(ctx)
    ctx.status = status
    const token = tokens.issue(ctx.path)
    const activity = 'comment'
    const { challenge, scripts } = challengeFor(
      ctx,
      web,
      { activity, item: item._id },
      { token, answer, error: challengeError },
    )
    const model = {
      ...state,
      errors,
      errorCount: Object.keys(errors).length + (challengeError === undefined ? 0 : 1),
      challenge,
      pause: web.slow.minutes(`item:${item._id}`),
      answered: answered?.thread,
      action: ctx.path,
      token,
      limits: COMMENT_LIMITS,
      open: isOpen(item, web.policy),
      itemTitle: item.listing.title,
      path: pathOf(item.kind, item._id),
      title: wording.t(answered ? 'comments.answer' : 'comments.write'),
      robots: 'noindex',
    }
    await showPage(ctx, web, 'comment', model, { store: false, scripts })
  }
}

interface Answered {
  comment: NonNullable<Awaited<ReturnType<WebContext['site']['comment']>>>
  thread: ReturnType<typeof threads>[number] | undefined
}

interface CommentState {
  input: Input
  status?: number
  errors?: Record<string, string>
  notice?: string
  preview?: string
  answered?: Answered
  /** What was answered to the form's question, and what is wrong with it. */
  answer?: string | undefined
  challengeError?: string
}

async function commentedItem(ctx: PageRequest, { site }: WebContext): Promise<SiteItem> {
  const id = ctx.params.item ?? ''
  const item = isItemId(id) ? await site.item(id) : undefined
  if (item && kindOf(item.kind)?.comments) return item
  throw new HyperactiveError('unknown_item', wordingFor(ctx).t('error.unknownItem'), { status: 404 })
}

function readInput(form: Form): Input {
  const get = (name: string) => form.get(name) ?? ''
  return { author: get('author'), title: get('title'), body: get('body') }
}

function tidy({ author, title, body }: Input): Input {
  return { author: oneLine(author), title: oneLine(title), body: body.trim() }
}

function redirectTo(ctx: PageRequest, path: string): void {
  ctx.status = 302
  ctx.redirect(localPath(ctx, path))
}
