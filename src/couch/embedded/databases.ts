import { EventEmitter } from 'node:events'
import { join } from 'node:path'
import PouchDB from 'pouchdb-node'
import type { PouchDatabase } from 'pouchdb-node'
import { messageOf } from '../../errors.ts'
import { logger } from '../../log.ts'
import { CouchAnswer } from './answers.ts'
import { claimFolder, databasePath, folderSize, removeLeftovers } from './folder.ts'
import { compactFiles, rememberingLeveldown } from './level.ts'
import { countKeys } from './stored-documents.ts'
import { ViewIndexes } from './view-indexes.ts'

const log = logger('store')
// Each database listens on PouchDB, and each view is a database.
;(PouchDB as unknown as EventEmitter).setMaxListeners(0)

const NAME = /^[a-z][a-z0-9_$()+/-]*$/
/** With what views add to it, a database's name is the name of a folder. */
const LONGEST_NAME = 180
const MOST_REASONS = 100

/** One open database. */
export interface OpenDatabase {
  readonly name: string
  readonly pouch: PouchDatabase
  /** Emits `written` after every change, for whoever waits on the changes feed. */
  readonly events: EventEmitter
  /** Aborted when the database is deleted or closed. */
  readonly closing: AbortController
  /** Compactions that run; closing waits for them. */
  readonly compactions: Set<Promise<void>>
  /** Counts writes, so that an index is known to be up to date without a look at the changes. */
  writes: number
  /** The indexes of its views. */
  readonly indexes: ViewIndexes
  /** How many documents are deleted; undefined when that has to be counted. */
  deleted: number | undefined
}

/** To be called after documents were written: wakes who waits for changes. */
export function markWritten(database: OpenDatabase, documents: readonly unknown[]): void {
  // Where nothing is deleted, only a deletion changes that.
  const deletes = documents.some((document) => (document as { _deleted?: unknown } | null)?._deleted)
  if (deletes || database.deleted !== 0) database.deleted = undefined
  database.writes += 1
  if (documents.some(mayBeDesign)) database.indexes.forgetDesigns()
  database.events.emit('written')
}

function mayBeDesign(document: unknown): boolean {
  const id = (document as { _id?: unknown } | null)?._id
  return typeof id !== 'string' || id.startsWith('_design/')
}

/**
 * The databases of one folder. PouchDB makes a database by merely naming it, so the list of those that exist is kept
 * in one of its own, `_dbs`: 404 and 412 are answered from it, and its LOCK keeps a second process out.
 */
export class Databases {
  readonly #folder: string
  readonly #open = new Map<string, OpenDatabase>()
  #list: PouchDatabase | undefined
  #turn: Promise<unknown> = Promise.resolve()

  constructor(folder: string) {
    this.#folder = folder
  }

