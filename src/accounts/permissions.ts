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
  'edit-any': EDITING,
  translate: ['translator', ...EDITING],
  hide: MODERATION,
  promote: MODERATION,
  feature: EDITING,
  stick: EDITING,
  lock: MODERATION,
  /** Hiding so that only a line of the log is left. */
  conceal: MODERATION,
  /** The pages of moderators, and who decided what. */
  moderate: MODERATION,
  /** Rules that act by themselves on what is published, so they are not for everybody who moderates. */
  filters: EDITING,
  /** Pages, snippets, alerts: what stands around the news. */
  'publish-pages': EDITING,
  invite: ADMINISTRATION,
  accounts: ADMINISTRATION,
} as const satisfies Record<string, readonly Role[]>

export type Permission = keyof typeof PERMISSIONS

/** Roles whose holders sign in with a second factor. */
const SECOND_FACTOR: readonly Role[] = MODERATION

/** Whether any of the roles has the permission. */
export function allows(permission: Permission, roles: readonly Role[]): boolean {
  const holders: readonly Role[] = PERMISSIONS[permission]
  return roles.some((role) => holders.includes(role))
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
