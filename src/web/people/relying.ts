import type { ParameterizedContext } from 'koa'
import type { Account } from '../../accounts/account.ts'
import { rpIdOf } from '../../accounts/passkeys.ts'
import type { Passkey } from '../../accounts/passkeys.ts'
import type { Relying } from '../../accounts/webauthn.ts'
import { HyperactiveError } from '../../errors.ts'
import type { WebContext } from '../context.ts'
import { publicUrl, wordingFor } from '../page.ts'

/** What passkeys of this node are bound to, or undefined where its address is a number. */
export function relyingOf(ctx: ParameterizedContext, web: Pick<WebContext, 'config'>): Relying | undefined {
  const url = publicUrl(ctx, web)
  const rpId = rpIdOf(url)
  return rpId === undefined ? undefined : { name: web.config.site.name, rpId, origin: new URL(url).origin }
}

/** @throws HyperactiveError `no_passkeys_here` */
export function relyingHere(ctx: ParameterizedContext, web: Pick<WebContext, 'config'>): Relying {
  const relying = relyingOf(ctx, web)
  if (relying) return relying
  throw new HyperactiveError('no_passkeys_here', wordingFor(ctx).t('passkey.noName'), { status: 409 })
}

/** Those of an account's passkeys that work on this node. */
export function passkeysHere(
  ctx: ParameterizedContext,
  web: Pick<WebContext, 'config'>,
  { passkeys }: Pick<Account, 'passkeys'>,
): Passkey[] {
  const here = relyingOf(ctx, web)?.rpId
  return passkeys.filter(({ rpId }) => rpId === here)
}

/** Answers a page's script with JSON, also when something is wrong: then with the text to show. */
export async function answerScript(ctx: ParameterizedContext, work: () => Promise<object>): Promise<void> {
  ctx.set('Cache-Control', 'no-store')
  try {
    ctx.body = await work()
  } catch (error) {
    if (!(error instanceof HyperactiveError)) throw error
    const { code, message, status, retryAfterSeconds } = error
    if (retryAfterSeconds !== undefined) ctx.set('Retry-After', String(retryAfterSeconds))
    ctx.status = status
    ctx.body = {
      problem: code === 'too_many_attempts' ? wordingFor(ctx).t('people.too_many_attempts') : message,
    }
  }
}
