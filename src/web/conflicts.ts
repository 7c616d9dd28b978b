import type { Router } from '@koa/router'
import type { Context } from 'koa'
import { HyperactiveError } from '../errors.ts'
import type { Input, Kind } from '../kinds/base/kind.ts'
import { kindOf } from '../kinds/base/registry.ts'
import { isHash } from '../ledger/document.ts'
import type { Fields } from '../ledger/document.ts'
import type { SigningKey } from '../ledger/keys.ts'
import { logger } from '../log.ts'
import { itemModel, pathOf } from '../pages/models.ts'
import { isEdit } from '../project/judge.ts'
import { mergeHeads } from '../project/merge-item.ts'
import type { GraphEdit, SiteItem } from '../project/site-item.ts'
import { bodiesNeeded, historyOf } from '../resolve/graph.ts'
import type { Version } from '../resolve/resolve.ts'
import { chosenFields, clashingFields } from './conflicts-model.ts'
import type { ClashingField } from './conflicts-model.ts'
import { conflictModel } from './conflicts-page.ts'
import type { WebContext } from './context.ts'
import { readForm, redirect } from './form.ts'
import { fieldErrors } from './item-form.ts'
import { anyItemOf, authorOf, authorsItem, refuseShut } from './item-of.ts'
import { may, mayOn } from './may.ts'
import { localPath, showPage, wordingFor } from './page.ts'
import type { PageRequest } from './page.ts'
import { standsFor } from './relations.ts'
import { saveEdit } from './saving.ts'
import { isCrossSite } from './security.ts'
import { Submissions } from './submissions.ts'
import { FormTokens } from './token.ts'

const log = logger('web')

/** Two for each passage, of several texts. */
const MOST_FIELDS = 500

const NOTES = {
  author: 'Conflict resolved',
  editor: 'Conflict resolved by an editor',
  member: 'Conflict resolved by a member of the group',
  translator: 'Conflict resolved by a translator',
} as const

/** What of an item clashed when a form was opened. */
interface Conflict {
  item: SiteItem
  kind: Kind
  parents: readonly string[]
  fields: Fields
  clashing: ClashingField[]
}

interface Shown {
  typed?: Input
  status?: number
  notice?: string
  errors?: Record<string, string>
  preview?: object
}

