import type { Router } from '@koa/router'
import type { ParameterizedContext } from 'koa'
import { HyperactiveError } from '../errors.ts'
import { pathOf } from '../pages/models.ts'
import type { SiteItem } from '../project/site-item.ts'
import type { WebContext } from './context.ts'
import { redirect } from './form.ts'
import { itemOf } from './item-of.ts'
import { mayOn } from './may.ts'
import { localPath, showPage, wordingFor } from './page.ts'
import { issueToken, knownPerson, readOwnForm } from './people/own-form.ts'
import { FormTokens } from './token.ts'

/** Who is a member of a group: members add others by their handle and remove anybody, themselves included. */
export function membersPages(router: Router, web: WebContext): void {
  const { people, config } = web
  const tokens = new FormTokens(web.nodeKey)

  router.get('/groups/:item/members', mayOn('members', web), async (ctx) => show(ctx, await itemOf(ctx, web)))

  router.post('/groups/:item/members', mayOn('members', web), async (ctx) => {
    const group = await itemOf(ctx, web)
    const form = await readOwnForm(ctx, tokens, { url: config.url })
    const { t } = wordingFor(ctx)
    const removed = form.get('remove')
    if (removed !== undefined) {
      const account = await people.byId(removed)
      if (!account?.groups.includes(group._id))
        throw new HyperactiveError('unknown_account', t('people.unknownAccount'), { status: 404 })
      await people.change(account.id, { [`group:${group._id}`]: false })
      const isOwn = account.id === knownPerson(ctx).account.id
      return redirect(ctx, localPath(ctx, isOwn ? pathOf('group', group._id) : ctx.path))
    }
    const handle = (form.get('handle') ?? '').trim().toLowerCase()
    const account = await people.byHandle(handle)
    if (!account || account.closed)
      return show(ctx, group, { handle, problem: t('membership.unknownHandle'), status: 422 })
    if (!(await people.joinGroup(account.id, group._id)))
      return show(ctx, group, { handle, problem: t('membership.tooMany'), status: 422 })
    redirect(ctx, localPath(ctx, ctx.path))
  })

  async function show(
    ctx: ParameterizedContext,
    group: SiteItem,
    { handle = '', problem, status = 200 }: { handle?: string; problem?: string; status?: number } = {},
  ): Promise<void> {
    const own = knownPerson(ctx).account.id
    const members = await people.membersOf(group._id)
    ctx.status = status
    const model = {
      group: group.listing.title,
      path: pathOf('group', group._id),
      members: members.map(({ id, handle: name, name: shown }) => ({
        id,
        handle: name,
        name: shown,
        own: id === own,
      })),
      typed: handle,
      problem,
      action: ctx.path,
      token: issueToken(ctx, tokens, ctx.path),
      title: wordingFor(ctx).t('membership.members'),
      robots: 'noindex',
    }
    await showPage(ctx, web, 'people/members', model, { store: false })
  }
}
