import type { Database, RangeQuery, StoredDocument, ViewRow } from '../couch/database.ts'
import { GatheredReads } from '../couch/gathered-reads.ts'
import { noteDayOnly, noteDocuments } from '../reads.ts'
import type { DocumentPart, RowPart } from '../shown.ts'
import { noteRows } from './note-rows.ts'

/** Reads the site database and notes what was read, for whoever keeps what is made of it. */
export class NotedReads {
  readonly #reads: Pick<GatheredReads, 'get' | 'several' | 'rows'>
  readonly #design: () => string

  /** @param design gives the name of the design document in force, without `_design/` */
  constructor(database: Database, design: () => string, reads = new GatheredReads(database)) {
    this.#reads = reads
    this.#design = design
  }

  /** A document by its id, or undefined when there is none. */
  async get(id: string, part?: DocumentPart): Promise<StoredDocument | undefined> {
    noteDocuments([id], part)
    const document = await this.#reads.get(id)
    if (isDayOnly(document?.listing)) noteDayOnly()
    return document
  }

  /** Documents by their ids, in their order. */
  async several(ids: readonly string[], part?: DocumentPart): Promise<(StoredDocument | undefined)[]> {
    noteDocuments(ids, part)
    const documents = await this.#reads.several(ids)
    if (documents.some((document) => isDayOnly(document?.listing))) noteDayOnly()
    return documents
  }

  /** Rows of a view of the design document in force. */
  async rows<Value>(view: string, query: RangeQuery, part?: RowPart): Promise<readonly ViewRow<Value>[]> {
    const rows = await this.#reads.rows<Value>(this.#design(), view, query)
    noteRows(view, query, rows, part)
    if (rows.some(({ value }) => isDayOnly(value))) noteDayOnly()
    return rows
  }

  /** Rows of several ranges of a view, in the order of the queries. */
  queries<Value>(
    view: string,
    queries: RangeQuery[],
    parts: readonly (RowPart | undefined)[] = [],
  ): Promise<(readonly ViewRow<Value>[])[]> {
    return Promise.all(queries.map((query, index) => this.rows<Value>(view, query, parts[index])))
  }
}

/** Whether a listing's entry is of something of which the day alone is told. */
function isDayOnly(entry: unknown): boolean {
  return (entry as { dayOnly?: unknown } | null | undefined)?.dayOnly === true
}
