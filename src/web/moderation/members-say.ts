import type { ParameterizedContext } from 'koa'
import { rolesOf } from '../../accounts/account.ts'
import { allows, TO_DECIDE } from '../../accounts/permissions.ts'
import { aspectOf, inForce } from '../../project/decisions.ts'
import type { SiteComment, SiteItem } from '../../project/site-item.ts'
import type { WebContext } from '../context.ts'
import { knownPerson } from '../people/own-form.ts'
import { groupHere } from '../relations.ts'

/**
 * Whether something is for moderators to decide, though whoever asks is a member of the item's group: members take back
 * what members decided. What a moderator has decided stands, and no decision of theirs may take its place.
 */
export async function isForModerators(
  ctx: ParameterizedContext,
  target: SiteItem | SiteComment,
  action: string,
  { people, policy }: Pick<WebContext, 'people' | 'policy'>,
): Promise<boolean> {
  const permission = TO_DECIDE[action]
  const aspect = aspectOf(action)
  if (permission === undefined || !aspect) return true
  if (allows(permission, knownPerson(ctx).roles)) return false
  if (action === 'approve') return true
  const group = groupHere(ctx) ?? ''
  for (const hash of inForce(target.decisions, aspect, policy)) {
    const { by } = target.decisions[hash] ?? {}
    const account = by === undefined ? undefined : await people.byId(by)
    if (!account?.groups.includes(group) || allows(permission, rolesOf(account))) return true
  }
  return false
}
