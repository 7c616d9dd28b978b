import { z } from 'zod'
import serialize from 'canonicalize'
import { isHybridTime } from '../ledger/clock.ts'
import { isItemId } from '../ledger/item-id.ts'
import { PASSKEY_ENTRIES, readPasskeys, withoutPasskey } from './passkeys.ts'
import type { Passkey } from './passkeys.ts'
import { GRANTED } from './permissions.ts'
import type { GrantedRole, Role } from './permissions.ts'

/**
 * An account as it is stored: entries that each carry the time of their latest change. Two nodes that share their people
 * merge entry by entry, the later change of each counting, so that somebody who changes their password on one node
 * while a role is taken from them on the other has a new password and one role less.
 */
export interface AccountDocument {
  /** "account:<20 digits of base32>" */
  _id: string
  _rev?: string
  type: 'account'
  entries: Record<string, Entry>
}

/** The value `null` is that of an entry which was taken back. */
export interface Entry {
  value: string | number | boolean | null
  /** Hybrid time. */
  at: string
}

/** An account as the program uses it. */
export interface Account {
  /** Without "account:". It stands in decisions, so that no handle has to. */
  id: string
  handle: string
  name: string
  email: string | undefined
  /** In the PHC format; empty for an account that was closed. */
  password: string
  /** The secret of the one-time codes, base32. */
  totp: string | undefined
  /** The last time step whose one-time code was used: no code counts twice. */
  totpStep: number
  /** Those of all hosts. */
  passkeys: Passkey[]
  /** SHA-256 of the recovery codes that are left, hex. */
  recovery: string[]
  roles: GrantedRole[]
  /** The groups that it is a member of. */
  groups: string[]
  closed: boolean
  /** Sessions that began before this hybrid time have ended. */
  sessionsFrom: string
  createdAt: string
}

export const HANDLE = /^[a-z][a-z0-9._-]{1,38}[a-z0-9]$/
const ID = /^account:[0-9a-hjkmnp-tv-z]{20}$/

const entrySchemas: readonly [RegExp, z.ZodType][] = [
  [/^handle$/, z.string().regex(HANDLE)],
  [/^name$/, z.string().max(100)],
  [/^email$/, z.string().max(254).nullable()],
  [/^password$/, z.string().max(300)],
  [/^totp$/, z.string().max(100).nullable()],
  [/^totpStep$/, z.int().min(0)],
  [/^closed$/, z.boolean()],
  [/^createdAt$/, z.string().refine(isHybridTime)],
  [/^sessionsFrom$/, z.string().refine(isHybridTime)],
  [/^recovery:[0-9a-f]{64}$/, z.literal(true).nullable()],
  [new RegExp(`^role:(${GRANTED.join('|')})$`), z.boolean()],
  [/^group:/, z.boolean()],
  ...PASSKEY_ENTRIES,
]

/** Of an account that a peer sent. What a node makes itself stays below {@link MOST_OWN_ENTRIES}. */
const MOST_ENTRIES = 5000
/** Entries that were taken back stay, so that they stay taken back everywhere. */
export const MOST_OWN_ENTRIES = 4500

/**
 * What is wrong with an account that a peer sent.
 *
 * @returns one line, or undefined
 */
export function accountProblem(document: unknown): string | undefined {
  const { _id, type, entries } = (document ?? {}) as Partial<AccountDocument>
  if (typeof _id !== 'string' || !ID.test(_id) || type !== 'account') return 'is no account'
  if (typeof entries !== 'object' || entries === null || Array.isArray(entries)) return 'has no entries'
  if (Object.keys(entries).length > MOST_ENTRIES) return `has more than ${MOST_ENTRIES} entries`
  for (const [name, entry] of Object.entries(entries as Record<string, Partial<Entry> | null>)) {
    const schema = entrySchemas.find(([pattern]) => pattern.test(name))?.[1]
    if (!schema || (name.startsWith('group:') && !isItemId(name.slice(6)))) return 'has an unknown entry'
    if (typeof entry?.at !== 'string' || !isHybridTime(entry.at)) return `${name} has no time`
    if (!schema.safeParse(entry.value).success) return `${name} has a value that it cannot have`
  }
  return undefined
}

