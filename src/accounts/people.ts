import { randomBytes } from 'node:crypto'
import type { Database } from '../couch/database.ts'
import type { Deployment } from '../couch/design-docs.ts'
import { isCouchError } from '../couch/request.ts'
import { HyperactiveError } from '../errors.ts'
import type { HybridClock } from '../ledger/clock.ts'
import { MOST_OWN_ENTRIES, mergeAccounts, readAccount } from './account.ts'
import type { Account, AccountDocument, Entry } from './account.ts'

export const PEOPLE_DATABASE = 'people'

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'
const LAST = '\ufff0'
const TRIES = 10
/** Groups that an account is or was a member of. */
const MOST_GROUPS = 200

/** What a change of an account sets, by the names of its entries. */
export type Changes = Readonly<Record<string, Entry['value']>>

/** The accounts of this node. They are never part of the ledger; a peer has them only where both sides say so. */
export class People {
  readonly #database: Database
  readonly #deployment: Pick<Deployment, 'inForce'>
  readonly #clock: HybridClock

  constructor(database: Database, deployment: Pick<Deployment, 'inForce'>, clock: HybridClock) {
    this.#database = database
    this.#deployment = deployment
    this.#clock = clock
  }

  /** The account of a handle. Where two nodes gave out one handle at once, it belongs to the older account. */
  async byHandle(handle: string): Promise<Account | undefined> {
    const { rows } = await this.#database.view<null>(this.#deployment.inForce(), 'handles', {
      startkey: [handle],
      endkey: [handle, {}],
      limit: 10,
      include_docs: true,
    })
    const accounts = rows.flatMap(({ doc }) => (doc ? readAccount(doc as unknown as AccountDocument) : []))
    return accounts.find(({ closed }) => !closed) ?? accounts[0]
  }

  async byId(id: string): Promise<Account | undefined> {
    const document = await this.#document(id)
    return document && readAccount(document)
  }

  /** All accounts, by handle. */
  async all(): Promise<Account[]> {
    const accounts = (await this.#documents()).map((document) => readAccount(document))
    return accounts.sort((a, b) =>
      a.handle < b.handle ? -1 : a.handle > b.handle ? 1 : a.id < b.id ? -1 : 1,
    )
  }

  /** Whether anybody can administer this node. */
  async hasAdministrator(): Promise<boolean> {
    return (await this.all()).some(({ roles }) => roles.includes('administrator'))
  }

  /**
   * Makes an account.
   *
   * @throws HyperactiveError `handle_taken`
   */
  async create(handle: string, changes: Changes): Promise<Account> {
    if (await this.byHandle(handle))
      throw new HyperactiveError('handle_taken', `the handle ${handle} is taken`, { status: 409 })
    const at = this.#clock.now()
    const all: Changes = { ...changes, handle, createdAt: at, sessionsFrom: at }
    const entries: AccountDocument['entries'] = {}
    for (const [name, value] of Object.entries(all)) entries[name] = { value, at }
    const id = [...randomBytes(20)].map((byte) => ALPHABET[byte % 32]).join('')
    const document: AccountDocument = { _id: `account:${id}`, type: 'account', entries }
    await this.#database.put(document)
    return readAccount(document)
  }

  /**
   * Changes entries of an account; what others change at the same time stays.
   *
   * @throws HyperactiveError `unknown_account`
   */
  async change(id: string, changes: Changes): Promise<Account> {
    const at = this.#clock.now()
    const entries: AccountDocument['entries'] = {}
    for (const [name, value] of Object.entries(changes)) entries[name] = { value, at }
    const stored = await this.#document(id)
    if (!stored) throw unknownAccount()
    checkRoom(stored, { ...stored.entries, ...entries })
    return readAccount(await this.merge({ _id: `account:${id}`, type: 'account', entries }))
  }

  /**
   * Makes an account a member of a group.
   *
   * @returns false where the account is in too many groups already
   */
  joinGroup(id: string, group: string): Promise<boolean> {
    return this.#again(async () => {
      const stored = await this.#document(id)
      if (!stored) throw unknownAccount()
      const name = `group:${group}`
      const isIn = (entry: string) => entry.startsWith('group:') && stored.entries[entry]?.value === true
      if (!isIn(name) && Object.keys(stored.entries).filter(isIn).length >= MOST_GROUPS) return false
      const entries = { ...stored.entries, [name]: { value: true, at: this.#clock.now() } }
      await this.#database.put({ ...stored, entries } as AccountDocument)
      return true
    })
  }

  /** The members of a group who have an account here. */
  async membersOf(group: string): Promise<Account[]> {
    return (await this.all()).filter(({ groups }) => groups.includes(group))
  }

  /**
   * Changes an account only if it is as the caller saw it, for what may count once.
   *
   * @param changesFor what to change in the account as it is, or undefined to change nothing
   * @returns whether it was changed
   */
  async changeOnce(id: string, changesFor: (account: Account) => Changes | undefined): Promise<boolean> {
    return this.#again(async () => {
      const stored = await this.#document(id)
      const changes = stored && changesFor(readAccount(stored))
      if (!stored || !changes) return false
      const at = this.#clock.now()
      const entries = { ...stored.entries }
      for (const [name, value] of Object.entries(changes)) entries[name] = { value, at }
      checkRoom(stored, entries)
      await this.#database.put({ ...stored, entries } as AccountDocument)
      return true
    })
  }

  /** Takes in a state of an account, such as a peer's, and gives the merged one. */
  merge(state: AccountDocument): Promise<AccountDocument> {
    return this.#again(async () => {
      const stored = await this.#document(state._id.slice('account:'.length))
      const merged = stored ? mergeAccounts(stored, state) : state
      if (stored && same(stored, merged)) return merged
      await this.#database.put({ ...merged, ...(stored?._rev === undefined ? {} : { _rev: stored._rev }) })
      return merged
    })
  }

  /** All accounts as they are stored, without revisions, for a peer. */
  async states(): Promise<AccountDocument[]> {
    return (await this.#documents()).map(({ _id, type, entries }) => ({ _id, type, entries }))
  }

  async #documents(): Promise<AccountDocument[]> {
    const query = { startkey: 'account:', endkey: `account:${LAST}`, include_docs: true }
    const { rows } = await this.#database.allDocs(query)
    return rows.flatMap(({ doc }) => (doc ? [doc as unknown as AccountDocument] : []))
  }

  async #document(id: string): Promise<AccountDocument | undefined> {
    return (await this.#database.get(`account:${id}`)) as AccountDocument | undefined
  }

  async #again<Value>(work: () => Promise<Value>): Promise<Value> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await work()
      } catch (error) {
        if (!isCouchError(error, 409) || tries >= TRIES) throw error
      }
    }
  }
}

function same(a: AccountDocument, b: AccountDocument): boolean {
  const names = Object.keys(b.entries)
  return (
    names.length === Object.keys(a.entries).length &&
    names.every((name) => {
      const [one, other] = [a.entries[name], b.entries[name]]
      return one?.at === other?.at && one?.value === other?.value
    })
  )
}

function unknownAccount(): HyperactiveError {
  return new HyperactiveError('unknown_account', 'there is no such account on this node', { status: 404 })
}

/**
 * Peers leave out an account that has grown without end, and with it what is taken from it here.
 *
 * @throws HyperactiveError `account_full`
 */
function checkRoom(before: AccountDocument, entries: AccountDocument['entries']): void {
  const [had, has] = [before.entries, entries].map((all) => Object.keys(all).length) as [number, number]
  if (has <= had || has <= MOST_OWN_ENTRIES) return
  const text = 'this account has had too many recovery codes, passkeys and groups; make another one'
  throw new HyperactiveError('account_full', text, { status: 409 })
}
