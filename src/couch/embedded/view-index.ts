import { orderedString } from './key-order.ts'
import { MapFunctions } from './map-functions.ts'
import type { Emitted, MapView } from './map-functions.ts'
import { OwnLevel, UnusableLevel } from './own-level.ts'
import type { Bounds, Cursor, Operation } from './own-level.ts'
import { readChanged } from './stored-documents.ts'
import type { ChangedDocument } from './stored-documents.ts'

/** The version of what is kept under the keys below. */
const FORMAT = 1
const HEAD = 'head'
/** `row` + view + ordered key + ordered document id + number: the row as JSON. */
const ROW = 'row'
/** `doc` + ordered document id: the document's rows, each as view + ordered key + number. */
const ROWS_OF = 'doc'
const VIEW_DIGITS = 3
const NUMBER_DIGITS = 6
/** Stands in no key. */
const SEPARATOR = '\uffff'
/** Documents between two turns of the event loop: some milliseconds of map functions. */
const BATCH = 100

/** Written with every batch, so that rows and sequence number are always of the same moment. */
interface Head {
  format: number
  /** Which database the rows are of. A deleted one may have left an index to its successor of the same name. */
  database: string
  /** The last change whose rows are in the index. */
  seq: number
  /** How many rows each view has. */
  rows: number[]
}

/** The database that an index is of. */
export interface IndexedDatabase {
  readonly path: string
  /** PouchDB's own id of it. */
  readonly id: string
  /** The newest change when the database was opened. An index that knows of later ones is ahead of a database that a
   * power cut has set back. */
  readonly newestAtStart: number
  /** How many writes have finished. */
  writes(): number
}

interface Mapped {
  id: string
  rows: Emitted[]
}

/** The rows of all map-only views of one design document, in one LevelDB, built in one pass over the changes. */
export class ViewIndex {
  readonly #database: IndexedDatabase
  readonly #level: OwnLevel
  readonly #functions: MapFunctions
  #head: Head
  /** How many writes had finished when the last build began; no build yet is -1. */
  #builtWrites = -1
  #building: Promise<void> | undefined

  private constructor(database: IndexedDatabase, level: OwnLevel, head: Head, functions: MapFunctions) {
    this.#database = database
    this.#level = level
    this.#functions = functions
    this.#head = head
  }

  /**
   * Opens the index at `location`. One that is not there, is damaged, or does not fit the database is made anew.
   *
   * @param onThrow called when a view's map function throws
   */
  static async open(
    database: IndexedDatabase,
    location: string,
    views: readonly MapView[],
    onThrow: (view: number, error: unknown) => void,
  ): Promise<ViewIndex> {
    const functions = new MapFunctions(views, onThrow)
    const level = await OwnLevel.open(location, false).catch(undefinedIfUnusable)
    const head = await level?.getMany([HEAD]).then(([text]) => parseHead(text), undefinedIfUnusable)
    if (level && head && fits(head, database, views.length)) {
      return new ViewIndex(database, level, head, functions)
    }
    await (level?.destroy() ?? OwnLevel.remove(location))
    const empty = { format: FORMAT, database: database.id, seq: 0, rows: views.map(() => 0) }
    return new ViewIndex(database, await OwnLevel.open(location, true), empty, functions)
  }

  /** The last change whose rows are in the index. */
  get seq(): number {
    return this.#head.seq
  }

  totalRows(view: number): number {
    return this.#head.rows[view] ?? 0
  }

