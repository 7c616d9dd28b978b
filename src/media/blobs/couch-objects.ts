import type { Couch } from '../../couch/client.ts'
import { compactWhole } from '../../couch/compact-whole.ts'
import type { Database } from '../../couch/database.ts'
import { isCouchError } from '../../couch/request.ts'
import { HyperactiveError, messageOf } from '../../errors.ts'
import { inPieces } from '../../pieces.ts'
import type { ListedObject, Objects } from './objects.ts'
import { diskFull, unreachable, unusable } from './problems.ts'

/** The database of blobs, by the program's own name. */
export const BLOBS_DATABASE = 'blobs'

const ATTACHMENT = 'bytes'
const PAGE = 1000
/** How often it is tried to write over what somebody else writes at the same time. */
const TRIES = 5
const LATER = new Set([408, 429, 500, 502, 503, 504])

/** Objects as documents of a CouchDB, each with its bytes as an attachment. */
export class CouchObjects implements Objects {
  readonly name = 'CouchDB'
  readonly #database: Database

  private constructor(database: Database) {
    this.#database = database
  }

  /**
   * Makes the database unless it is there.
   *
   * @throws HyperactiveError `blob_store_unusable` for a store without attachments, such as the one of the node's own
   */
  static async open(couch: Couch): Promise<CouchObjects> {
    return answered(async () => {
      const { vendor } = await couch.request<{ vendor?: { name?: string } }>({ path: './' })
      if (vendor?.name?.startsWith('Hyperactive') === true)
        throw unusable('CouchDB', 'the store that the node starts itself has no attachments; use a folder')
      return new CouchObjects(await couch.ensureDatabase(BLOBS_DATABASE))
    })
  }

  put(key: string, bytes: Uint8Array): Promise<void> {
    return answered(async () => {
      for (let tries = 1; ; tries += 1) {
        // Asked for first: CouchDB refuses one that is wrong before it has read the bytes, and cuts the connection.
        const rev = (await this.#revisions([key])).get(key)
        try {
          await this.#database.putAttachment(key, ATTACHMENT, bytes, rev)
          return
        } catch (error) {
          if (!isCouchError(error, 409) || tries === TRIES) throw error
        }
      }
    })
  }

  get(key: string, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    return answered(() => this.#database.attachment(key, ATTACHMENT, signal))
  }

  remove(keys: readonly string[]): Promise<void> {
    return answered(async () => {
      for (const some of inPieces(keys, PAGE)) {
        const revisions = await this.#revisions(some)
        const deletions = [...revisions].map(([_id, _rev]) => ({ _id, _rev, _deleted: true }))
        const results = await this.#database.bulkDocs(deletions)
        // Written meanwhile: whoever did that has come later.
        const refused = results.find(({ error }) => error !== undefined && error !== 'conflict')
        if (refused) throw unusable(this.name, `a file could not be deleted: ${refused.reason ?? ''}`)
      }
    })
  }

  async *list({ prefix = '', after }: { prefix?: string; after?: string }): AsyncIterable<ListedObject> {
    let last = after === undefined || after < prefix ? undefined : after
    for (;;) {
      const { rows } = await answered(() =>
        this.#database.allDocs({
          startkey: last ?? prefix,
          ...(prefix === '' ? {} : { endkey: `${prefix}\ufff0` }),
          include_docs: true,
          limit: PAGE,
        }),
      )
      for (const { key, doc } of rows) {
        if (key === last) continue
        const attachments = (doc?._attachments ?? {}) as Record<string, { length?: number }>
        yield { key, bytes: attachments[ATTACHMENT]?.length ?? 0 }
      }
      last = rows.at(-1)?.key
      if (rows.length < PAGE || last === undefined) return
    }
  }

  compact(signal: AbortSignal): Promise<void> {
    return compactWhole(this.#database, signal)
  }

  // The connection is the node's.
  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve()
  }

  async #revisions(keys: readonly string[]): Promise<Map<string, string>> {
    const { rows } = await this.#database.allDocs({ keys: [...keys] })
    const found = rows.filter(({ value }) => value !== undefined && value.deleted !== true)
    return new Map(found.map(({ key, value }) => [key, value?.rev ?? '']))
  }
}

async function answered<Result>(ask: () => Promise<Result>): Promise<Result> {
  try {
    return await ask()
  } catch (error) {
    if (!(error instanceof HyperactiveError) || error.code.startsWith('blob_')) throw error
    const text = messageOf(error)
    if (error.status === 507 || /enospc|no space left/i.test(text)) throw diskFull('CouchDB', error)
    const isLater = error.code === 'store_unreachable' || LATER.has(error.status)
    throw isLater ? unreachable('CouchDB', text, error) : unusable('CouchDB', text, error)
  }
}
