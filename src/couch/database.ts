import { isCouchError } from './request.ts'
import type { CouchSend } from './request.ts'

/** A document as CouchDB gives it back. */
export interface StoredDocument {
  _id: string
  _rev: string
  [field: string]: unknown
}

/** One row of `_all_docs`: found, deleted (`value.deleted`), or missing (`error`). */
export interface AllDocsRow {
  key: string
  id?: string
  value?: { rev: string; deleted?: boolean }
  doc?: StoredDocument | null
  error?: string
}

/** Parameters of `_all_docs` and views, by CouchDB's names. */
export interface RangeQuery {
  key?: unknown
  keys?: unknown[]
  startkey?: unknown
  endkey?: unknown
  startkey_docid?: string
  inclusive_end?: boolean
  descending?: boolean
  limit?: number
  include_docs?: boolean
  update?: boolean | 'lazy'
  reduce?: boolean
}

export interface ViewRow<Value> {
  id: string
  key: unknown
  value: Value
  doc?: StoredDocument | null
}

/** One row of `_changes`. */
export interface Change {
  seq: string | number
  id: string
  changes: { rev: string }[]
  deleted?: boolean
  doc?: StoredDocument
}

export interface Changes {
  results: Change[]
  last_seq: string | number
  pending?: number
}

export interface ChangesQuery {
  since?: string | number
  limit?: number
  include_docs?: boolean
  feed?: 'normal' | 'longpoll'
  /** Milliseconds that a long poll waits before it answers with nothing. */
  timeout?: number
  style?: 'main_only' | 'all_docs'
}

export interface WriteResult {
  id: string
  rev?: string
  ok?: boolean
  error?: string
  reason?: string
}

export interface RevsDiff {
  [id: string]: { missing: string[]; possible_ancestors?: string[] }
}

export interface BulkGetResult {
  id: string
  docs: ({ ok: StoredDocument } | { error: { id: string; rev: string; error: string; reason: string } })[]
}

/** One CouchDB database. Every method is one request and gives CouchDB's own answer. */
export class Database {
  /** The program's own name for it; on the server it may have a prefix. */
  readonly name: string
  readonly #db: string
  #send: CouchSend

  constructor(name: string, send: CouchSend, prefix = '') {
    this.name = name
    this.#db = prefix + name
    this.#send = send
  }

  info(): Promise<{
    db_name: string
    doc_count: number
    doc_del_count: number
    update_seq: string | number
    compact_running: boolean
  }> {
    return this.#send({ db: this.#db })
  }

  /** A document by id, or undefined when there is none or it was deleted. */
  async get(id: string): Promise<StoredDocument | undefined> {
    try {
      return await this.#send<StoredDocument>({ db: this.#db, path: pathOf(id) })
    } catch (error) {
      if (isCouchError(error, 404)) return undefined
      throw error
    }
  }

  put(document: { _id: string; _rev?: string }): Promise<{ ok: true; id: string; rev: string }> {
    return this.#send({ method: 'PUT', db: this.#db, path: pathOf(document._id), body: document })
  }

  delete(id: string, rev: string): Promise<{ ok: true }> {
    return this.#send({ method: 'DELETE', db: this.#db, path: pathOf(id), qs: { rev } })
  }

  /** An attachment's bytes; undefined when it is not there. The embedded store has none. */
  async attachment(id: string, name: string, signal?: AbortSignal): Promise<Buffer | undefined> {
    try {
      return await this.#send<Buffer>({ db: this.#db, path: `${pathOf(id)}/${name}`, signal })
    } catch (error) {
      if (isCouchError(error, 404)) return undefined
      throw error
    }
  }

  /** Writes an attachment, with a document around it where there is none. */
  putAttachment(
    id: string,
    name: string,
    bytes: Uint8Array,
    rev?: string,
  ): Promise<{ ok: true; rev: string }> {
    const qs = rev === undefined ? {} : { rev }
    return this.#send({ method: 'PUT', db: this.#db, path: `${pathOf(id)}/${name}`, qs, bytes })
  }

