import type { Database } from '../couch/database.ts'
import type { Deployment } from '../couch/design-docs.ts'
import { isCouchError } from '../couch/request.ts'
import type { HybridClock } from '../ledger/clock.ts'
import type { Account } from './account.ts'
import { hashSecret, newSecret } from './passwords.ts'
import type { People } from './people.ts'
import type { GrantedRole } from './permissions.ts'

export const ACCESS_DATABASE = 'access'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
/** A session ends when it was not used for this long, */
const IDLE_MS = 8 * HOUR_MS
/** and in any case after this long. */
const LONGEST_MS = 7 * DAY_MS
/** Between the password and the second factor. */
const PENDING_MS = 10 * MINUTE_MS
/** A session's secret is changed after this much use. */
const ROTATE_MS = HOUR_MS
/** The former secret goes on for a moment: other tabs have requests under way. */
const OVERLAP_MS = MINUTE_MS
/** That a session was used is noted this exactly, so that reading costs no write. */
const SEEN_MS = 5 * MINUTE_MS

const LINK_MS = { 'set-up': 7 * DAY_MS, invitation: 7 * DAY_MS, reset: DAY_MS } as const

interface SessionDocument {
  /** "session:<SHA-256 of the secret>" */
  _id: string
  _rev?: string
  type: 'session'
  account: string
  /** Hybrid time of the sign-in. */
  startedAt: string
  /** Milliseconds since 1970, like the other times here. */
  startedMs: number
  madeMs: number
  seenMs: number
  expiresAt: number
  /** False between the password and the second factor of an account that has one. */
  whole: boolean
}

/** Somebody's stay: who it is, and whether nothing is missing to the sign-in. */
export interface Session {
  secret: string
  account: Account
  whole: boolean
  /** Set when the browser is to use another secret from now on. */
  next?: string
}

export interface AccessLink {
  purpose: keyof typeof LINK_MS
  /** What the account that is made with it is given. */
  roles: readonly GrantedRole[]
  groups: readonly string[]
  /** For `reset`: whose password is set anew. */
  account?: string
}

interface LinkDocument extends AccessLink {
  _id: string
  _rev?: string
  type: 'link'
  expiresAt: number
}

/**
 * Sessions and one-time links of this node. Only hashes of their secrets are stored, and nothing of it ever leaves the
 * node.
 */
export class Access {
  readonly #database: Database
  readonly #deployment: Pick<Deployment, 'inForce'>
  readonly #people: People
  readonly #clock: HybridClock

  constructor(
    database: Database,
    {
      deployment,
      people,
      clock,
    }: { deployment: Pick<Deployment, 'inForce'>; people: People; clock: HybridClock },
  ) {
    this.#database = database
    this.#deployment = deployment
    this.#people = people
    this.#clock = clock
  }

