import { rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { messageOf } from '../../errors.ts'
import type { MediaFile } from '../../ledger/media.ts'
import { logger } from '../../log.ts'

const log = logger('media')

/**
 * Where an upload is: its bytes come in (in several requests), they are written anew, they wait as a blob for their form
 * to be sent, or they were refused.
 */
export type UploadState = 'coming' | 'working' | 'ready' | 'refused'

export interface UploadRow {
  id: string
  /** A keyed digest of what its form's address is: an address may hold the secret of an edit link. */
  form: string
  /** As the browser called it, without a path. */
  name: string
  state: UploadState
  /** Bytes that were sent, or are to come. */
  size: number
  /** Of one that is ready. */
  file?: MediaFile
  /** Of one that was refused: an error's code and message. */
  problem?: { code: string; message: string; status: number }
  /** Milliseconds since 1970. */
  madeMs: number
  /** Whether an item has it. */
  isUsed: boolean
}

const TABLES = `
  CREATE TABLE IF NOT EXISTS uploads (
    id TEXT PRIMARY KEY, form TEXT NOT NULL, name TEXT NOT NULL, state TEXT NOT NULL, size INTEGER NOT NULL,
    sha256 TEXT, file TEXT, problem TEXT, made_ms INTEGER NOT NULL, used INTEGER NOT NULL DEFAULT 0
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS by_digest ON uploads (sha256);
  CREATE INDEX IF NOT EXISTS by_time ON uploads (made_ms);
`

/**
 * What a node remembers of uploads until they expire, in a file of SQLite. Names of files may tell something of people,
 * so what is removed is overwritten.
 */
export class UploadRows implements Disposable {
  readonly #database: DatabaseSync

  private constructor(database: DatabaseSync) {
    this.#database = database
  }

  /** Opens the file; a damaged one is thrown away: whoever is filling in a form then has to send the files again. */
  static open(path: string): UploadRows {
    try {
      return new UploadRows(openFile(path))
    } catch (error) {
      log.warn('the list of uploads is damaged; it is made anew', { reason: messageOf(error) })
      for (const ending of ['', '-wal', '-shm']) rmSync(path + ending, { force: true })
      return new UploadRows(openFile(path))
    }
  }

  [Symbol.dispose](): void {
    this.#database.close()
  }

  add({ id, form, name, state, size, madeMs }: Omit<UploadRow, 'isUsed'>): void {
    this.#database
      .prepare('INSERT INTO uploads (id, form, name, state, size, made_ms) VALUES (?, ?, ?, ?, ?, ?)')
      .run(id, form, name, state, size, madeMs)
  }

  find(id: string): UploadRow | undefined {
    const row = this.#database.prepare('SELECT * FROM uploads WHERE id = ?').get(id)
    return row && read(row)
  }

  all(): UploadRow[] {
    return this.#database.prepare('SELECT * FROM uploads ORDER BY made_ms').all().map(read)
  }

  /** Those that were begun before a time. */
  before(timeMs: number): UploadRow[] {
    return this.#database.prepare('SELECT * FROM uploads WHERE made_ms < ?').all(timeMs).map(read)
  }

  working(id: string): void {
    this.#database.prepare("UPDATE uploads SET state = 'working' WHERE id = ?").run(id)
  }

  ready(id: string, file: MediaFile): void {
    this.#database
      .prepare("UPDATE uploads SET state = 'ready', sha256 = ?, file = ? WHERE id = ?")
      .run(file.sha256, JSON.stringify(file), id)
  }

  refused(id: string, problem: NonNullable<UploadRow['problem']>): void {
    this.#database
      .prepare("UPDATE uploads SET state = 'refused', sha256 = NULL, file = NULL, problem = ? WHERE id = ?")
      .run(JSON.stringify(problem), id)
  }

  used(id: string): void {
    this.#database.prepare('UPDATE uploads SET used = 1 WHERE id = ?').run(id)
  }

  remove(id: string): void {
    this.#database.prepare('DELETE FROM uploads WHERE id = ?').run(id)
  }

  /** Whether any upload is this file. */
  has(sha256: string): boolean {
    return this.#database.prepare('SELECT 1 FROM uploads WHERE sha256 = ? LIMIT 1').get(sha256) !== undefined
  }

  /** The ids of all that are this file. */
  withDigest(sha256: string): string[] {
    const rows = this.#database.prepare('SELECT id FROM uploads WHERE sha256 = ?').all(sha256)
    return rows.map(({ id }) => String(id))
  }

  /** Takes what was removed out of the file that it is written to first. */
  scrub(): void {
    this.#database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  }
}

function openFile(path: string): DatabaseSync {
  const database = new DatabaseSync(path)
  try {
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON')
    database.exec(TABLES)
    database.prepare('SELECT * FROM uploads LIMIT 1').all()
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

function read(row: Record<string, unknown>): UploadRow {
  const { id, form, name, state, size, file, problem, made_ms: madeMs, used } = row
  return {
    id: String(id),
    form: String(form),
    name: String(name),
    state: state as UploadState,
    size: Number(size),
    madeMs: Number(madeMs),
    isUsed: used === 1,
    ...(typeof file === 'string' ? { file: JSON.parse(file) as MediaFile } : {}),
    ...(typeof problem === 'string'
      ? { problem: JSON.parse(problem) as NonNullable<UploadRow['problem']> }
      : {}),
  }
}
