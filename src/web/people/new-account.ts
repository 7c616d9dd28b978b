import type { Router } from '@koa/router'
import type { ParameterizedContext } from 'koa'
import type { AccessLink } from '../../accounts/access.ts'
import { HANDLE } from '../../accounts/account.ts'
import { hashPassword, passwordProblem } from '../../accounts/passwords.ts'
import { HyperactiveError } from '../../errors.ts'
import type { WebContext } from '../context.ts'
import { redirect } from '../form.ts'
import { may } from '../may.ts'
import { localPath, showPage, wordingFor } from '../page.ts'
import type { PageRequest } from '../page.ts'
import { FormTokens } from '../token.ts'
import { issueToken, readOwnForm } from './own-form.ts'
import { giveCookie } from './person.ts'

interface Typed {
  handle: string
  name: string
  email: string
}

/** Pages behind one-time links: the set-up of a node's first administrator, invitations, and a new password. */
export function newAccountPages(router: Router, web: WebContext): void {
  const { people, access, config } = web
  const tokens = new FormTokens(web.nodeKey)

  for (const purpose of ['set-up', 'invitation'] as const) {
    router.get(`/${purpose}/:secret`, may('sign-in'), async (ctx) => {
      await linkOf(ctx, purpose)
      await show(ctx, purpose, { typed: { handle: '', name: '', email: '' }, errors: {} })
    })
    router.post(`/${purpose}/:secret`, may('sign-in'), async (ctx) => {
      await linkOf(ctx, purpose)
      const form = await readOwnForm(ctx, tokens, { url: config.url })
      const get = (name: string) => (form.get(name) ?? '').trim()
      const typed = {
        handle: get('handle').toLowerCase(),
        name: get('name').slice(0, 100),
        email: get('email'),
      }
      const password = form.get('password') ?? ''
      const errors = problems(ctx, typed, password)
      if (!errors.handle && (await people.byHandle(typed.handle)))
        errors.handle = wordingFor(ctx).t('people.problem.taken')
      if (Object.keys(errors).length > 0) return show(ctx, purpose, { typed, errors, status: 422 })
      const hashed = await hashPassword(password)
      const link = await access.takeLink(purpose, ctx.params.secret ?? '')
      if (!link) throw usedLink(ctx)
      const account = await people.create(typed.handle, {
        name: typed.name,
        ...(typed.email === '' ? {} : { email: typed.email }),
        password: hashed,
        ...Object.fromEntries(link.roles.map((role) => [`role:${role}`, true])),
        ...Object.fromEntries(link.groups.map((group) => [`group:${group}`, true])),
      })
      giveCookie(ctx, await access.begin(account.id, { whole: true }), config.url)
      redirect(ctx, localPath(ctx, '/account'))
    })
  }

  router.get('/new-password/:secret', may('sign-in'), async (ctx) => {
    await linkOf(ctx, 'reset')
    await show(ctx, 'reset', { errors: {} })
  })
  router.post('/new-password/:secret', may('sign-in'), async (ctx) => {
    await linkOf(ctx, 'reset')
    const form = await readOwnForm(ctx, tokens, { url: config.url })
    const password = form.get('password') ?? ''
    const problem = passwordProblem(password)
    if (problem) {
      const errors = { password: wordingFor(ctx).t(`people.problem.${problem}`) }
      return show(ctx, 'reset', { errors, status: 422 })
    }
    const hashed = await hashPassword(password)
    const link = await access.takeLink('reset', ctx.params.secret ?? '')
    if (link?.account === undefined) throw usedLink(ctx)
    await people.change(link.account, { password: hashed })
    await access.endAll(link.account)
    redirect(ctx, localPath(ctx, '/sign-in'))
  })

  async function linkOf(ctx: PageRequest, purpose: AccessLink['purpose']): Promise<AccessLink> {
    const link = await access.link(purpose, ctx.params.secret ?? '')
    // A set-up link is worth nothing once somebody administers the node.
    if (!link || (purpose === 'set-up' && (await people.hasAdministrator()))) throw usedLink(ctx)
    return link
  }

  async function show(
    ctx: ParameterizedContext,
    purpose: AccessLink['purpose'],
    { status = 200, errors, ...model }: { status?: number; typed?: Typed; errors: Record<string, string> },
  ): Promise<void> {
    ctx.status = status
    const all = {
      ...model,
      errors,
      errorCount: Object.keys(errors).length,
      purpose,
      action: ctx.path,
      token: issueToken(ctx, tokens, ctx.path),
      title: wordingFor(ctx).t(`people.${purpose}`),
      robots: 'noindex',
    }
    await showPage(ctx, web, 'people/new-account', all, { store: false })
  }
}

function usedLink(ctx: ParameterizedContext): HyperactiveError {
  return new HyperactiveError('used_link', wordingFor(ctx).t('people.usedLink'), { status: 404 })
}

function problems(
  ctx: ParameterizedContext,
  { handle, email }: Typed,
  password: string,
): Record<string, string> {
  const { t } = wordingFor(ctx)
  const errors: Record<string, string> = {}
  if (!HANDLE.test(handle)) errors.handle = t('people.problem.handle')
  if (email !== '' && !/^[^\s@<>"]{1,64}@[^\s@<>"]{1,180}$/.test(email))
    errors.email = t('people.problem.email')
  const problem = passwordProblem(password, handle)
  if (problem) errors.password = t(`people.problem.${problem}`)
  return errors
}
