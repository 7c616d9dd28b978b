import type { Router } from '@koa/router'
import type { ParameterizedContext } from 'koa'
import { Challenges } from '../../accounts/challenges.ts'
import { signedChanges } from '../../accounts/passkeys.ts'
import { hashSecret } from '../../accounts/passwords.ts'
import { authenticationOptions, usedPasskey } from '../../accounts/webauthn.ts'
import { HyperactiveError } from '../../errors.ts'
import type { WebContext } from '../context.ts'
import { redirect } from '../form.ts'
import { may } from '../may.ts'
import { localPath, wordingFor } from '../page.ts'
import type { FormTokens } from '../token.ts'
import { readOwnForm } from './own-form.ts'
import { ownPath } from './own-path.ts'
import { personOf } from './person.ts'
import type { Person } from './person.ts'
import { answerScript, passkeysHere, relyingHere, relyingOf } from './relying.ts'

/** What signing in does for the second factor. */
interface CodePage {
  tokens: FormTokens
  letIn: (ctx: ParameterizedContext, person: Person, to: string) => Promise<void>
  showCode: (ctx: ParameterizedContext, person: Person, to: string, error?: HyperactiveError) => Promise<void>
}

/** A passkey in the place of the code. */
export function passkeySignIn(router: Router, web: WebContext, { tokens, letIn, showCode }: CodePage): void {
  const { people, attempts, config } = web
  const form = { action: '/sign-in/code', url: config.url }
  const challenges = new Challenges()

  router.post('/sign-in/passkey/options', may('sign-in'), async (ctx) => {
    const person = personOf(ctx)
    if (person?.missing !== 'code') return redirect(ctx, localPath(ctx, '/sign-in'))
    await answerScript(ctx, async () => {
      await readOwnForm(ctx, tokens, form)
      const relying = relyingHere(ctx, web)
      attempts.check(subjectOf(person))
      const passkeys = passkeysHere(ctx, web, person.account)
      if (passkeys.length === 0)
        throw new HyperactiveError('no_passkeys_here', wordingFor(ctx).t('passkey.elsewhere'), {
          status: 409,
        })
      return authenticationOptions(relying, { passkeys, challenge: challenges.issue(stayOf(person)) })
    })
  })

  router.post('/sign-in/passkey', may('sign-in'), async (ctx) => {
    const person = personOf(ctx)
    if (person?.missing !== 'code') return redirect(ctx, localPath(ctx, '/sign-in'))
    const sent = await readOwnForm(ctx, tokens, form)
    const to = ownPath(sent.get('to') ?? '')
    try {
      attempts.begin(subjectOf(person))
      if (!(await takePasskey(ctx, person, sent.get('answer') ?? ''))) {
        throw new HyperactiveError('wrong_passkey', wordingFor(ctx).t('passkey.wrong'), { status: 403 })
      }
      attempts.succeeded(subjectOf(person))
      await letIn(ctx, person, to)
    } catch (error) {
      if (!(error instanceof HyperactiveError)) throw error
      await showCode(ctx, person, to, error)
    }
  })

  /** Takes what a passkey has signed, which counts once. */
  async function takePasskey(ctx: ParameterizedContext, person: Person, answer: string): Promise<boolean> {
    const relying = relyingOf(ctx, web)
    const challenge = challenges.take(stayOf(person))
    const passkeys = passkeysHere(ctx, web, person.account)
    const used = relying && (await usedPasskey(relying, { answer, challenge, passkeys }))
    if (!used || used.signed === 0) return used !== undefined
    return people.changeOnce(person.account.id, (account) => {
      const { signed = Infinity } = account.passkeys.find(({ id }) => id === used.id) ?? {}
      return used.signed > signed ? signedChanges(used.id, used.signed) : undefined
    })
  }
}

/** Wrong passkeys and wrong codes of an account are counted together. */
function subjectOf({ account }: Person): string {
  return `code ${account.id}`
}

/** A challenge is for one attempt to sign in alone. */
function stayOf({ session }: Person): string {
  return hashSecret(session.secret)
}