/** Where people settle what could not be merged: side by side, by paragraphs, as one edit that follows all heads. */
export function conflictPages(router: Router, web: WebContext): void {
  const tokens = new FormTokens(web.nodeKey)
  const submissions = new Submissions()

  router.get('/:kind/:item/resolve', mayOn('edit-any', web), async (ctx) =>
    show(ctx, await conflictOf(await openItem(ctx))),
  )
  router.post('/:kind/:item/resolve', mayOn('edit-any', web), async (ctx) =>
    settle(ctx, await openItem(ctx), web.nodeKey, standsFor(ctx, 'edit-any')),
  )
  router.get('/:kind/:item/resolve/:secret', may('edit-by-link'), async (ctx) =>
    show(ctx, await conflictOf(await authorsItem(ctx, web))),
  )
  router.post('/:kind/:item/resolve/:secret', may('edit-by-link'), async (ctx) => {
    const item = await authorsItem(ctx, web)
    const author = authorOf(ctx)
    if (author) await settle(ctx, item, author, 'author')
  })

  async function openItem(ctx: PageRequest): Promise<SiteItem> {
    const item = await anyItemOf(ctx, web)
    refuseShut(ctx, item)
    return item
  }

  /** The clashes of an item as they were when these versions were its heads, so that a form is read as it was shown. */
  async function conflictOf(item: SiteItem, parents: readonly string[] = item.heads): Promise<Conflict> {
    const parentsOf = Object.fromEntries(
      Object.entries(item.graph).map(([hash, edit]) => [hash, edit.parents]),
    )
    const history = historyOf(parentsOf, parents)
    const graph: Record<string, GraphEdit> = {}
    for (const hash of Object.keys(history)) {
      const edit = item.graph[hash]
      if (edit) graph[hash] = edit
    }
    const versions = new Map<string, Version>()
    const ids = bodiesNeeded(history).map((hash) => `${item._id}:edit:${hash}`)
    for (const [id, edit] of await web.ledger.readMany(ids)) {
      const hash = id.slice(-40)
      if (isEdit(edit)) versions.set(hash, { hash, at: edit.at, fields: edit.fields })
    }
    const kind = kindOf(item.kind)
    if (!kind)
      throw new HyperactiveError('unknown_kind', `this node knows no kind "${item.kind}"`, { status: 404 })
    const merged = mergeHeads(kind, graph, versions)
    return { item, kind, parents, fields: merged.fields, clashing: clashingFields(kind, merged, versions) }
  }

  async function settle(
    ctx: PageRequest & Context,
    item: SiteItem,
    author: SigningKey,
    role: keyof typeof NOTES,
  ): Promise<void> {
    const form = await readForm(ctx, web.config.limits.formBytes, MOST_FIELDS)
    const typed = Object.fromEntries(form)
    const parents = (typed.parents ?? '').split(' ').filter((hash) => isHash(hash) && hash in item.graph)
    const conflict = await conflictOf(item, parents.length > 0 ? parents : item.heads)
    const wording = wordingFor(ctx)
    const { t } = wording
    if (conflict.clashing.length === 0) return show(ctx, conflict)
    if (isCrossSite(ctx, web.config.url))
      return show(ctx, conflict, { typed, notice: t('form.crossSite'), status: 403 })
    if (!tokens.isValid(typed.token ?? '', ctx.path))
      return show(ctx, conflict, { typed, notice: t('form.staleToken'), status: 403 })
    if (parents.length === 0) return show(ctx, conflict, { typed, notice: t('form.noParents'), status: 422 })
    const fields = chosenFields(conflict.kind, conflict.fields, conflict.clashing, typed)
    const errors = fieldErrors(fields, conflict.kind, wording)
    if (Object.keys(errors).length > 0) return show(ctx, conflict, { typed, errors, status: 422 })
    if (typed.action === 'preview')
      return show(ctx, conflict, { typed, preview: itemModel(item, wording, fields) })
    try {
      const location = await submissions.once(typed.token ?? '', async () => {
        await saveEdit(web, item, { parents, fields, author, note: NOTES[role] })
        return pathOf(item.kind, item._id)
      })
      redirect(ctx, localPath(ctx, location))
    } catch (error) {
      log.error('a conflict could not be resolved', {
        code: error instanceof HyperactiveError ? error.code : 'unexpected',
      })
      ctx.set('Retry-After', '10')
      await show(ctx, conflict, { typed, notice: t('form.notSaved'), status: 503 })
    }
  }

  async function show(ctx: Context, conflict: Conflict, shown: Shown = {}): Promise<void> {
    const { item, kind, parents, clashing } = conflict
    const { typed, status = 200, notice, errors = {}, preview } = shown
    const wording = wordingFor(ctx)
    ctx.status = status
    const terms = web.terms()
    const names = new Set(clashing.map(({ name }) => name))
    const model = {
      ...conflictModel(clashing, { item, kind, typed, wording }),
      parents: parents.join(' '),
      notice,
      preview,
      errors,
      errorCount: Object.keys(errors).length,
      // What the choices make of a field that is not among them, such as an end before the start.
      otherErrors: Object.entries(errors).flatMap(([name, error]) => (names.has(name) ? [] : [error])),
      zones: clashing.some(({ control }) => control?.control === 'zone')
        ? Intl.supportedValuesOf('timeZone')
        : [],
      suggested: { tags: terms.suggested('tag'), places: terms.suggested('place') },
      action: ctx.path,
      path: pathOf(item.kind, item._id),
      itemTitle: item.listing.title,
      token: tokens.issue(ctx.path),
      title: wording.t('conflicts.title', { title: item.listing.title }),
      robots: 'noindex',
    }
    await showPage(ctx, web, 'resolve', model, { store: false })
  }
}