  /** Begins a session and gives its secret. */
  async begin(account: string, { whole }: { whole: boolean }, nowMs = Date.now()): Promise<string> {
    await this.#sweep(nowMs)
    const expiresAt = nowMs + (whole ? IDLE_MS : PENDING_MS)
    const times = { startedAt: this.#clock.now(), startedMs: nowMs, madeMs: nowMs, seenMs: nowMs, expiresAt }
    return this.#put({ type: 'session', account, whole, ...times })
  }

  /**
   * The session of a secret, if it has not ended: by its time, by signing out everywhere, or because the account was
   * closed.
   */
  async session(secret: string, nowMs = Date.now()): Promise<Session | undefined> {
    const stored = (await this.#database.get(sessionId(secret))) as SessionDocument | undefined
    if (!stored || stored.expiresAt <= nowMs) return undefined
    const account = await this.#people.byId(stored.account)
    if (!account || account.closed || account.sessionsFrom > stored.startedAt) return undefined
    const session = { secret, account, whole: stored.whole }
    if (stored.whole && nowMs - stored.madeMs > ROTATE_MS && stored.expiresAt - nowMs > OVERLAP_MS) {
      const next = await this.#rotate(stored, nowMs)
      return next === undefined ? session : { ...session, next }
    }
    if (stored.whole && nowMs - stored.seenMs > SEEN_MS) await this.#seen(stored, nowMs)
    return session
  }

  /** A new session in the place of another, such as after the second factor. */
  async replace(session: Session, { whole }: { whole: boolean }): Promise<string> {
    await this.end(session.secret)
    return this.begin(session.account.id, { whole })
  }

  async end(secret: string): Promise<void> {
    const stored = (await this.#database.get(sessionId(secret))) as SessionDocument | undefined
    if (stored?._rev !== undefined) await this.#remove([{ id: stored._id, rev: stored._rev }])
  }

  /** Ends all sessions of an account, also those on nodes that share this node's people. */
  async endAll(account: string): Promise<void> {
    await this.#people.change(account, { sessionsFrom: this.#clock.now() })
    const query = { key: account }
    const { rows } = await this.#database.view<string>(this.#deployment.inForce(), 'accounts', query)
    await this.#remove(rows.map(({ id, value }) => ({ id, rev: value })))
  }

  /** Makes a link that can be used once, and gives its secret. */
  async makeLink(link: AccessLink, nowMs = Date.now()): Promise<string> {
    const secret = newSecret()
    const document: LinkDocument = {
      _id: linkId(link.purpose, secret),
      type: 'link',
      ...link,
      expiresAt: nowMs + LINK_MS[link.purpose],
    }
    await this.#database.put(document)
    return secret
  }

  async link(
    purpose: AccessLink['purpose'],
    secret: string,
    nowMs = Date.now(),
  ): Promise<AccessLink | undefined> {
    const stored = (await this.#database.get(linkId(purpose, secret))) as LinkDocument | undefined
    return stored && stored.expiresAt > nowMs ? stored : undefined
  }

  /** Uses a link up. Of two who use it at once, one gets it. */
  async takeLink(purpose: AccessLink['purpose'], secret: string): Promise<AccessLink | undefined> {
    const found = (await this.link(purpose, secret)) as LinkDocument | undefined
    if (found?._rev === undefined) return undefined
    try {
      await this.#database.delete(found._id, found._rev)
      return found
    } catch (error) {
      if (isCouchError(error, 409) || isCouchError(error, 404)) return undefined
      throw error
    }
  }

  /** Takes back all links of a purpose. */
  async forgetLinks(purpose: AccessLink['purpose']): Promise<void> {
    const prefix = `link:${purpose}:`
    const { rows } = await this.#database.allDocs({ startkey: prefix, endkey: `${prefix}\ufff0` })
    await this.#remove(rows.flatMap(({ id, value }) => (id && value ? [{ id, rev: value.rev }] : [])))
  }

  async #put(session: Omit<SessionDocument, '_id'>): Promise<string> {
    const secret = newSecret()
    const document: SessionDocument = { _id: sessionId(secret), ...session }
    await this.#database.put(document)
    return secret
  }

  async #rotate(stored: SessionDocument, nowMs: number): Promise<string | undefined> {
    const { account, whole, startedAt, startedMs } = stored
    const former: SessionDocument = { ...stored, expiresAt: nowMs + OVERLAP_MS }
    try {
      // Whoever is first to shorten the former secret makes the next one.
      await this.#database.put(former)
    } catch (error) {
      if (isCouchError(error, 409)) return undefined
      throw error
    }
    const expiresAt = endOf(startedMs, nowMs)
    const times = { startedAt, startedMs, madeMs: nowMs, seenMs: nowMs, expiresAt }
    return this.#put({ type: 'session', account, whole, ...times })
  }

  async #seen(stored: SessionDocument, nowMs: number): Promise<void> {
    // A former secret that is running out is not prolonged.
    if (stored.expiresAt - nowMs <= OVERLAP_MS) return
    const seen = { ...stored, seenMs: nowMs, expiresAt: endOf(stored.startedMs, nowMs) }
    await this.#database.put(seen).catch((error: unknown) => {
      if (!isCouchError(error, 409)) throw error
    })
  }

  /** Removes what has ended. */
  async #sweep(nowMs: number): Promise<void> {
    const query = { endkey: nowMs, limit: 500 }
    const { rows } = await this.#database.view<string>(this.#deployment.inForce(), 'expiring', query)
    await this.#remove(rows.map(({ id, value }) => ({ id, rev: value })))
  }

  async #remove(documents: { id: string; rev: string }[]): Promise<void> {
    if (documents.length === 0) return
    await this.#database.bulkDocs(documents.map(({ id, rev }) => ({ _id: id, _rev: rev, _deleted: true })))
  }
}

function endOf(startedMs: number, nowMs: number): number {
  return Math.min(startedMs + LONGEST_MS, nowMs + IDLE_MS)
}

function sessionId(secret: string): string {
  return `session:${hashSecret(secret)}`
}

function linkId(purpose: string, secret: string): string {
  return `link:${purpose}:${hashSecret(secret)}`
}
