/**
 * Who may do what. This is the only place that says so: every route names a permission, and a person has it when one of
 * their roles does. Somebody who is not signed in is a reader.
 */
export const ROLES = [
  'reader',
  'author',
  'member',
  'groupMember',
  'translator',
  'moderator',
  'editor',
  'administrator',
] as const
export type Role = (typeof ROLES)[number]

/** Roles that are given to an account; the others follow from what somebody holds: nothing, a link, a group. */
export const GRANTED = [
  'translator',
  'moderator',
  'editor',
  'administrator',
] as const satisfies readonly Role[]
export type GrantedRole = (typeof GRANTED)[number]

const EVERYBODY = ROLES
/** Whoever has an account; an author by link has none. */
const SIGNED_IN = ['member', 'groupMember', 'translator', 'moderator', 'editor', 'administrator'] as const
const MODERATION = ['moderator', 'editor', 'administrator'] as const
const EDITING = ['editor', 'administrator'] as const
const ADMINISTRATION = ['administrator'] as const

/** Each permission with the roles that have it. */
export const PERMISSIONS = {
  /** Pages, feeds, search, calendars: all that is public. */
  read: EVERYBODY,
  publish: EVERYBODY,
  comment: EVERYBODY,
  report: EVERYBODY,
  /** Follows from the secret in the link: the route checks it. */
  'edit-by-link': EVERYBODY,
  'sign-in': EVERYBODY,
  /** One's own password, second factor, sessions. */
  'own-account': SIGNED_IN,
  /** Changing an item that is not one's own. */
  'edit-any': EDITING,
  /** Changing items that are translations. */
  translate: ['translator', ...EDITING],
  hide: MODERATION,
  promote: MODERATION,
  feature: EDITING,
  stick: EDITING,
  lock: MODERATION,
  /** At most so many comments on an item, or new items with a tag, in a while. */
  slow: MODERATION,
  /** Hiding so that only a line of the log is left. */
  conceal: MODERATION,
  /** The pages of moderators, and who decided what. */
  moderate: MODERATION,
  /** Publishing in the name of a group without the secret of its link. */
  'publish-in-group': EDITING,
  /** Saying who is a member of a group. */
  members: ADMINISTRATION,
  /** Rules that act by themselves on what is published, so they are not for everybody who moderates. */
  filters: EDITING,
  /** Pages, snippets, alerts: what stands around the news. */
  'publish-pages': EDITING,
  /** Removing content for good, and saying whether other nodes' wish for that is followed here. */
  erase: ADMINISTRATION,
  /** What files use, which of them go, and what about them has failed. */
  files: ADMINISTRATION,
  invite: ADMINISTRATION,
  accounts: ADMINISTRATION,
} as const satisfies Record<string, readonly Role[]>

export type Permission = keyof typeof PERMISSIONS

/** Why an item may be somebody's concern before others: it is their group or published in it, or it is a translation. */
export type Relation = 'own-group' | 'translation'

/**
 * Permissions that roles have on some items alone, beside what they have on all. Members of a group moderate nothing
 * but their group, so they need no second factor.
 */
export const PERMISSIONS_ON: Readonly<Record<Relation, Partial<Record<Permission, readonly Role[]>>>> = {
  'own-group': {
    'edit-any': ['groupMember'],
    hide: ['groupMember'],
    lock: ['groupMember'],
    moderate: ['groupMember'],
    'publish-in-group': ['groupMember'],
    members: ['groupMember'],
  },
  translation: { 'edit-any': PERMISSIONS.translate },
}

/** Roles whose holders sign in with a second factor. */
const SECOND_FACTOR: readonly Role[] = MODERATION

/** Whether any of the roles has the permission. */
export function allows(permission: Permission, roles: readonly Role[]): boolean {
  const holders: readonly Role[] = PERMISSIONS[permission]
  return roles.some((role) => holders.includes(role))
}

/** Whether any of the roles has the permission on an item that somebody has these relations to. */
export function allowsOn(
  permission: Permission,
  roles: readonly Role[],
  relations: readonly Relation[],
): boolean {
  if (allows(permission, roles)) return true
  const holders = new Set(relations.flatMap((relation) => PERMISSIONS_ON[relation][permission] ?? []))
  return roles.some((role) => holders.has(role))
}

/** Whether somebody with these roles needs a second factor before any of them counts. */
export function needsSecondFactor(roles: readonly Role[]): boolean {
  return roles.some((role) => SECOND_FACTOR.includes(role))
}

/** What it takes to decide something; what is not named here nobody decides through a page. */
export const TO_DECIDE: Readonly<Record<string, Permission>> = {
  hide: 'hide',
  unhide: 'hide',
  approve: 'hide',
  conceal: 'conceal',
  publish: 'promote',
  promote: 'promote',
  feature: 'feature',
  stick: 'stick',
  unstick: 'stick',
  lock: 'lock',
  unlock: 'lock',
}