/** Two states of one account as one: of each entry the later change. Pure; order and repetition do not matter. */
export function mergeAccounts(a: AccountDocument, b: AccountDocument): AccountDocument {
  const entries: Record<string, Entry> = {}
  for (const name of [...new Set([...Object.keys(a.entries), ...Object.keys(b.entries)])].sort()) {
    const [one, other] = [a.entries[name], b.entries[name]]
    const winner = !one || (other && isLater(other, one)) ? other : one
    if (winner) entries[name] = winner
  }
  return { _id: a._id, type: 'account', entries }
}

function isLater(a: Entry, b: Entry): boolean {
  if (a.at !== b.at) return a.at > b.at
  return (serialize(a.value) ?? '') > (serialize(b.value) ?? '')
}

/** An account's entries as the program uses them. */
export function readAccount({ _id, entries }: AccountDocument): Account {
  const text = (name: string) => {
    const value = entries[name]?.value
    return typeof value === 'string' ? value : ''
  }
  const named = (prefix: string) =>
    Object.entries(entries)
      .filter(([name, { value }]) => name.startsWith(prefix) && value === true)
      .map(([name]) => name.slice(prefix.length))
  const closed = entries.closed?.value === true
  return {
    id: _id.slice('account:'.length),
    handle: text('handle'),
    name: text('name'),
    email: text('email') || undefined,
    password: closed ? '' : text('password'),
    totp: text('totp') || undefined,
    totpStep: Number(entries.totpStep?.value ?? 0),
    passkeys: closed ? [] : readPasskeys(entries),
    recovery: named('recovery:'),
    roles: closed ? [] : GRANTED.filter((role) => entries[`role:${role}`]?.value === true),
    groups: closed ? [] : named('group:'),
    closed,
    sessionsFrom: text('sessionsFrom'),
    createdAt: text('createdAt'),
  }
}

/** Whether signing in takes more than the password. A passkey of another host counts: a recovery code replaces it here. */
export function hasSecondFactor({ totp, passkeys }: Pick<Account, 'totp' | 'passkeys'>): boolean {
  return totp !== undefined || passkeys.length > 0
}

/** What takes every second factor away from an account. */
export function withoutSecondFactor({ passkeys }: Pick<Account, 'passkeys'>): Record<string, null> {
  const names = passkeys.flatMap((passkey) => Object.keys(withoutPasskey(passkey)))
  return { totp: null, ...Object.fromEntries(names.map((name) => [name, null])) }
}

/**
 * Of accounts that have one handle, which two nodes gave out before they heard of each other, the older one has it. The
 * others can sign in once they have another handle.
 *
 * @returns the ids of those others
 */
export function outrun(accounts: readonly Account[]): Set<string> {
  const owners = new Map<string, Account>()
  const open = accounts.filter(({ closed }) => !closed)
  for (const account of [...open].sort(byAge)) {
    if (!owners.has(account.handle)) owners.set(account.handle, account)
  }
  return new Set(open.filter(({ id, handle }) => owners.get(handle)?.id !== id).map(({ id }) => id))
}

function byAge(a: Account, b: Account): number {
  if (a.createdAt !== b.createdAt) return a.createdAt < b.createdAt ? -1 : 1
  return a.id < b.id ? -1 : 1
}

/** All roles of an account: those that were given, and those that follow. */
export function rolesOf(account: Pick<Account, 'roles' | 'groups' | 'closed'>): Role[] {
  if (account.closed) return ['reader']
  return [
    'reader',
    'member',
    ...(account.groups.length > 0 ? (['groupMember'] as const) : []),
    ...account.roles,
  ]
}
