import { randomBytes } from 'node:crypto'
import type { Database } from '../couch/database.ts'
import type { Deployment } from '../couch/design-docs.ts'
import { inPieces } from '../pieces.ts'

export const OFFICE_DATABASE = 'office'

/** Reports on one target that are kept; of more only that there are more is known. */
const MOST_ON_TARGET = 20
/** The newest reports that the office looks at. */
const SHOWN = 500
const LAST = '\ufff0'
const TARGETS_AT_ONCE = 100
const AT_ONCE = 500

/** What somebody says is wrong with an item or a comment. */
export interface Report {
  /** The item's id, or "<item>/<hash>" of a comment. */
  target: string
  category?: string
  reason?: string
}

interface ReportDocument extends Report {
  _id: string
  type: 'report'
  /** The day, so that nothing tells who it was. */
  at: string
}

/** All that was reported about one target, the newest first. */
export interface Reported {
  target: string
  /** No more than twenty are kept. */
  reports: { at: string; category?: string; reason?: string }[]
}

/** What readers report to the moderators of this node. It stays on the node, and is gone once somebody has decided. */
export class Reports {
  readonly #database: Database
  readonly #deployment: Pick<Deployment, 'inForce'>

  constructor(database: Database, deployment: Pick<Deployment, 'inForce'>) {
    this.#database = database
    this.#deployment = deployment
  }

  /** Keeps a report, unless its target has been reported often enough. */
  async add(report: Report, nowMs = Date.now()): Promise<void> {
    if ((await this.#on(report.target, MOST_ON_TARGET)).length >= MOST_ON_TARGET) return
    const document: ReportDocument = {
      _id: `report:${randomBytes(16).toString('hex')}`,
      type: 'report',
      ...report,
      at: new Date(nowMs).toISOString().slice(0, 10),
    }
    await this.#database.put(document)
  }

  /** What has been reported and not decided on, what came last first. */
  async open(): Promise<Reported[]> {
    const { rows } = await this.#database.view<null>(this.#deployment.inForce(), 'reports', {
      descending: true,
      limit: SHOWN,
      include_docs: true,
    })
    const targets = new Map<string, Reported>()
    for (const { doc } of rows) {
      const { target, at, category, reason } = doc as unknown as ReportDocument
      const known = targets.get(target) ?? { target, reports: [] }
      known.reports.push({
        at,
        ...(category === undefined ? {} : { category }),
        ...(reason === undefined ? {} : { reason }),
      })
      targets.set(target, known)
    }
    return [...targets.values()]
  }

  /** What has been reported and not decided on, by name, and no more than the newest 500 reports tell. */
  async targets(): Promise<string[]> {
    const query = { descending: true, limit: SHOWN }
    const { rows } = await this.#database.view<string>(this.#deployment.inForce(), 'reports', query)
    return [...new Set(rows.map(({ value }) => value))]
  }

  /** Forgets what was reported about these targets. */
  async close(targets: readonly string[]): Promise<void> {
    for (const keys of inPieces(targets, TARGETS_AT_ONCE)) {
      const found = await this.#database.view<string>(this.#deployment.inForce(), 'targets', {
        keys: [...keys],
      })
      for (const rows of inPieces(found.rows, AT_ONCE))
        await this.#database.bulkDocs(rows.map(({ id, value }) => ({ _id: id, _rev: value, _deleted: true })))
    }
  }

  /** Forgets what was reported about an item and its comments, or about one comment; gives whether there was anything. */
  async forget(target: string): Promise<boolean> {
    const range = { startkey: target, endkey: target.includes('/') ? target : `${target}/${LAST}` }
    const { rows } = await this.#database.view<string>(this.#deployment.inForce(), 'targets', range)
    for (const some of inPieces(rows, AT_ONCE))
      await this.#database.bulkDocs(some.map(({ id, value }) => ({ _id: id, _rev: value, _deleted: true })))
    return rows.length > 0
  }

  async #on(target: string, limit?: number) {
    const query = { key: target, ...(limit === undefined ? {} : { limit }) }
    return (await this.#database.view<string>(this.#deployment.inForce(), 'targets', query)).rows
  }
}
