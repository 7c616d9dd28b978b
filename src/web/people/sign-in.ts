import type { Router } from '@koa/router'
import type { ParameterizedContext } from 'koa'
import { hashRecoveryCode, totpStep } from '../../accounts/one-time-codes.ts'
import { hasSecondFactor } from '../../accounts/account.ts'
import type { Account } from '../../accounts/account.ts'
import { isPassword } from '../../accounts/passwords.ts'
import { HyperactiveError } from '../../errors.ts'
import type { ScriptName } from '../../pages/assets.ts'
import type { WebContext } from '../context.ts'
import { redirect } from '../form.ts'
import { may } from '../may.ts'
import { localPath, showPage, wordingFor } from '../page.ts'
import { FormTokens } from '../token.ts'
import { issueToken, knownPerson, readOwnForm } from './own-form.ts'
import { ownPath } from './own-path.ts'
import { giveCookie, personOf, takeCookie } from './person.ts'
import type { Person } from './person.ts'
import { passkeysHere } from './relying.ts'
import { passkeySignIn } from './sign-in-passkey.ts'

/** Signing in: the password, then the second factor of an account that has one; and signing out. */
export function signInPages(router: Router, web: WebContext): void {
  const { people, access, attempts, config } = web
  const { url } = config
  const tokens = new FormTokens(web.nodeKey)

  const show = async (
    ctx: ParameterizedContext,
    template: string,
    model: object,
    error?: HyperactiveError,
    { action = ctx.path, scripts = [] }: { action?: string; scripts?: readonly ScriptName[] } = {},
  ) => {
    ctx.status = error?.status ?? 200
    if (error?.retryAfterSeconds !== undefined) ctx.set('Retry-After', String(error.retryAfterSeconds))
    const { t } = wordingFor(ctx)
    const notice = error && (KNOWN.has(error.code) ? t(`people.${error.code}`) : error.message)
    const all = {
      ...model,
      action,
      token: issueToken(ctx, tokens, action),
      notice,
      robots: 'noindex',
    }
    await showPage(ctx, web, template, { title: t('people.signIn'), ...all }, { store: false, scripts })
  }

  const showCode = async (
    ctx: ParameterizedContext,
    person: Person,
    to: string,
    error?: HyperactiveError,
  ) => {
    const { account } = person
    const here = passkeysHere(ctx, web, account).length > 0
    const model = { goOn: to, passkey: here, elsewhere: !here && account.totp === undefined }
    await show(ctx, 'people/code', model, error, { action: CODE, scripts: here ? ['passkey'] : [] })
  }

  /** The second factor was right. */
  const letIn = async (ctx: ParameterizedContext, person: Person, to: string) => {
    giveCookie(ctx, await access.replace(person.session, { whole: true }), url)
    redirect(ctx, localPath(ctx, to))
  }

  router.get('/sign-in', may('sign-in'), async (ctx) => {
    if (personOf(ctx)?.missing === 'code') return redirect(ctx, localPath(ctx, '/sign-in/code'))
    await show(ctx, 'people/sign-in', { goOn: ownPath(String(ctx.query.to ?? '')), handle: '' })
  })

  router.post('/sign-in', may('sign-in'), async (ctx) => {
    const form = await readOwnForm(ctx, tokens, { url })
    const handle = (form.get('handle') ?? '').trim().toLowerCase()
    const to = ownPath(form.get('to') ?? '')
    try {
      attempts.begin(handle)
      const account = await people.byHandle(handle)
      const known = account && !account.closed ? account : undefined
      if (!(await isPassword(form.get('password') ?? '', known?.password)) || !known)
        throw new HyperactiveError('wrong_password', 'the handle or the password is wrong', { status: 403 })
      attempts.succeeded(handle)
      // A session that the browser had before is not prolonged by this one.
      const former = personOf(ctx)
      if (former) await access.end(former.session.secret)
      const whole = !hasSecondFactor(known)
      giveCookie(ctx, await access.begin(known.id, { whole }), url)
      redirect(ctx, localPath(ctx, whole ? to : `/sign-in/code?to=${encodeURIComponent(to)}`))
    } catch (error) {
      if (!(error instanceof HyperactiveError)) throw error
      await show(ctx, 'people/sign-in', { goOn: to, handle }, error)
    }
  })

  router.get('/sign-in/code', may('sign-in'), async (ctx) => {
    const person = personOf(ctx)
    if (person?.missing !== 'code') return redirect(ctx, localPath(ctx, '/sign-in'))
    await showCode(ctx, person, ownPath(String(ctx.query.to ?? '')))
  })

  router.post('/sign-in/code', may('sign-in'), async (ctx) => {
    const person = personOf(ctx)
    if (person?.missing !== 'code') return redirect(ctx, localPath(ctx, '/sign-in'))
    const form = await readOwnForm(ctx, tokens, { url })
    const to = ownPath(form.get('to') ?? '')
    const subject = `code ${person.account.id}`
    try {
      attempts.begin(subject)
      if (!(await takeCode(person.account.id, form.get('code') ?? ''))) {
        throw new HyperactiveError('wrong_code', 'the code is wrong, or was used already', { status: 403 })
      }
      attempts.succeeded(subject)
      await letIn(ctx, person, to)
    } catch (error) {
      if (!(error instanceof HyperactiveError)) throw error
      await showCode(ctx, person, to, error)
    }
  })

  passkeySignIn(router, web, { tokens, letIn, showCode })

  router.post('/sign-out', may('own-account'), async (ctx) => {
    const { session } = knownPerson(ctx)
    await readOwnForm(ctx, tokens, { url })
    await access.end(session.secret)
    takeCookie(ctx, url)
    redirect(ctx, localPath(ctx, '/'))
  })

  /** Takes a one-time code or a recovery code, each of which counts once. */
  async function takeCode(id: string, code: string): Promise<boolean> {
    return people.changeOnce(id, (account: Account) => {
      const step = account.totp === undefined ? undefined : totpStep(account.totp, code, account.totpStep)
      if (step !== undefined) return { totpStep: step }
      const recovery = hashRecoveryCode(code)
      return account.recovery.includes(recovery) ? { [`recovery:${recovery}`]: null } : undefined
    })
  }
}

const CODE = '/sign-in/code'

const KNOWN = new Set(['wrong_password', 'wrong_code', 'too_many_attempts'])
