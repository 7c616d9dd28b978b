import type { ParameterizedContext } from 'koa'
import { hashSecret } from '../../accounts/passwords.ts'
import { HyperactiveError } from '../../errors.ts'
import { readForm } from '../form.ts'
import type { Form } from '../form.ts'
import { wordingFor } from '../page.ts'
import { isCrossSite } from '../security.ts'
import type { FormTokens } from '../token.ts'
import { personOf } from './person.ts'
import type { Person } from './person.ts'

const MOST_BYTES = 256 * 1024

/** For routes whose guard has let somebody pass. */
export function knownPerson(ctx: ParameterizedContext): Person {
  const person = personOf(ctx)
  if (!person)
    throw new HyperactiveError('signed_out', wordingFor(ctx).t('people.signInFirst'), { status: 403 })
  return person
}

/** What a form's token is for: the form, and the session that it was shown in. */
function purposeIn(ctx: ParameterizedContext, action: string): string {
  const { session } = personOf(ctx) ?? {}
  return session ? `${action} ${hashSecret(session.account.id)}` : action
}

export function issueToken(ctx: ParameterizedContext, tokens: FormTokens, action: string): string {
  return tokens.issue(purposeIn(ctx, action))
}

/**
 * Reads a form that this node gave to this person, not long ago.
 *
 * @throws HyperactiveError `cross_site`, `stale_form` (403), or those of {@link readForm}
 */
export async function readOwnForm(
  ctx: ParameterizedContext,
  tokens: FormTokens,
  { action = ctx.path, url, mostFields }: { action?: string; url: string | undefined; mostFields?: number },
): Promise<Form> {
  const { t } = wordingFor(ctx)
  const form = await readForm(ctx, MOST_BYTES, mostFields)
  if (isCrossSite(ctx, url)) throw new HyperactiveError('cross_site', t('form.crossSite'), { status: 403 })
  if (!tokens.isValid(form.get('token') ?? '', purposeIn(ctx, action)))
    throw new HyperactiveError('stale_form', t('form.staleToken'), { status: 403 })
  return form
}
