import type { Router } from '@koa/router'
import type { ParameterizedContext } from 'koa'
import type { Account } from '../../accounts/account.ts'
import { Challenges } from '../../accounts/challenges.ts'
import { LONGEST_LABEL, MOST_PASSKEYS, passkeyChanges, withoutPasskey } from '../../accounts/passkeys.ts'
import type { Changes } from '../../accounts/people.ts'
import { registeredPasskey, registrationOptions } from '../../accounts/webauthn.ts'
import { HyperactiveError } from '../../errors.ts'
import type { WebContext } from '../context.ts'
import type { Form } from '../form.ts'
import { may } from '../may.ts'
import { wordingFor } from '../page.ts'
import type { FormTokens } from '../token.ts'
import { knownPerson, readOwnForm } from './own-form.ts'
import type { Person } from './person.ts'
import { answerScript, passkeysHere, relyingHere, relyingOf } from './relying.ts'

/** What the page of an account does for its forms. */
interface AccountPage {
  tokens: FormTokens
  /** Whether the form holds the person's password. */
  confirmed: (person: Person, form: Form) => Promise<boolean>
  addFactor: (ctx: ParameterizedContext, person: Person, changes: Changes) => Promise<void>
  startAnew: (ctx: ParameterizedContext, person: Person) => Promise<void>
  show: (
    ctx: ParameterizedContext,
    said: { status: number; wrong?: string; notice?: string; label?: string },
  ) => Promise<void>
}

/** Adding and removing passkeys on the page of one's account. */
export function passkeyPages(router: Router, web: WebContext, page: AccountPage): void {
  const { people, config } = web
  const { url } = config
  const { tokens, confirmed, addFactor, startAnew, show } = page
  const challenges = new Challenges()

  // The password is asked for here, before the device makes a key that nobody would know: the challenge stands for it.
  router.post('/account/passkeys/options', may('own-account'), (ctx) =>
    answerScript(ctx, async () => {
      const person = knownPerson(ctx)
      const { t } = wordingFor(ctx)
      const form = await readOwnForm(ctx, tokens, { action: '/account', url })
      const relying = relyingHere(ctx, web)
      const { id, handle, passkeys } = person.account
      if (!(await confirmed(person, form)))
        throw new HyperactiveError('wrong_password', t('people.wrongOwnPassword'), { status: 403 })
      if (passkeys.length >= MOST_PASSKEYS)
        throw new HyperactiveError('too_many_passkeys', t('passkey.most', { most: MOST_PASSKEYS }), {
          status: 409,
        })
      const here = passkeysHere(ctx, web, person.account)
      return registrationOptions(relying, { id, handle, passkeys: here, challenge: challenges.issue(id) })
    }),
  )

  router.post('/account/passkeys', may('own-account'), async (ctx) => {
    const person = knownPerson(ctx)
    const { t } = wordingFor(ctx)
    const form = await readOwnForm(ctx, tokens, { action: '/account', url })
    const relying = relyingOf(ctx, web)
    const challenge = challenges.take(person.account.id)
    const answer = form.get('answer') ?? ''
    const label = labelIn(form)
    const passkey = relying && (await registeredPasskey(relying, { answer, challenge, label }))
    if (!passkey) return show(ctx, { notice: t('passkey.wrong'), status: 422, label })
    await addFactor(ctx, person, passkeyChanges(passkey))
  })

  router.post('/account/passkeys/remove', may('own-account'), async (ctx) => {
    const person = knownPerson(ctx)
    const form = await readOwnForm(ctx, tokens, { action: '/account', url })
    if (!(await confirmed(person, form))) return show(ctx, { wrong: 'passkey', status: 403 })
    const passkey = person.account.passkeys.find(({ id }) => id === form.get('passkey'))
    if (!passkey) return show(ctx, { notice: wordingFor(ctx).t('passkey.choose'), status: 422 })
    await people.change(person.account.id, withoutPasskey(passkey))
    await startAnew(ctx, person)
  })
}

/** An account's passkeys, for its page. */
export function passkeysShown(ctx: ParameterizedContext, web: WebContext, { passkeys }: Account): object {
  const { moment, t } = wordingFor(ctx)
  const host = relyingOf(ctx, web)?.rpId
  return {
    passkeyHost: host,
    passkeys: passkeys.map(({ id, label, rpId, addedAt }) => ({
      id,
      label: label || t('passkey.unnamed'),
      day: moment(addedAt).day,
      elsewhere: rpId === host ? undefined : rpId,
    })),
  }
}

function labelIn(form: Form): string {
  const label = (form.get('label') ?? '').replaceAll(/[\p{Cc}\s]+/gu, ' ').trim()
  return new RegExp(`^.{0,${LONGEST_LABEL}}`, 'u').exec(label)?.[0] ?? ''
}
