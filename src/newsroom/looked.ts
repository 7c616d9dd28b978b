import type { Database } from '../couch/database.ts'
import type { Deployment } from '../couch/design-docs.ts'
import { inPieces } from '../pieces.ts'
import type { Seen } from './target.ts'

/** For so long it is remembered what has been looked at, and which matches are closed. */
export const KEPT_DAYS = 30
const DAY_MS = 24 * 60 * 60 * 1000
const AT_ONCE = 500

/** Which version of an item or comment moderators have looked at. It stays on the node. */
export class Looked {
  readonly #database: Database
  readonly #deployment: Pick<Deployment, 'inForce'>

  constructor(database: Database, deployment: Pick<Deployment, 'inForce'>) {
    this.#database = database
    this.#deployment = deployment
  }

  /** Notes what was looked at; an older version than one that was looked at before changes nothing. */
  async mark(seen: readonly (Seen & { version: string })[], nowMs = Date.now()): Promise<void> {
    const day = dayOf(nowMs)
    for (const some of inPieces(seen, AT_ONCE)) {
      const known = await this.#documents(some.map(({ target }) => target))
      const documents = new Map<string, object>()
      for (const { target, version } of some) {
        const before = known.get(target)
        if (before && before.version >= version) continue
        const _id = idOf(target)
        documents.set(_id, {
          _id,
          ...(before ? { _rev: before._rev } : {}),
          type: 'looked',
          target,
          version,
          day,
        })
      }
      // Two who look at once: one of both marks is written, which is enough.
      if (documents.size > 0) await this.#database.bulkDocs([...documents.values()])
    }
  }

  /** The version of each of these targets that was looked at; those that nobody looked at are left out. */
  async among(targets: readonly string[]): Promise<Map<string, string>> {
    const known = await this.#documents(targets)
    return new Map([...known].map(([target, { version }]) => [target, version]))
  }

  /** Forgets what is old: marks of what was looked at, and closed matches of filters. */
  async sweep(nowMs = Date.now()): Promise<void> {
    const endkey = dayOf(nowMs - KEPT_DAYS * DAY_MS)
    for (;;) {
      const query = { endkey, limit: AT_ONCE }
      const { rows } = await this.#database.view<string>(this.#deployment.inForce(), 'dated', query)
      if (rows.length === 0) return
      await this.#database.bulkDocs(rows.map(({ id, value }) => ({ _id: id, _rev: value, _deleted: true })))
    }
  }

  async #documents(targets: readonly string[]): Promise<Map<string, { _rev: string; version: string }>> {
    const found = new Map<string, { _rev: string; version: string }>()
    for (const some of inPieces(targets, AT_ONCE)) {
      const { rows } = await this.#database.allDocs({ keys: some.map(idOf), include_docs: true })
      for (const { doc } of rows) {
        if (doc) found.set(String(doc.target), doc as { _id: string; _rev: string; version: string })
      }
    }
    return found
  }
}

/** The day of a time, which is all that the office notes. */
export function dayOf(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 10)
}

function idOf(target: string): string {
  return `looked:${target}`
}