  allDocs(query: RangeQuery): Promise<{ rows: AllDocsRow[] }> {
    return this.#range('_all_docs', query)
  }

  /** Several ranges of `_all_docs` in one request. */
  async allDocsQueries(queries: RangeQuery[]): Promise<AllDocsRow[][]> {
    const request = { method: 'POST', db: this.#db, path: '_all_docs/queries', body: { queries } } as const
    const { results } = await this.#send<{ results: { rows: AllDocsRow[] }[] }>(request)
    return results.map(({ rows }) => rows)
  }

  view<Value>(design: string, view: string, query: RangeQuery): Promise<{ rows: ViewRow<Value>[] }> {
    return this.#range(`_design/${design}/_view/${view}`, query)
  }

  /** Several queries of one view in one request. */
  async viewQueries<Value>(design: string, view: string, queries: RangeQuery[]): Promise<ViewRow<Value>[][]> {
    const path = `_design/${design}/_view/${view}/queries`
    const request = { method: 'POST', db: this.#db, path, body: { queries } } as const
    const { results } = await this.#send<{ results: { rows: ViewRow<Value>[] }[] }>(request)
    return results.map(({ rows }) => rows)
  }

  /** Writes documents; with `newEdits: false` each keeps the revision it carries and only errors are answered. */
  bulkDocs(docs: readonly object[], { newEdits = true } = {}): Promise<WriteResult[]> {
    const body = newEdits ? { docs } : { docs, new_edits: false }
    return this.#send({ method: 'POST', db: this.#db, path: '_bulk_docs', body })
  }

  bulkGet(
    docs: { id: string; rev?: string }[],
    { revs = false } = {},
  ): Promise<{ results: BulkGetResult[] }> {
    return this.#send({
      method: 'POST',
      db: this.#db,
      path: '_bulk_get',
      qs: revs ? { revs: true } : {},
      body: { docs },
    })
  }

  revsDiff(revisions: Record<string, string[]>): Promise<RevsDiff> {
    return this.#send({ method: 'POST', db: this.#db, path: '_revs_diff', body: revisions })
  }

  changes(query: ChangesQuery, signal?: AbortSignal): Promise<Changes> {
    return this.#send({ db: this.#db, path: '_changes', qs: { ...query }, signal })
  }

  /**
   * Removes revisions as if they had never been, each with the branch behind it, so that not even a tombstone is left.
   * A real CouchDB takes it from administrators, 100 documents at a time; the embedded store has no such thing.
   */
  purge(revisions: Record<string, readonly string[]>): Promise<{ purged: Record<string, string[]> }> {
    return this.#send({ method: 'POST', db: this.#db, path: '_purge', body: revisions })
  }

  compact(): Promise<{ ok: true }> {
    return this.#send({ method: 'POST', db: this.#db, path: '_compact', body: {} })
  }

  /** Starts to compact the files of a design document's views; `design` without `_design/`. */
  compactViews(design: string): Promise<{ ok: true }> {
    return this.#send({ method: 'POST', db: this.#db, path: `_compact/${design}`, body: {} })
  }

  /** What a design document's views are doing. */
  async designInfo(design: string): Promise<{ compact_running: boolean }> {
    const request = { db: this.#db, path: `_design/${design}/_info` }
    return (await this.#send<{ view_index: { compact_running: boolean } }>(request)).view_index
  }

  /** Removes the files of views that no design document defines any more. */
  viewCleanup(): Promise<{ ok: true }> {
    return this.#send({ method: 'POST', db: this.#db, path: '_view_cleanup', body: {} })
  }

  #range<Answer>(path: string, { keys, ...query }: RangeQuery): Promise<Answer> {
    const qs: Record<string, unknown> = {}
    // nano writes startkey, endkey and key as JSON.
    for (const [name, value] of Object.entries(query)) if (value !== undefined) qs[name] = value
    return keys
      ? this.#send({ method: 'POST', db: this.#db, path, qs, body: { keys } })
      : this.#send({ db: this.#db, path, qs })
  }
}

function pathOf(id: string): string {
  return /^_(design|local)\//.test(id) ? id : encodeURIComponent(id)
}
