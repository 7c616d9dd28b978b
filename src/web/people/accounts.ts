import type { Router } from '@koa/router'
import type { ParameterizedContext } from 'koa'
import { HANDLE, hasSecondFactor, outrun, withoutSecondFactor } from '../../accounts/account.ts'
import type { Account } from '../../accounts/account.ts'
import { GRANTED } from '../../accounts/permissions.ts'
import { HyperactiveError } from '../../errors.ts'
import { isItemId } from '../../ledger/item-id.ts'
import type { WebContext } from '../context.ts'
import type { Form } from '../form.ts'
import { redirect } from '../form.ts'
import { may } from '../may.ts'
import { localPath, publicUrl, showPage, wordingFor } from '../page.ts'
import type { PageRequest } from '../page.ts'
import { FormTokens } from '../token.ts'
import { issueToken, readOwnForm } from './own-form.ts'

/** A handle that an account cannot have, as it was typed. */
interface WrongHandle {
  id: string
  handle: string
  problem: string
}

const HERE = '/office/people'

/** What administrators do: invite people, give and take roles, close accounts. */
export function peoplePages(router: Router, web: WebContext): void {
  const { people, access, config } = web
  const { url } = config
  const tokens = new FormTokens(web.nodeKey)

  router.get(HERE, may('accounts'), (ctx) => show(ctx))

  router.post(`${HERE}/invite`, may('invite'), async (ctx) => {
    const form = await readOwnForm(ctx, tokens, { action: HERE, url })
    const group = form.get('group') ?? ''
    const groups = isItemId(group) ? [group] : []
    const secret = await access.makeLink({ purpose: 'invitation', roles: rolesIn(form), groups })
    await show(ctx, { link: `${publicUrl(ctx, web)}/invitation/${secret}` })
  })

  router.post(`${HERE}/:account/roles`, may('accounts'), async (ctx) => {
    const form = await readOwnForm(ctx, tokens, { action: HERE, url })
    const account = await accountOf(ctx)
    const wanted = rolesIn(form)
    if (account.roles.includes('administrator') && !wanted.includes('administrator'))
      await notTheLast(ctx, account.id)
    const changes = GRANTED.filter((role) => wanted.includes(role) !== account.roles.includes(role))
    if (changes.length > 0) {
      const values = changes.map((role) => [`role:${role}`, wanted.includes(role)])
      await people.change(account.id, Object.fromEntries(values) as Record<string, boolean>)
    }
    redirect(ctx, localPath(ctx, HERE))
  })

  // Of accounts with one handle only the oldest can sign in; another handle lets the others in.
  router.post(`${HERE}/:account/handle`, may('accounts'), async (ctx) => {
    const form = await readOwnForm(ctx, tokens, { action: HERE, url })
    const { id } = await accountOf(ctx)
    const handle = (form.get('handle') ?? '').trim().toLowerCase()
    const { t } = wordingFor(ctx)
    const owner = await people.byHandle(handle)
    const problem = !HANDLE.test(handle)
      ? t('people.problem.handle')
      : owner && owner.id !== id
        ? t('people.problem.taken')
        : undefined
    if (problem !== undefined) return show(ctx, { wrong: { id, handle, problem }, status: 422 })
    await people.change(id, { handle })
    redirect(ctx, localPath(ctx, HERE))
  })

  router.post(`${HERE}/:account/reset`, may('accounts'), async (ctx) => {
    await readOwnForm(ctx, tokens, { action: HERE, url })
    const { id } = await accountOf(ctx)
    const secret = await access.makeLink({ purpose: 'reset', roles: [], groups: [], account: id })
    await show(ctx, { link: `${publicUrl(ctx, web)}/new-password/${secret}` })
  })

  router.post(`${HERE}/:account/close`, may('accounts'), async (ctx) => {
    await readOwnForm(ctx, tokens, { action: HERE, url })
    const account = await accountOf(ctx)
    if (account.roles.includes('administrator')) await notTheLast(ctx, account.id)
    const without = { password: '', email: null, ...withoutSecondFactor(account) }
    await people.change(account.id, { closed: true, ...without })
    await access.endAll(account.id)
    redirect(ctx, localPath(ctx, HERE))
  })

  async function notTheLast(ctx: ParameterizedContext, id: string): Promise<void> {
    const others = (await people.all()).filter((one) => one.id !== id && one.roles.includes('administrator'))
    if (others.length > 0) return
    throw new HyperactiveError('last_administrator', wordingFor(ctx).t('people.lastAdministrator'), {
      status: 409,
    })
  }

  async function accountOf(ctx: PageRequest) {
    const account = await people.byId(ctx.params.account ?? '')
    if (account && !account.closed) return account
    throw new HyperactiveError('unknown_account', wordingFor(ctx).t('people.unknownAccount'), { status: 404 })
  }

  async function show(
    ctx: ParameterizedContext,
    { link, wrong, status = 200 }: { link?: string; wrong?: WrongHandle; status?: number } = {},
  ): Promise<void> {
    const accounts = (await people.all()).filter(({ closed }) => !closed)
    const younger = outrun(accounts)
    ctx.status = status
    const model = {
      link,
      roles: GRANTED,
      accounts: accounts.map((account) => ({
        ...shown(account),
        enrolled: hasSecondFactor(account),
        outrun: younger.has(account.id),
        wanted: wrong?.id === account.id ? wrong : undefined,
      })),
      token: issueToken(ctx, tokens, HERE),
      title: wordingFor(ctx).t('people.people'),
      robots: 'noindex',
    }
    await showPage(ctx, web, 'people/accounts', model, { store: false })
  }
}

function shown({ id, handle, name, roles }: Account) {
  return { id, handle, name, roles }
}

function rolesIn(form: Form) {
  return GRANTED.filter((role) => form.get(`role-${role}`) === 'yes')
}
