import { randomBytes } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { HyperactiveError } from '../errors.ts'
import { hashPassword, passwordMatches } from '../gateway/callers.ts'
import { isKeyText } from '../ledger/keys.ts'

const PREFIX = 'hyperactive-invitation:'
const DAY_MS = 24 * 60 * 60 * 1000

/** What the one line of an invitation says. */
export interface Invitation {
  /** Address of the node that invites. */
  url: string
  /** Its public key: who joins trusts it, and refuses anybody else at that address. */
  key: string
  /** Good for one node to join. */
  token: string
}

/** An open invitation as the inviting node keeps it: not the token, but its hash. */
interface OpenInvitation {
  tokenHash: string
  name?: string
  /** Milliseconds since 1970. */
  expiresAtMs: number
  /** The key that has joined by it; that one may come again, in case the answer was lost. */
  usedBy?: string
}

/** Invitations of a node, in a file of its data folder that only its owner may read. */
export class Invitations {
  readonly #file: string
  #working: Promise<unknown> = Promise.resolve()

  constructor(dataFolder: string) {
    this.#file = join(dataFolder, 'invitations.json')
  }

  /** Makes an invitation and gives its one line. */
  async create(
    from: { url: string; key: string },
    { name, days }: { name?: string | undefined; days: number },
  ): Promise<string> {
    const token = randomBytes(32).toString('base64url')
    const open = await this.#read()
    const expiresAtMs = Date.now() + days * DAY_MS
    await this.#write([...open, { tokenHash: hashPassword(token), ...(name ? { name } : {}), expiresAtMs }])
    return formatInvitation({ ...from, token })
  }

  /**
   * Spends a token for a key, once: two that come at the same time are taken one after the other.
   *
   * @returns the name that the invitation gives the new peer, if it gives one
   * @throws HyperactiveError `invitation_refused`
   */
  spend(token: string, key: string): Promise<string | undefined> {
    const spent = this.#working.then(async () => {
      const open = await this.#read()
      const found = open.find(({ tokenHash }) => passwordMatches(token, tokenHash))
      if (!found) throw refused('is not known here; ask for a new one')
      if (found.expiresAtMs < Date.now()) throw refused('has expired; ask for a new one')
      if (found.usedBy !== undefined && found.usedBy !== key)
        throw refused('was used by another node; ask for a new one')
      found.usedBy = key
      await this.#write(open.filter(({ expiresAtMs }) => expiresAtMs > Date.now()))
      return found.name
    })
    this.#working = spent.catch(() => undefined)
    return spent
  }

  async #read(): Promise<OpenInvitation[]> {
    try {
      return JSON.parse(await readFile(this.#file, 'utf8')) as OpenInvitation[]
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
      throw error
    }
  }

  async #write(open: readonly OpenInvitation[]): Promise<void> {
    await writeFile(`${this.#file}.new`, JSON.stringify(open), { mode: 0o600 })
    await rename(`${this.#file}.new`, this.#file)
  }
}

/** The one line that `peer add` takes. */
export function formatInvitation(invitation: Invitation): string {
  return PREFIX + Buffer.from(JSON.stringify(invitation)).toString('base64url')
}

/** Whether a text is meant as an invitation rather than an address. */
export function isInvitation(text: string): boolean {
  return text.startsWith(PREFIX)
}

/** @throws HyperactiveError `bad_invitation` */
export function parseInvitation(text: string): Invitation {
  try {
    const { url, key, token } = JSON.parse(
      Buffer.from(text.slice(PREFIX.length), 'base64url').toString('utf8'),
    ) as Invitation
    if (isKeyText(key) && isKeyText(token) && /^https?:\/\//.test(url)) return { url, key, token }
  } catch {
    // answered below
  }
  throw new HyperactiveError('bad_invitation', 'the invitation is damaged; copy the whole line', {
    status: 400,
  })
}

function refused(why: string): HyperactiveError {
  return new HyperactiveError('invitation_refused', `the invitation ${why}`, { status: 403 })
}
