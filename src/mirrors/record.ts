import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { StatementSync } from 'node:sqlite'
import type { ProducedFile } from '../produce/produced-site.ts'

const BUSY_MS = 5000

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS files (path TEXT PRIMARY KEY, shard TEXT, sha256 TEXT, bytes INTEGER) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS files_by_shard ON files (shard);
  CREATE TABLE IF NOT EXISTS gone (shard TEXT PRIMARY KEY) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS stale (shard TEXT PRIMARY KEY) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
`

/** What is kept about a mirror beside its files. */
export interface MirrorFacts {
  /** What the manifest's head at the target is called; without it nothing was ever sent. */
  id?: string
  /** How many digits tell the parts of the manifest apart. */
  digits?: number
  /** Parts told apart by so many digits are still to be removed. */
  oldDigits?: number
  state?: 'idle' | 'active' | 'backing-off' | 'stopped'
  /** Files that the target does not have as they are. */
  behind?: number
  /** ISO 8601. */
  lastSuccess?: string
  lastError?: string
  nextRetry?: string
  /** How many files cannot be sent, and why one of them. */
  refused?: number
  refusal?: string
}

/** Facts to keep; one that is undefined is to be taken away. */
export type ChangedFacts = { [Name in keyof MirrorFacts]: MirrorFacts[Name] | undefined }

/** What stands for a path where it is not to be written down; parts of the manifest are told apart by its beginning. */
function pathHash(path: string): string {
  return createHash('sha256').update(path).digest('hex')
}

/** Where what is known of a mirror is kept, in the data folder. */
export function mirrorFolder(data: string, name: string): string {
  return join(data, 'mirrors', name)
}

/**
 * What a target is known to have: a row of SQLite for each file, so that a change costs the same whatever the size of
 * the site, and so that commands in other processes can read it beside the node. A file whose hash is empty is there
 * perhaps, in part or in another version: it is written down before anything is sent.
 */
export class MirrorRecord implements Disposable {
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()

  private constructor(database: DatabaseSync) {
    this.#database = database
  }

  static open(data: string, name: string): MirrorRecord {
    const folder = mirrorFolder(data, name)
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const database = new DatabaseSync(join(folder, 'record.sqlite'), { timeout: BUSY_MS })
    // An intention that a power cut takes back would leave a file at the target of which nobody knows.
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON')
    database.exec(SCHEMA)
    return new MirrorRecord(database)
  }

  get(path: string): ProducedFile | undefined {
    const row = this.#database.prepare('SELECT sha256, bytes FROM files WHERE path = ?').get(path)
    return row && { sha256: String(row.sha256), bytes: Number(row.bytes) }
  }

  /** All files, those with an empty hash among them. */
  *all(): Iterable<[path: string, file: ProducedFile]> {
    yield* this.#rows('SELECT path, sha256, bytes FROM files')
  }

  /** Files of one part of the manifest, which is named by digits that the hashes of their paths begin with; sorted. */
  inShard(prefix: string): [path: string, file: ProducedFile][] {
    const sql = `SELECT path, sha256, bytes FROM files WHERE shard >= ? AND shard < ? AND sha256 <> '' ORDER BY path`
    return [...this.#rows(sql, prefix, `${prefix}g`)]
  }

  *#rows(sql: string, ...values: string[]): Iterable<[string, ProducedFile]> {
    for (const { path, sha256, bytes } of this.#database.prepare(sql).iterate(...values))
      yield [String(path), { sha256: String(sha256), bytes: Number(bytes) }]
  }

  count(): number {
    return Number(this.#database.prepare('SELECT count(*) AS count FROM files').get()?.count ?? 0)
  }

  /** Files are about to be sent: from here on nothing is known about them. */
  sending(paths: Iterable<string>): void {
    this.#write(() => {
      for (const path of paths) this.#set(path, { sha256: '', bytes: 0 })
    })
  }

  /** Files are there. */
  sent(files: Iterable<[path: string, file: ProducedFile]>): void {
    this.#write(() => {
      for (const [path, file] of files) this.#set(path, file)
    })
  }

  /** Files are there no more. */
  removed(paths: Iterable<string>): void {
    this.#write(() => {
      for (const path of paths) {
        const shard = pathHash(path)
        this.#run('DELETE FROM files WHERE path = ?', path)
        this.#run('INSERT OR IGNORE INTO gone VALUES (?)', shard)
        this.#run('INSERT OR IGNORE INTO stale VALUES (?)', shard)
      }
    })
  }

  /** Whether a file of this name was sent once and then removed. */
  isGone(path: string): boolean {
    return this.#database.prepare('SELECT 1 FROM gone WHERE shard = ?').get(pathHash(path)) !== undefined
  }

  /** The target is another one, or was emptied: of no file is anything known. */
  forget(id: string): void {
    this.#write(() => {
      this.#run(`UPDATE files SET sha256 = '', bytes = 0`)
      this.#run('INSERT OR IGNORE INTO stale SELECT shard FROM files')
    })
    this.note({ id })
  }

  /** The parts of the manifest that differ from the one at the target, with so many digits each. */
  stale(digits: number): string[] {
    const rows = this.#database
      .prepare('SELECT DISTINCT substr(shard, 1, ?) AS part FROM stale ORDER BY part')
      .all(digits)
    return rows.map(({ part }) => String(part))
  }

  /** These parts have to be written again. */
  markStale(parts: Iterable<string>): void {
    this.#write(() => {
      for (const part of parts) this.#run('INSERT OR IGNORE INTO stale VALUES (?)', part.padEnd(64, '0'))
    })
  }

  /** The manifest at the target is this one. */
  manifestWritten(): void {
    this.#run('DELETE FROM stale')
  }

  facts(): MirrorFacts {
    const rows = this.#database.prepare('SELECT name, value FROM facts').all()
    return Object.fromEntries(rows.map(({ name, value }) => [String(name), JSON.parse(String(value))]))
  }

  /** Keeps facts; one that is undefined is taken away. */
  note(facts: ChangedFacts): void {
    this.#write(() => {
      for (const [name, value] of Object.entries(facts)) {
        if (value === undefined) this.#run('DELETE FROM facts WHERE name = ?', name)
        else this.#run('INSERT OR REPLACE INTO facts VALUES (?, ?)', name, JSON.stringify(value))
      }
    })
  }

  [Symbol.dispose](): void {
    this.#database.close()
  }

  #set(path: string, { sha256, bytes }: ProducedFile): void {
    const shard = pathHash(path)
    this.#run('INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?)', path, shard, sha256, bytes)
    this.#run('DELETE FROM gone WHERE shard = ?', shard)
    this.#run('INSERT OR IGNORE INTO stale VALUES (?)', shard)
  }

  #run(sql: string, ...values: (string | number)[]): void {
    const statement = this.#statements.get(sql) ?? this.#database.prepare(sql)
    this.#statements.set(sql, statement)
    statement.run(...values)
  }

  #write(changes: () => void): void {
    this.#database.exec('BEGIN IMMEDIATE')
    try {
      changes()
      this.#database.exec('COMMIT')
    } catch (error) {
      this.#database.exec('ROLLBACK')
      throw error
    }
  }
}
