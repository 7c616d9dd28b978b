import { HyperactiveError, messageOf } from '../errors.ts'
import type { SigningKey } from '../ledger/keys.ts'
import { logger } from '../log.ts'
import type { Couch } from './client.ts'
import { deployDesignDoc } from './design-docs.ts'
import { isCouchError, withoutPassword } from './request.ts'

const log = logger('couch')

/** The databases that a node keeps in its CouchDB and works on as the user that is made for it, */
export const DATABASES = ['ledger', 'site'] as const
/** and those of its people, which that user has no business with, */
const PEOPLES_DATABASES = ['people', 'access', 'office'] as const
/** nor with its files, where they are kept in CouchDB as well. */
const FILES_DATABASE = 'blobs'

/** What a node says to CouchDB for its daily work on the ledger. */
export interface CouchLogin {
  username: string
  password: string
}

interface Security {
  admins?: { names?: string[]; roles?: string[] }
  members?: { names?: string[]; roles?: string[] }
}

export interface PrepareOptions {
  /** Where it is, for messages. */
  url: string
  /** What the given credentials may, as {@link lookAtCouch} says. */
  roles: readonly string[]
  key: SigningKey
  /** Whether the node keeps its files here, too. */
  hasFiles: boolean
  /** A client for the same server with other credentials. */
  connect: (login: CouchLogin) => Couch
}

/**
 * Makes a real CouchDB ready for a node. With an administrator's credentials: the databases, a user of the node's own
 * without administrator's rights, `_security` that lets nobody but that user and administrators in, and the ledger's
 * `validate_doc_update`. With those of a prepared user: looks whether all this is there.
 *
 * @param couch with the credentials that the settings give
 * @returns the own user's login, or undefined when the given credentials are to be used for everything
 * @throws HyperactiveError `couch_not_prepared`
 */
export async function prepareCouch(
  couch: Couch,
  { url, roles, key, hasFiles, connect }: PrepareOptions,
): Promise<CouchLogin | undefined> {
  const closed = hasFiles ? [...PEOPLES_DATABASES, FILES_DATABASE] : PEOPLES_DATABASES
  const names = [...DATABASES, ...closed]
  if (!roles.includes('_admin')) {
    await checkPrepared(couch, names, url)
    return undefined
  }
  for (const name of names) await couch.ensureDatabase(name)
  const login = {
    username: `hyperactive-${couch.prefix}${key.publicKey.replaceAll(/[^A-Za-z0-9]/g, '').slice(0, 8)}`,
    // It grows from the node's key, so that it is nowhere written down.
    password: key.derive('couchdb user').toString('base64url'),
  }
  await ensureUser(couch, login, connect)
  for (const name of DATABASES) await restrict(couch, name, [login.username])
  for (const name of closed) await restrict(couch, name, [])
  await deployDesignDoc(couch.database('ledger'))
  return login
}

/**
 * Looks whether a CouchDB answers and lets us in.
 *
 * @param from where the address was given, for messages
 * @returns the roles of the user, by CouchDB's own words: `_admin` is an administrator
 * @throws HyperactiveError `store_unreachable`, `couch_login` or `not_a_couchdb`
 */
export async function lookAtCouch(couch: Couch, url: string, from = 'COUCHDB_URL'): Promise<string[]> {
  const where = withoutPassword(url)
  let welcome: { couchdb?: unknown; version?: unknown }
  let session: { userCtx?: { name: string | null; roles: string[] } }
  try {
    // The path ends in a slash: behind a prefix, web servers answer one without with a redirect.
    welcome = await couch.request({ path: './' })
    session = await couch.request({ path: '_session' })
  } catch (error) {
    if (!isCouchError(error, 401)) throw error
    const text = `the CouchDB at ${where} refuses the name or password; check ${from}`
    throw new HyperactiveError('couch_login', text, { status: 401, cause: error })
  }
  if (welcome.couchdb !== 'Welcome' || !session.userCtx) {
    throw new HyperactiveError('not_a_couchdb', `there is no CouchDB at ${where}; check ${from}`)
  }
  const { name, roles } = session.userCtx
  if (name === null) {
    const text = `${from} names no user; give it as https://name:password@host/`
    throw new HyperactiveError('couch_login', text, { status: 401 })
  }
  log.debug('CouchDB answers', { version: String(welcome.version) })
  return roles
}

async function checkPrepared(couch: Couch, names: readonly string[], url: string): Promise<void> {
  for (const name of names) {
    try {
      await couch.database(name).info()
    } catch (error) {
      if (![401, 403, 404].some((status) => isCouchError(error, status))) throw error
      const text = `the user in ${withoutPassword(url)} is no administrator and cannot use the database ${couch.prefix}${name}; docs/couchdb.md says how to prepare it (${messageOf(error)})`
      throw new HyperactiveError('couch_not_prepared', text, { status: 403, cause: error })
    }
  }
}

/** Makes the own user, or gives it its password again. */
async function ensureUser(
  couch: Couch,
  login: CouchLogin,
  connect: (login: CouchLogin) => Couch,
): Promise<void> {
  await using own = connect(login)
  try {
    await own.request({ path: '_session' })
    return
  } catch (error) {
    if (!isCouchError(error, 401)) throw error
  }
  const id = `org.couchdb.user:${login.username}`
  await couch.request({ method: 'PUT', db: '_users' }).catch((error: unknown) => {
    if (!isCouchError(error, 412)) throw error
  })
  const path = encodeURIComponent(id)
  const there = await couch.request<{ _rev: string }>({ db: '_users', path }).catch((error: unknown) => {
    if (!isCouchError(error, 404)) throw error
  })
  const user = { _id: id, name: login.username, password: login.password, roles: [], type: 'user' }
  await couch.request({
    method: 'PUT',
    db: '_users',
    path,
    body: there ? { ...user, _rev: there._rev } : user,
  })
}

/** Lets these users in; whom an operator let in besides stays. A database without members would be open to all. */
async function restrict(couch: Couch, name: string, usernames: readonly string[]): Promise<void> {
  const target = { db: couch.prefix + name, path: '_security' }
  const { admins = {}, members = {} } = await couch.request<Security>(target)
  const [names, roles] = [members.names ?? [], members.roles ?? []]
  if (roles.includes('_admin') && usernames.every((username) => names.includes(username))) return
  const body = {
    admins: { names: admins.names ?? [], roles: [...new Set([...(admins.roles ?? []), '_admin'])] },
    members: { names: [...new Set([...names, ...usernames])], roles: [...new Set([...roles, '_admin'])] },
  }
  await couch.request({ ...target, method: 'PUT', body })
}
