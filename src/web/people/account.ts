import type { Router } from '@koa/router'
import type { ParameterizedContext } from 'koa'
import { renderSVG } from 'uqr'
import { hasSecondFactor } from '../../accounts/account.ts'
import {
  hashRecoveryCode,
  newRecoveryCodes,
  newTotpSecret,
  totpAddress,
  totpStep,
} from '../../accounts/one-time-codes.ts'
import { hashPassword, isPassword, passwordProblem } from '../../accounts/passwords.ts'
import type { Changes } from '../../accounts/people.ts'
import { pathOf } from '../../pages/models.ts'
import type { WebContext } from '../context.ts'
import type { Form } from '../form.ts'
import { redirect } from '../form.ts'
import { may } from '../may.ts'
import { localPath, showPage, wordingFor } from '../page.ts'
import { FormTokens } from '../token.ts'
import { issueToken, knownPerson, readOwnForm } from './own-form.ts'
import { passkeyPages, passkeysShown } from './passkeys.ts'
import { giveCookie, takeCookie } from './person.ts'
import type { Person } from './person.ts'

/** What somebody does with their own account: password, second factor, recovery codes, sessions. */
export function accountPages(router: Router, web: WebContext): void {
  const { people, access, attempts, config } = web
  const { url } = config
  const tokens = new FormTokens(web.nodeKey)
  /** Secrets that were shown and not confirmed yet; by account, lost at a restart. */
  const offered = new Map<string, string>()

  router.get('/account', may('own-account'), (ctx) => show(ctx))

  router.post('/account/password', may('own-account'), async (ctx) => {
    const person = knownPerson(ctx)
    const form = await readOwnForm(ctx, tokens, { action: '/account', url })
    if (!(await confirmed(person, form))) return show(ctx, { wrong: 'password', status: 403 })
    const password = form.get('new') ?? ''
    const problem = passwordProblem(password, person.account.handle)
    if (problem) return show(ctx, { notice: wordingFor(ctx).t(`people.problem.${problem}`), status: 422 })
    await people.change(person.account.id, { password: await hashPassword(password) })
    await startAnew(ctx, person)
  })

  router.post('/account/sign-out-everywhere', may('own-account'), async (ctx) => {
    const person = knownPerson(ctx)
    await readOwnForm(ctx, tokens, { action: '/account', url })
    await access.endAll(person.account.id)
    takeCookie(ctx, url)
    redirect(ctx, localPath(ctx, '/sign-in'))
  })

  router.post('/account/one-time-codes', may('own-account'), async (ctx) => {
    const person = knownPerson(ctx)
    const form = await readOwnForm(ctx, tokens, { action: '/account', url })
    const { account } = person
    const secret = offered.get(account.id)
    if (!(await confirmed(person, form))) return show(ctx, { wrong: 'codes', status: 403 })
    const step = secret === undefined ? undefined : totpStep(secret, form.get('code') ?? '', 0)
    if (secret === undefined || step === undefined)
      return show(ctx, { notice: wordingFor(ctx).t('people.wrong_code'), status: 422 })
    offered.delete(account.id)
    await addFactor(ctx, person, { totp: secret, totpStep: step })
  })

  passkeyPages(router, web, { tokens, confirmed, addFactor, startAnew, show })

  router.post('/account/recovery-codes', may('own-account'), async (ctx) => {
    const person = knownPerson(ctx)
    const form = await readOwnForm(ctx, tokens, { action: '/account', url })
    if (!(await confirmed(person, form))) return show(ctx, { wrong: 'recovery', status: 403 })
    const codes = newRecoveryCodes()
    await people.change(person.account.id, recoveryChanges(person, codes))
    await showRecovery(ctx, codes)
  })

  /** Whoever finds an open browser cannot take the account over: the password is asked for again. */
  async function confirmed({ account }: Person, form: Form): Promise<boolean> {
    const subject = `confirm ${account.id}`
    attempts.begin(subject)
    const right = await isPassword(form.get('password') ?? '', account.password)
    if (right) attempts.succeeded(subject)
    return right
  }

  /** Adds a second factor. The first one ends all other sessions and comes with recovery codes. */
  async function addFactor(ctx: ParameterizedContext, person: Person, changes: Changes): Promise<void> {
    const { account } = person
    if (hasSecondFactor(account)) {
      await people.change(account.id, changes)
      return redirect(ctx, localPath(ctx, '/account'))
    }
    const codes = newRecoveryCodes()
    await people.change(account.id, { ...changes, ...recoveryChanges(person, codes) })
    await access.endAll(account.id)
    giveCookie(ctx, await access.begin(account.id, { whole: true }), url)
    await showRecovery(ctx, codes)
  }

  /** Ends all sessions and begins one here. */
  async function startAnew(ctx: ParameterizedContext, { account }: Person): Promise<void> {
    await access.endAll(account.id)
    giveCookie(ctx, await access.begin(account.id, { whole: true }), url)
    redirect(ctx, localPath(ctx, '/account'))
  }

  async function show(
    ctx: ParameterizedContext,
    {
      status = 200,
      wrong,
      notice,
      label,
    }: { status?: number; wrong?: string; notice?: string; label?: string } = {},
  ): Promise<void> {
    const person = knownPerson(ctx)
    const { account } = person
    const { t } = wordingFor(ctx)
    ctx.status = status
    const secret = account.totp === undefined ? (offered.get(account.id) ?? newTotpSecret()) : undefined
    if (secret !== undefined) offered.set(account.id, secret)
    const address = secret && totpAddress(secret, { site: config.site.name, handle: account.handle })
    const groups = await web.site.items(account.groups)
    const model = {
      groups: groups.map(({ kind, _id, listing }) => ({ name: listing.title, path: pathOf(kind, _id) })),
      handle: account.handle,
      name: account.name,
      roles: person.granted.filter((role) => role !== 'reader'),
      missing: person.missing,
      enrolled: account.totp !== undefined,
      hasSecondFactor: hasSecondFactor(account),
      ...passkeysShown(ctx, web, account),
      label,
      recoveryLeft: account.recovery.length,
      secret: secret?.replaceAll(/(.{4})(?=.)/g, '$1 '),
      picture: address && renderSVG(address, { border: 2 }),
      notice: wrong === undefined ? notice : t('people.wrongOwnPassword'),
      token: issueToken(ctx, tokens, '/account'),
      signOutToken: issueToken(ctx, tokens, '/sign-out'),
      title: t('people.account'),
      robots: 'noindex',
    }
    await showPage(ctx, web, 'people/account', model, { store: false, scripts: ['passkey'] })
  }

  async function showRecovery(ctx: ParameterizedContext, codes: readonly string[]): Promise<void> {
    const model = { codes, title: wordingFor(ctx).t('people.recovery'), robots: 'noindex' }
    await showPage(ctx, web, 'people/recovery', model, { store: false })
  }
}

/** The former codes are taken back. */
function recoveryChanges({ account }: Person, codes: readonly string[]): Record<string, true | null> {
  return {
    ...Object.fromEntries(account.recovery.map((hash) => [`recovery:${hash}`, null])),
    ...Object.fromEntries(codes.map((code) => [`recovery:${hashRecoveryCode(code)}`, true as const])),
  }
}
