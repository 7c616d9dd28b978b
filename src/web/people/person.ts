import type { Middleware, ParameterizedContext } from 'koa'
import type { Access, Session } from '../../accounts/access.ts'
import type { Account } from '../../accounts/account.ts'
import { hasSecondFactor, rolesOf } from '../../accounts/account.ts'
import { needsSecondFactor } from '../../accounts/permissions.ts'
import type { Role } from '../../accounts/permissions.ts'
import { COOKIE, secretIn } from './cookie.ts'

/** Who is signed in. */
export interface Person {
  account: Account
  /** The roles that count now: fewer than were granted while something is missing. */
  roles: readonly Role[]
  granted: readonly Role[]
  /** What is missing to the sign-in: the second factor's code, or a second factor at all. */
  missing: 'code' | 'enrolment' | undefined
  session: Session
}

interface WithPerson {
  person?: Person
}

/**
 * Finds out who is signed in. Readers have no cookie, and then nothing is looked up. An answer to somebody who has one
 * is stored by nobody.
 */
export function recognise({ access, url }: { access: Access; url: string | undefined }): Middleware {
  return async (ctx, next) => {
    const secret = cookieIn(ctx)
    if (secret !== undefined) {
      ctx.set('Cache-Control', 'no-store')
      const session = await access.session(secret)
      if (session) (ctx.state as WithPerson).person = personIn(session)
      if (session?.next !== undefined) giveCookie(ctx, session.next, url)
    }
    await next()
  }
}

export function personIn(session: Session): Person {
  const { account, whole } = session
  const granted = rolesOf(account)
  const mustEnrol = !hasSecondFactor(account) && needsSecondFactor(granted)
  const roles: readonly Role[] = !whole ? ['reader'] : mustEnrol ? ['reader', 'member'] : granted
  return { account, roles, granted, missing: !whole ? 'code' : mustEnrol ? 'enrolment' : undefined, session }
}

/** Who sent this request, or undefined. */
export function personOf(ctx: ParameterizedContext): Person | undefined {
  return (ctx.state as WithPerson).person
}

/** Gives the browser a session; the cookie ends with the browser, and is for this node's pages alone. */
export function giveCookie(ctx: ParameterizedContext, secret: string, url: string | undefined): void {
  setCookie(ctx, secret, url, '')
}

export function takeCookie(ctx: ParameterizedContext, url: string | undefined): void {
  setCookie(ctx, '', url, '; Max-Age=0')
}

function setCookie(ctx: ParameterizedContext, value: string, url: string | undefined, more: string): void {
  const name = isSecure(url) ? `__Host-${COOKIE}` : COOKIE
  const secure = isSecure(url) ? '; Secure' : ''
  ctx.set('Set-Cookie', `${name}=${value}; Path=/; HttpOnly; SameSite=Lax${secure}${more}`)
}

function isSecure(url: string | undefined): boolean {
  return url?.startsWith('https:') ?? false
}

function cookieIn(ctx: ParameterizedContext): string | undefined {
  return secretIn(ctx.get('cookie'))
}
