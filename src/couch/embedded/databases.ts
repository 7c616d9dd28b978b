import { EventEmitter } from 'node:events'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import PouchDB from 'pouchdb-node'
import type { PouchDatabase } from 'pouchdb-node'
import { CouchAnswer } from './answers.ts'

const NAME = /^[a-z][a-z0-9_$()+/-]*$/

/** One open database. */
export interface OpenDatabase {
  readonly name: string
  readonly pouch: PouchDatabase
  /** Emits `written` after every change, for whoever waits on the changes feed. */
  readonly events: EventEmitter
}

/**
 * The databases of one folder. PouchDB makes a database by merely naming it, so a list of the ones that exist is
 * kept beside them: that is what 404 and 412 are answered from.
 */
export class Databases {
  readonly #folder: string
  readonly #open = new Map<string, OpenDatabase>()

  constructor(folder: string) {
    this.#folder = folder
  }

  /** Opens every database in the list; throws what LevelDB says when another process holds one. */
  async open(): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 })
    for (const name of await this.#readList()) await this.#openOne(name)
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
  async create(name: string): Promise<void> {
    if (!NAME.test(name)) {
      const rules =
        `Name: '${name}'. Only lowercase characters (a-z), digits (0-9), and any of the characters ` +
        '_, $, (, ), +, -, and / are allowed. Must begin with a letter.'
      throw new CouchAnswer(400, 'illegal_database_name', rules)
    }
    if (this.#open.has(name)) {
      throw new CouchAnswer(412, 'file_exists', 'The database could not be created, the file already exists.')
    }
    await this.#openOne(name)
    await this.#writeList()
  }

  async remove(name: string): Promise<void> {
    const { pouch, events } = this.get(name)
    this.#open.delete(name)
    await this.#writeList()
    events.emit('written')
    await pouch.destroy()
  }

  async close(): Promise<void> {
    for (const { pouch, events } of this.#open.values()) {
      events.emit('written')
      await pouch.close()
    }
    this.#open.clear()
  }

  async #openOne(name: string): Promise<void> {
    const pouch = new PouchDB(join(this.#folder, encodeURIComponent(name)), { auto_compaction: false })
    await pouch.info()
    const events = new EventEmitter()
    events.setMaxListeners(0)
    this.#open.set(name, { name, pouch, events })
  }

  async #readList(): Promise<string[]> {
    try {
      return JSON.parse(await readFile(join(this.#folder, 'databases.json'), 'utf8')) as string[]
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
      throw error
    }
  }

  async #writeList(): Promise<void> {
    const file = join(this.#folder, 'databases.json')
    await writeFile(`${file}.new`, JSON.stringify(this.names()))
    await rename(`${file}.new`, file)
  }
}