  /**
   * Returns when everything that was written before the call is in the index. Callers at the same time share a build.
   *
   * @throws UnusableLevel, or what LevelDB says when it cannot write; the index stays as it was before the batch
   */
  async update(): Promise<void> {
    const wanted = this.#database.writes()
    while (this.#builtWrites < wanted) {
      this.#building ??= this.#build().finally(() => {
        this.#building = undefined
      })
      await this.#building
    }
  }

  /** Reads rows of a view as JSON, in its order or the reverse of it. `bounds` are relative to {@link rowKeys}. */
  rows(bounds: Bounds, order: { reverse: boolean; limit: number }): Cursor {
    return this.#level.cursor(bounds, order)
  }

  /** Takes the rows of documents that are gone off the disk too. */
  async compact(): Promise<void> {
    await this.update()
    await this.#level.compact()
  }

  async close(): Promise<void> {
    await this.#level.close()
    await this.#building?.catch(() => {})
  }

  async destroy(): Promise<void> {
    await this.close()
    await this.#level.destroy()
  }

  /** Reads and maps the next documents while the ones before are written. */
  async #build(): Promise<void> {
    const atWrites = this.#database.writes()
    let { seq } = this.#head
    let writing = Promise.resolve()
    for (let more = true; more;) {
      const changed = await readChanged(this.#database.path, seq, BATCH)
      more = changed.more
      const mapped = changed.documents.filter(isIndexed).map(({ id, body }) => ({
        id,
        rows: body ? this.#functions.run(body) : [],
      }))
      await writing
      if (changed.lastSeq === seq) break
      seq = changed.lastSeq
      writing = this.#write(mapped, seq)
      // Awaited in the next round, or below; a failure must not count as one that nobody handles until then.
      writing.catch(() => {})
    }
    await writing
    this.#builtWrites = atWrites
  }

  /** Replaces the rows of these documents, in one batch with the sequence number that is reached. */
  async #write(documents: readonly Mapped[], seq: number): Promise<void> {
    const ordered = documents.map(({ id }) => orderedString(id))
    const before = await this.#level.getMany(ordered.map((id) => ROWS_OF + id))
    const counts = [...this.#head.rows]
    const count = (view: number, change: number) => {
      counts[view] = (counts[view] ?? 0) + change
    }
    const operations: Operation[] = []
    for (const [index, { id, rows }] of documents.entries()) {
      const orderedId = ordered[index] ?? ''
      const idText = JSON.stringify(id)
      const places = new Set<string>()
      for (const [number, { view, ordered, key, value }] of rows.entries()) {
        const place = viewDigits(view) + ordered + numberDigits(number)
        const text = `{"id":${idText},"key":${key},"value":${value}}`
        places.add(place)
        operations.push({ type: 'put', key: rowKey(place, orderedId), value: text })
        count(view, 1)
      }
      const placesBefore = before[index]?.split(SEPARATOR) ?? []
      for (const place of placesBefore) {
        count(Number.parseInt(place.slice(0, VIEW_DIGITS), 36), -1)
        if (!places.has(place)) operations.push({ type: 'del', key: rowKey(place, orderedId) })
      }
      const key = ROWS_OF + orderedId
      if (places.size > 0) operations.push({ type: 'put', key, value: [...places].join(SEPARATOR) })
      else if (placesBefore.length > 0) operations.push({ type: 'del', key })
    }
    const head = { ...this.#head, seq, rows: counts }
    operations.push({ type: 'put', key: HEAD, value: JSON.stringify(head) })
    await this.#level.write(operations)
    this.#head = head
  }
}

/** What the keys of a view's rows begin with. An ordered key and an ordered document id follow, then a number. */
export function rowKeys(view: number): string {
  return ROW + viewDigits(view)
}

function rowKey(place: string, orderedId: string): string {
  return ROW + place.slice(0, -NUMBER_DIGITS) + orderedId + place.slice(-NUMBER_DIGITS)
}

function viewDigits(view: number): string {
  return view.toString(36).padStart(VIEW_DIGITS, '0')
}

function numberDigits(number: number): string {
  return number.toString(36).padStart(NUMBER_DIGITS, '0')
}

/** CouchDB shows design documents to no map function, unless one asks for it. */
function isIndexed({ id }: ChangedDocument): boolean {
  return !id.startsWith('_design/')
}

function fits(head: Partial<Head>, { id, newestAtStart }: IndexedDatabase, views: number): head is Head {
  const { format, database, seq, rows } = head
  const isWhole = format === FORMAT && Number.isSafeInteger(seq) && rows?.length === views
  return isWhole && database === id && Number(seq) <= newestAtStart
}

function parseHead(text: string | undefined): Partial<Head> {
  try {
    return (JSON.parse(text ?? '') ?? {}) as Partial<Head>
  } catch {
    return {}
  }
}

function undefinedIfUnusable(error: unknown): undefined {
  if (!(error instanceof UnusableLevel)) throw error
}
