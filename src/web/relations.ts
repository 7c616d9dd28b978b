import type { ParameterizedContext } from 'koa'
import { allows, allowsOn } from '../accounts/permissions.ts'
import type { Permission, Relation } from '../accounts/permissions.ts'
import type { Account } from '../accounts/account.ts'
import type { SiteItem } from '../project/site-item.ts'
import type { WebContext } from './context.ts'
import { takes } from './listings.ts'
import { personOf } from './people/person.ts'

interface WithRelations {
  relations?: readonly Relation[]
  /** The group that the request's item is concerned with. */
  group?: string | undefined
}

/**
 * Finds out what the item of a request is to the person who sent it, so that {@link mayHere} knows.
 *
 * @param item an item that can be read; nobody has a relation to what is closed, which is the moderators' business
 */
export async function relate(
  ctx: ParameterizedContext,
  item: SiteItem | undefined,
  web: Pick<WebContext, 'site'>,
): Promise<void> {
  const person = personOf(ctx)
  const relations = person && item ? await relationsTo(item, person.account, web) : []
  const known: WithRelations = { relations, group: item && groupConcerned(item) }
  Object.assign(ctx.state, known)
}

/** The group for which somebody acts who has a permission on a request's item alone. */
export function groupHere(ctx: ParameterizedContext): string | undefined {
  return (ctx.state as WithRelations).group
}

/** Whether whoever sent a request has a permission, be it on its item alone. */
export function mayHere(ctx: ParameterizedContext, permission: Permission): boolean {
  const { relations = [] } = ctx.state as WithRelations
  return allowsOn(permission, personOf(ctx)?.roles ?? ['reader'], relations)
}

/** Whether whoever sent a request has a permission on an item, for pages that list several. */
export async function mayOnItem(
  ctx: ParameterizedContext,
  permission: Permission,
  item: SiteItem,
  web: Pick<WebContext, 'site'>,
): Promise<boolean> {
  const person = personOf(ctx)
  if (!person) return false
  return allowsOn(permission, person.roles, await relationsTo(item, person.account, web))
}

/** The role in which somebody has a permission on a request's item, for what the item's history says. */
export function standsFor(
  ctx: ParameterizedContext,
  permission: Permission,
): 'editor' | 'member' | 'translator' {
  const { roles = [] } = personOf(ctx) ?? {}
  const { relations = [] } = ctx.state as WithRelations
  if (allows(permission, roles)) return 'editor'
  const byGroup = relations.includes('own-group') && allowsOn(permission, roles, ['own-group'])
  return byGroup ? 'member' : 'translator'
}

/** The group itself, or the one that an item is published in. */
function groupConcerned({ _id, kind, listing }: SiteItem): string | undefined {
  return kind === 'group' ? _id : listing.group
}

async function relationsTo(
  item: SiteItem,
  { groups }: Account,
  { site }: Pick<WebContext, 'site'>,
): Promise<Relation[]> {
  const relations: Relation[] = []
  if (item.fields.translationOf !== undefined) relations.push('translation')
  const concerned = groupConcerned(item)
  if (concerned === undefined || !groups.includes(concerned)) return relations
  if (item.kind === 'group') return [...relations, 'own-group']
  const group = await site.item(concerned)
  if (group && takes(group, item)) relations.push('own-group')
  return relations
}
