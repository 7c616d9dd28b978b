import type { Router } from '@koa/router'
import type { ParameterizedContext } from 'koa'
import { allows, TO_DECIDE } from '../../accounts/permissions.ts'
import { HyperactiveError } from '../../errors.ts'
import { isHash } from '../../ledger/document.ts'
import { isItemId } from '../../ledger/item-id.ts'
import { CATEGORIES } from '../../newsroom/categories.ts'
import { LONGEST_NOTE } from '../../newsroom/notes.ts'
import { changedAt, nameOf } from '../../newsroom/target.ts'
import { pathOf, reasonNamed, text } from '../../pages/models.ts'
import { inForce, supersededBy } from '../../project/decisions.ts'
import type { Aspect, KnownDecision } from '../../project/decisions.ts'
import type { SiteComment, SiteItem } from '../../project/site-item.ts'
import type { WebContext } from '../context.ts'
import { redirect } from '../form.ts'
import { mayOn } from '../may.ts'
import { localPath, showPage, wordingFor } from '../page.ts'
import type { PageRequest } from '../page.ts'
import { issueToken, knownPerson, readOwnForm } from '../people/own-form.ts'
import { mayHere } from '../relations.ts'
import { FormTokens } from '../token.ts'
import { judge, readJudgement, versionIn } from './judging.ts'
import { isForModerators } from './members-say.ts'
import { noteDown, noteModels } from './notes.ts'
import { slowForm } from './slow.ts'

const ASPECTS: readonly Aspect[] = ['visibility', 'author', 'review', 'status', 'place', 'comments']
const OF_COMMENTS = new Set(['hide', 'unhide', 'approve', 'conceal'])

/** Where a moderator decides on an item or a comment, and sees what was decided before and by whom. */
export function moderatePages(router: Router, web: WebContext): void {
  const tokens = new FormTokens(web.nodeKey)

  for (const address of ['/moderate/:item', '/moderate/:item/:comment']) {
    router.get(address, mayOn('moderate', web), async (ctx) => show(ctx, await targetOf(ctx)))
    router.post(address, mayOn('moderate', web), async (ctx) => {
      const target = await targetOf(ctx)
      const form = await readOwnForm(ctx, tokens, { url: web.config.url })
      try {
        // Notes are among moderators; members of a group decide, and write none.
        if (!moderates(ctx) || !(await noteDown(ctx, web, nameOf(target), form))) {
          const judged = readJudgement(ctx, form)
          if (await isForModerators(ctx, target, judged.action, web))
            throw new HyperactiveError('not_permitted', wordingFor(ctx).t('membership.forModerators'), {
              status: 403,
            })
          const seen = versionIn(form.get('version') ?? '')
          const decider = { action: judged.action, node: web.ledger.node, by: knownPerson(ctx).account.id }
          // What a moderator decides at this moment a member has not seen, and does not take the place of.
          const over = moderates(ctx) ? {} : { over: supersededBy(decider, target.decisions, web.policy) }
          if (moderates(ctx) || !changesNothing(target, judged.action))
            await judge(ctx, web, [{ target: nameOf(target), ...seen }], { ...judged, ...over })
        }
        redirect(ctx, localPath(ctx, ctx.path))
      } catch (error) {
        if (!(error instanceof HyperactiveError) || error.status !== 422) throw error
        const typed = Object.fromEntries(form)
        await show(ctx, target, { notice: error.message, typed, status: 422 })
      }
    })
  }

  async function targetOf(ctx: PageRequest): Promise<SiteItem | SiteComment> {
    const { item = '', comment } = ctx.params
    const known = isItemId(item) && (comment === undefined || isHash(comment))
    const found =
      known && (comment === undefined ? await web.site.anyItem(item) : await web.site.comment(item, comment))
    // What nobody can read is the moderators' business alone.
    if (found && (moderates(ctx) || found.standing.closed === undefined)) return found
    throw new HyperactiveError('unknown_item', wordingFor(ctx).t('error.unknownItem'), { status: 404 })
  }

  async function show(
    ctx: ParameterizedContext,
    target: SiteItem | SiteComment,
    { status = 200, notice, typed = {} }: { status?: number; notice?: string; typed?: object } = {},
  ): Promise<void> {
    const { t } = wordingFor(ctx)
    const inForceNow = new Set(ASPECTS.flatMap((aspect) => inForce(target.decisions, aspect, web.policy)))
    const possible = Object.keys(TO_DECIDE).filter((action) => {
      const permission = TO_DECIDE[action]
      const fits = target.type === 'item' || OF_COMMENTS.has(action)
      return fits && permission !== undefined && mayHere(ctx, permission) && !changesNothing(target, action)
    })
    const actions: string[] = []
    for (const action of possible)
      if (!(await isForModerators(ctx, target, action, web))) actions.push(action)
    const decided = Object.entries(target.decisions).sort(([, a], [, b]) => (a.at < b.at ? 1 : -1))
    ctx.status = status
    const model = {
      target: {
        title: target.type === 'item' ? target.listing.title : text(target.fields.title) || t('comments.one'),
        body: text(target.fields.body),
        path:
          target.type === 'item'
            ? pathOf(target.kind, target._id)
            : `/comments/${target.item}/${target.hash}`,
        standing: target.standing,
      },
      decisions: await Promise.all(
        decided.map(([hash, decision]) => decisionModel(decision, inForceNow.has(hash), ctx)),
      ),
      actions,
      erasePath: allows('erase', knownPerson(ctx).roles)
        ? ctx.path.replace('/moderate/', '/erase/')
        : undefined,
      version: changedAt(target),
      notes: moderates(ctx) ? await noteModels(ctx, web, nameOf(target)) : undefined,
      longestNote: LONGEST_NOTE,
      categories: CATEGORIES,
      typed,
      notice,
      slow: moderates(ctx) ? slowForm(web, target) : undefined,
      action: ctx.path,
      token: issueToken(ctx, tokens, ctx.path),
      title: t('moderation.moderate'),
      robots: 'noindex',
    }
    await showPage(ctx, web, 'moderation/moderate', model, { store: false })
  }

  async function decisionModel(
    { action, at, node, by, reason, category }: KnownDecision,
    current: boolean,
    ctx: ParameterizedContext,
  ) {
    const account = by === undefined ? undefined : await web.people.byId(by)
    return {
      action,
      reason,
      category: reasonNamed(category),
      at: wordingFor(ctx).moment(at),
      node: node.slice(0, 8),
      // Whose account it is, only nodes that share their people can tell.
      by: account?.handle ?? by?.slice(0, 8),
      current,
      counts: web.policy.counts(node),
    }
  }
}

/** Whether deciding this would leave everything as it stands. */
function changesNothing({ standing }: SiteItem | SiteComment, action: string): boolean {
  switch (action) {
    case 'unhide':
      return !standing.hidden || standing.closed === 'withdrawn' || standing.closed === 'awaiting'
    case 'approve':
      return standing.closed !== 'awaiting'
    case 'publish':
      return standing.status === 'published'
    case 'promote':
      return standing.status === 'promoted'
    case 'feature':
      return standing.status === 'featured'
    case 'stick':
      return standing.sticky
    case 'unstick':
      return !standing.sticky
    case 'lock':
      return standing.locked
    case 'unlock':
      return !standing.locked
    default:
      return false
  }
}

/** Whether it is a moderator, and not a member of the item's group. */
function moderates(ctx: ParameterizedContext): boolean {
  return allows('moderate', knownPerson(ctx).roles)
}