  /** Opens every database in the list; throws a FolderError, or what LevelDB says when another process holds it. */
  async open(): Promise<void> {
    await claimFolder(this.#folder)
    this.#list = openPouch(join(this.#folder, '_dbs'))
    const { rows } = await this.#list.allDocs({})
    const names = rows.map(({ key }) => key)
    await removeLeftovers(this.#folder, names)
    for (const name of names) await this.#openOne(name)
  }

  names(): string[] {
    return [...this.#open.keys()].sort()
  }

  /** @throws CouchAnswer 404 */
  get(name: string): OpenDatabase {
    const database = this.#open.get(name)
    if (!database) throw new CouchAnswer(404, 'not_found', 'Database does not exist.')
    return database
  }

  /** @throws CouchAnswer 400 or 412 */
  create(name: string): Promise<void> {
    checkName(name)
    return this.#inTurn(async () => {
      if (this.#open.has(name)) {
        const reason = 'The database could not be created, the file already exists.'
        throw new CouchAnswer(412, 'file_exists', reason)
      }
      await this.#openOne(name)
      await this.#list?.put({ _id: name })
    })
  }

  /** @throws CouchAnswer 404 */
  remove(name: string): Promise<void> {
    return this.#inTurn(async () => {
      const { pouch, closing, compactions, indexes } = this.get(name)
      this.#open.delete(name)
      closing.abort()
      await Promise.all(compactions)
      const entry = await this.#list?.get(name)
      if (entry) await this.#list?.remove(name, entry._rev)
      await indexes.destroy()
      await pouch.destroy()
    })
  }

  /** What `GET /{db}` answers. */
  async info(name: string): Promise<object> {
    const database = this.get(name)
    const path = databasePath(this.#folder, name)
    const { doc_count, update_seq } = await database.pouch.info()
    let { deleted } = database
    if (deleted === undefined) {
      deleted = Math.max((await countKeys(path)) - doc_count, 0)
      if ((await database.pouch.info()).update_seq === update_seq) database.deleted = deleted
    }
    return {
      db_name: name,
      doc_count,
      doc_del_count: deleted,
      update_seq: Number(update_seq),
      purge_seq: 0,
      sizes: { file: await folderSize(path) },
      props: {},
      compact_running: database.compactions.size > 0,
      disk_format_version: 8,
      instance_start_time: '0',
    }
  }

  /**
   * Starts to remove the bodies of old revisions and their bytes from the files, the views' too; errors are logged. What
   * a view with a reduce function emitted for a removed document stays until the view goes: PouchDB leaves it there.
   */
  compact(name: string): void {
    const { compactions } = this.get(name)
    const running = compact(this.get(name))
      .catch((error: unknown) =>
        log.warn('a compaction failed', { database: name, reason: messageOf(error) }),
      )
      .finally(() => compactions.delete(running))
    compactions.add(running)
  }

  /** Resolves, to true, when every database has taken a write, so when none of them waits for ever. */
  async probe(): Promise<true> {
    const probes = [...this.#open.values()].map(({ pouch }) => pouch.put({ _id: '_local/probe' }))
    // A conflict is an answer too.
    await Promise.allSettled(probes)
    return true
  }

  async close(): Promise<void> {
    const open = [...this.#open.values()]
    this.#open.clear()
    for (const { closing } of open) closing.abort()
    await Promise.allSettled(open.flatMap(({ compactions }) => [...compactions]))
    await Promise.allSettled(open.map(({ indexes }) => indexes.close()))
    await Promise.allSettled(open.map(({ pouch }) => pouch.close()))
    await this.#list?.close()
  }

  async #openOne(name: string): Promise<void> {
    const pouch = openPouch(databasePath(this.#folder, name))
    await pouch.info()
    // PouchDB would print the document that a map function stumbles over. One line per reason is enough.
    const told = new Set<string>()
    const emitter = pouch as unknown as EventEmitter
    // Every reading of changes listens while it runs.
    emitter.setMaxListeners(0)
    emitter.on('error', (error) => {
      const reason = messageOf(error)
      if (told.has(reason) || told.size >= MOST_REASONS) return
      told.add(reason)
      log.warn('a map or reduce function threw', { database: name, reason })
    })
    const events = new EventEmitter()
    events.setMaxListeners(0)
    const database: OpenDatabase = {
      name,
      pouch,
      events,
      closing: new AbortController(),
      compactions: new Set(),
      writes: 0,
      indexes: await ViewIndexes.open(pouch, name, () => database.writes),
      deleted: undefined,
    }
    this.#open.set(name, database)
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#turn.then(work)
    this.#turn = result.catch(() => {})
    return result
  }
}

async function compact({ pouch, indexes }: OpenDatabase): Promise<void> {
  await pouch.compact()
  await compactFiles(pouch.name)
  await indexes.compact()
}

function openPouch(path: string): PouchDatabase {
  return new PouchDB(path, { auto_compaction: false, db: rememberingLeveldown })
}

function checkName(name: string): void {
  if (!NAME.test(name)) {
    const rules =
      `Name: '${name}'. Only lowercase characters (a-z), digits (0-9), and any of the characters ` +
      '_, $, (, ), +, -, and / are allowed. Must begin with a letter.'
    throw new CouchAnswer(400, 'illegal_database_name', rules)
  }
  if (encodeURIComponent(name).length > LONGEST_NAME) {
    throw new CouchAnswer(
      400,
      'database_name_too_long',
      `At least one path segment of \`${name}\` is too long.`,
    )
  }
}
