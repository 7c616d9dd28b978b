import type { ParameterizedContext } from 'koa'
import type { Next } from 'koa'
import { allows } from '../accounts/permissions.ts'
import type { Permission } from '../accounts/permissions.ts'
import { HyperactiveError } from '../errors.ts'
import { isItemId } from '../ledger/item-id.ts'
import type { WebContext } from './context.ts'
import { redirect } from './form.ts'
import { localPath, wordingFor } from './page.ts'
import type { PageRequest } from './page.ts'
import { personOf } from './people/person.ts'
import { mayHere, relate } from './relations.ts'

/** The middleware that stands first on every route, and the permission that it asks for. */
export interface Guard {
  (ctx: ParameterizedContext, next: Next): Promise<void>
  permission: Permission
  /** Set where it also lets those pass who have the permission on the item that the address names. */
  onItem?: true
}

/**
 * Lets those pass who have a permission. Who is not signed in is sent to do that, and back to the page; who may not is
 * told so with 403.
 */
export function may(permission: Permission): Guard {
  const guard: Guard = async (ctx, next) => {
    check(ctx, permission)
    if (ctx.status === 303) return
    await next()
  }
  guard.permission = permission
  return guard
}

/**
 * Likewise for a route whose address names an `:item`: lets those pass as well who have the permission on this item
 * alone, because it is their group's or a translation.
 */
export function mayOn(permission: Permission, web: Pick<WebContext, 'site'>): Guard {
  const guard: Guard = async (ctx, next) => {
    const { item = '' } = (ctx as PageRequest).params
    if (personOf(ctx) && isItemId(item)) await relate(ctx, await web.site.item(item), web)
    check(ctx, permission)
    if (ctx.status === 303) return
    await next()
  }
  guard.permission = permission
  guard.onItem = true
  return guard
}

function check(ctx: ParameterizedContext, permission: Permission): void {
  if (allows(permission, ['reader']) || mayHere(ctx, permission)) return
  const person = personOf(ctx)
  const { t } = wordingFor(ctx)
  if (person?.missing === 'enrolment' && allows(permission, person.granted)) {
    throw new HyperactiveError('second_factor_missing', t('people.enrolFirst'), { status: 403 })
  }
  if (person && person.missing !== 'code')
    throw new HyperactiveError('not_permitted', t('people.notPermitted'), { status: 403 })
  if (ctx.method !== 'GET' && ctx.method !== 'HEAD')
    throw new HyperactiveError('signed_out', t('people.signInFirst'), { status: 403 })
  redirect(ctx, localPath(ctx, `/sign-in?to=${encodeURIComponent(ctx.path)}`))
}
