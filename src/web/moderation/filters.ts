import { createHash } from 'node:crypto'
import type { Router } from '@koa/router'
import type { ParameterizedContext } from 'koa'
import { HyperactiveError } from '../../errors.ts'
import type { Filter, FilterInput } from '../../newsroom/filters/filter.ts'
import { FILTER_LIMITS } from '../../newsroom/filters/filter.ts'
import { TRIED } from '../../newsroom/filters/trial.ts'
import { changedAt, nameOf } from '../../newsroom/target.ts'
import { text } from '../../pages/models.ts'
import type { SiteComment, SiteItem } from '../../project/site-item.ts'
import type { WebContext } from '../context.ts'
import type { Form } from '../form.ts'
import { redirect } from '../form.ts'
import { may } from '../may.ts'
import { localPath, showPage, wordingFor } from '../page.ts'
import type { PageRequest } from '../page.ts'
import { issueToken, readOwnForm } from '../people/own-form.ts'
import { FormTokens } from '../token.ts'
import { filterFormModel, filterModel, readFilterForm } from './filter-form.ts'

const HERE = '/office/filters'
/** Of what a filter would match so many are shown. */
const SHOWN = 50

interface Shown {
  status?: number
  notice?: string
  input?: FilterInput
  problems?: Readonly<Record<string, string>>
  preview?: object
}

/** Where editors keep the filters of this node, and try each on what is here before it acts. */
export function filterPages(router: Router, web: WebContext): void {
  const tokens = new FormTokens(web.nodeKey)

  router.get('/office/filters', may('filters'), (ctx) => list(ctx))
  router.post('/office/filters', may('filters'), async (ctx) => {
    await take(ctx, await readOwnForm(ctx, tokens, { url: web.config.url }), undefined)
  })

  router.get('/office/filters/:filter', may('filters'), async (ctx) => {
    const filter = await filterOf(ctx)
    await list(ctx, filter, { input: filter })
  })
  router.post('/office/filters/:filter', may('filters'), async (ctx) => {
    const form = await readOwnForm(ctx, tokens, { url: web.config.url })
    await take(ctx, form, await filterOf(ctx))
  })

  async function filterOf(ctx: PageRequest): Promise<Filter> {
    const filter = await web.filters.filters.get(ctx.params.filter ?? '')
    if (filter) return filter
    throw new HyperactiveError('unknown_filter', wordingFor(ctx).t('filters.unknown'), { status: 404 })
  }

  async function take(ctx: ParameterizedContext, form: Form, filter: Filter | undefined): Promise<void> {
    const { filters } = web.filters
    const action = form.get('action') ?? ''
    if (filter && (action === 'on' || action === 'off')) await filters.switch(filter.id, action === 'off')
    else if (filter && action === 'delete') await filters.delete(filter.id)
    else return edit(ctx, form, filter)
    redirect(ctx, localPath(ctx, HERE))
  }

  /** Tries what was typed, and keeps it if that is what was asked for. What was typed is never lost. */
  async function edit(ctx: ParameterizedContext, form: Form, filter: Filter | undefined): Promise<void> {
    const { t } = wordingFor(ctx)
    const { input, problems } = readFilterForm(form)
    const wrong = Object.entries(problems)
    if (wrong.length > 0) {
      const said = Object.fromEntries(wrong.map(([field, name]) => [field, t(`filters.problem.${name}`)]))
      return list(ctx, filter, { input, problems: said, notice: t('filters.problem.check'), status: 422 })
    }
    try {
      const trial = await web.filters.tryOut(input, SHOWN)
      const action = form.get('action')
      const isTried = form.get('tried') === digestOf(input)
      if (!isTried || (action !== 'save' && action !== 'apply')) {
        const preview = previewModel(ctx, trial)
        return await list(ctx, filter, { input, preview })
      }
      const saved = await web.filters.filters.save(input, filter?.id)
      if (action === 'apply') await web.filters.apply(saved)
      redirect(ctx, localPath(ctx, HERE))
    } catch (error) {
      if (!(error instanceof HyperactiveError) || error.status !== 422) throw error
      const said = problemOf(error, ctx)
      await list(ctx, filter, { input, ...said, status: 422 })
    }
  }

  async function list(
    ctx: ParameterizedContext,
    filter?: Filter,
    { status = 200, notice, input, problems = {}, preview }: Shown = {},
  ): Promise<void> {
    const wording = wordingFor(ctx)
    const all = await web.filters.filters.all()
    ctx.status = status
    const model = {
      filters: all.map(filterModel),
      form: filterFormModel(input, problems, wording),
      edits: filter?.id,
      limits: FILTER_LIMITS,
      tried: TRIED,
      notice,
      preview,
      digest: input && digestOf(input),
      action: filter ? `${HERE}/${filter.id}` : HERE,
      token: issueToken(ctx, tokens, filter ? `${HERE}/${filter.id}` : HERE),
      tokens: Object.fromEntries(all.map(({ id }) => [id, issueToken(ctx, tokens, `${HERE}/${id}`)])),
      title: wording.t('filters.title'),
      robots: 'noindex',
    }
    await showPage(ctx, web, 'moderation/filters', model, { store: false })
  }
}

/** What is wrong with a pattern, where it is to be read. */
function problemOf(error: HyperactiveError, ctx: ParameterizedContext): Shown {
  const { t } = wordingFor(ctx)
  switch (error.code) {
    case 'filter_bad_pattern':
      return { problems: { pattern: t('filters.problem.bad', { problem: error.message }) } }
    case 'filter_too_large':
    case 'filter_too_slow':
      return { problems: { pattern: t('filters.problem.slow') } }
    case 'too_many_filters':
      return { notice: t('filters.problem.tooMany') }
    default:
      return { notice: error.message }
  }
}

/** What a filter would match. */
function previewModel(
  ctx: ParameterizedContext,
  { looked, matching, shown }: { looked: number; matching: number; shown: (SiteItem | SiteComment)[] },
) {
  const wording = wordingFor(ctx)
  return {
    looked,
    matching,
    more: matching > shown.length,
    entries: shown.map((document) => ({
      title: text(document.fields.title) || text(document.fields.body).slice(0, 80),
      kind: document.type === 'item' ? wording.kind(document.kind) : wording.t('comments.one'),
      at: wording.moment(changedAt(document)),
      path: `/moderate/${nameOf(document)}`,
    })),
  }
}

/** Tells whether a form is saved as it was tried. */
function digestOf(input: FilterInput): string {
  const { name, way, pattern, parts, kinds, deed, category = '', tag = '' } = input
  const text = JSON.stringify([name, way, pattern, parts, kinds, deed, category, tag])
  return createHash('sha256').update(text).digest('hex').slice(0, 32)
}
