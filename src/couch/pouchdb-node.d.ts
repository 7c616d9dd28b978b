/**
 * The part of PouchDB 9 that this program uses. The published types declare a global `Buffer` of their own, which
 * clashes with Node's.
 */
declare module 'pouchdb-node' {
  export interface PouchDocument {
    _id: string
    _rev: string
    _deleted?: boolean
    _revisions?: { start: number; ids: string[] }
    [field: string]: unknown
  }

  export interface PouchRow {
    key: string
    id?: string
    value?: { rev: string; deleted?: boolean }
    doc?: PouchDocument | null
    error?: string
  }

  export interface PouchWriteResult {
    ok?: boolean
    id?: string
    rev?: string
    error?: boolean | string
    status?: number
    name?: string
    reason?: string
    message?: string
  }

  export interface PouchDatabase {
    /** For a database on disk, its path. */
    readonly name: string
    /** Random, made with the database. */
    id(): Promise<string>
    info(): Promise<{ doc_count: number; update_seq: number | string }>
    get(id: string, options?: object): Promise<PouchDocument>
    put(document: object, options?: object): Promise<PouchWriteResult>
    post(document: object): Promise<PouchWriteResult>
    remove(id: string, rev: string): Promise<PouchWriteResult>
    bulkDocs(documents: object[], options?: { new_edits?: boolean }): Promise<PouchWriteResult[]>
    allDocs(options: object): Promise<{ total_rows: number; offset: number; rows: PouchRow[] }>
    changes(options: object): Promise<{ results: object[]; last_seq: number | string }>
    query(
      view: string,
      options: object,
    ): Promise<{ total_rows: number; offset: number; rows: { id: string; key: unknown; value: unknown }[] }>
    /** Assigned to where replication is to read otherwise. */
    bulkGet: (options: { docs: { id: string; rev: string }[] }) => Promise<{ results: object[] }>
    revsDiff(revisions: Record<string, string[]>): Promise<Record<string, object>>
    compact(): Promise<object>
    viewCleanup(): Promise<object>
    close(): Promise<void>
    destroy(): Promise<void>
  }

  /** A running replication: an emitter, and a promise that rejects when it fails. */
  export interface PouchReplication extends PromiseLike<object> {
    on(event: string, handler: (value: never) => void): PouchReplication
    cancel(): void
    catch(handler: (error: unknown) => void): Promise<unknown>
  }

  const PouchDB: {
    new (name: string, options?: object): PouchDatabase
    replicate(source: PouchDatabase, target: PouchDatabase, options: object): PouchReplication
  }
  export default PouchDB
}
