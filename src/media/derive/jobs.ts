import { rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { SQLInputValue, StatementSync } from 'node:sqlite'
import { messageOf } from '../../errors.ts'
import type { MediaFile } from '../../ledger/media.ts'
import { logger } from '../../log.ts'
import type { KnownFile } from '../../project/media.ts'
import type { Sort } from './sorts.ts'

const log = logger('media')

/** Counts up when what is kept changes: a file of another version is made anew. */
const VERSION = 2
const BUSY_MS = 5000

const TABLES = `
  CREATE TABLE jobs (
    item TEXT NOT NULL, sha256 TEXT NOT NULL, sort TEXT NOT NULL, rank INTEGER NOT NULL, file TEXT NOT NULL,
    state TEXT NOT NULL, due INTEGER NOT NULL, changed INTEGER NOT NULL,
    crashes INTEGER NOT NULL DEFAULT 0, delays INTEGER NOT NULL DEFAULT 0,
    code TEXT, reason TEXT, made TEXT, document TEXT,
    PRIMARY KEY (item, sha256)
  ) WITHOUT ROWID;
  CREATE INDEX by_state ON jobs (state, rank, due);
  CREATE INDEX by_sha256 ON jobs (sha256);
  CREATE TABLE kept (job TEXT NOT NULL, sha256 TEXT NOT NULL, PRIMARY KEY (job, sha256)) WITHOUT ROWID;
  CREATE INDEX kept_by_sha256 ON kept (sha256);
`

export const JOB_STATES = ['working', 'waiting', 'failed', 'done'] as const
export type JobState = (typeof JOB_STATES)[number]
export type JobCounts = Record<JobState, number>

/** A file of an item of which something is made. */
export interface Job {
  id: string
  item: string
  sha256: string
  sort: Sort
  file: KnownFile
  state: JobState
  /** When it may be worked on, while it waits; milliseconds since 1970. */
  dueMs: number
  /** Since when it has been in this state. */
  changedMs: number
  /** How often the node ended while it worked on it. */
  crashes: number
  /** How often it could not be worked on for reasons that pass. */
  delays: number
  /** Why it failed, or waits for another try. */
  code?: string
  reason?: string
}

/** Pictures first: they are soon done, and every page has some. */
const RANKS: Readonly<Record<Sort, number>> = { picture: 0, sound: 1, film: 2 }

export function jobId(item: string, sha256: string): string {
  return `${item}:${sha256}`
}

/** What is to be made, is being made and was made here: a file of SQLite. What is lost of it is found again in the site. */
export class JobFile implements Disposable {
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()

  private constructor(database: DatabaseSync) {
    this.#database = database
  }

  /** Opens the file, or makes it; a damaged one is made anew. */
  static open(file: string): JobFile {
    try {
      return new JobFile(open(file))
    } catch (error) {
      log.warn('the list of what is to be made of files is begun anew', { reason: messageOf(error) })
      for (const ending of ['', '-wal', '-shm']) rmSync(file + ending, { force: true })
      return new JobFile(open(file))
    }
  }

  /** Opens the file of a node in another process, for nothing but reading. */
  static reading(file: string): JobFile {
    return new JobFile(new DatabaseSync(file, { readOnly: true, timeout: BUSY_MS }))
  }

  [Symbol.dispose](): void {
    this.#database.close()
  }

  /** What was being worked on when the node ended without saying so. */
  interrupted(): Job[] {
    return this.#all(`SELECT * FROM jobs WHERE state = 'working'`)
  }

  add(job: Pick<Job, 'item' | 'sha256' | 'sort' | 'file' | 'dueMs' | 'changedMs'>): void {
    this.#run(
      `INSERT OR IGNORE INTO jobs (item, sha256, sort, rank, file, state, due, changed) VALUES (?, ?, ?, ?, ?, 'waiting', ?, ?)`,
      job.item,
      job.sha256,
      job.sort,
      RANKS[job.sort],
      JSON.stringify(job.file),
      job.dueMs,
      job.changedMs,
    )
  }

  get(id: string): Job | undefined {
    const [item = '', sha256 = ''] = id.split(':')
    return this.#all('SELECT * FROM jobs WHERE item = ? AND sha256 = ?', item, sha256)[0]
  }

  ofItem(item: string): Job[] {
    return this.#all('SELECT * FROM jobs WHERE item = ?', item)
  }

  /** The next one that may be worked on now. */
  due(isPicture: boolean, nowMs: number): Job | undefined {
    const sql = `SELECT * FROM jobs WHERE state = 'waiting' AND due <= ? AND (rank = 0) = ? ORDER BY rank, due LIMIT 1`
    return this.#all(sql, nowMs, isPicture ? 1 : 0)[0]
  }

  /** When the next one may be. */
  nextDueMs(nowMs: number): number | undefined {
    const sql = `SELECT min(due) AS due FROM jobs WHERE state = 'waiting' AND due > ?`
    const due = this.#statement(sql).get(nowMs)?.due
    return due === null || due === undefined ? undefined : Number(due)
  }

  set(
    { item, sha256 }: Pick<Job, 'item' | 'sha256'>,
    to: Pick<Job, 'state' | 'changedMs'> &
      Partial<Pick<Job, 'dueMs' | 'crashes' | 'delays' | 'code' | 'reason'>>,
  ): void {
    this.#run(
      `UPDATE jobs SET state = ?, changed = ?, due = coalesce(?, due), crashes = coalesce(?, crashes),
        delays = coalesce(?, delays), code = ?, reason = ? WHERE item = ? AND sha256 = ?`,
      to.state,
      to.changedMs,
      to.dueMs ?? null,
      to.crashes ?? null,
      to.delays ?? null,
      to.code ?? null,
      to.reason ?? null,
      item,
      sha256,
    )
  }

  remove({ item, sha256 }: Pick<Job, 'item' | 'sha256'>): void {
    this.#run('DELETE FROM jobs WHERE item = ? AND sha256 = ?', item, sha256)
  }

  /** Nothing is made of such files here any more. */
  removeStreams(): void {
    this.#run(`DELETE FROM jobs WHERE rank > 0 AND state = 'waiting'`)
  }

  /** What was made is kept, and not yet told of in the ledger. */
  made({ item, sha256 }: Pick<Job, 'item' | 'sha256'>, files: readonly MediaFile[]): void {
    this.#run('UPDATE jobs SET made = ? WHERE item = ? AND sha256 = ?', JSON.stringify(files), item, sha256)
  }

  madeOf({ item, sha256 }: Pick<Job, 'item' | 'sha256'>): MediaFile[] | undefined {
    const row = this.#statement('SELECT made FROM jobs WHERE item = ? AND sha256 = ?').get(item, sha256)
    return typeof row?.made === 'string' ? (JSON.parse(row.made) as MediaFile[]) : undefined
  }

  /** A file was kept for a job, and no document of the ledger names it yet. */
  kept(id: string, sha256: string): void {
    this.#run('INSERT OR IGNORE INTO kept VALUES (?, ?)', id, sha256)
  }

  /** Whether a file was kept for any job and is not named yet. */
  isKept(sha256: string): boolean {
    return this.#statement('SELECT 1 FROM kept WHERE sha256 = ? LIMIT 1').get(sha256) !== undefined
  }

  /** Forgets the files that were kept for a job, and gives them. */
  takeKept(id: string): string[] {
    const rows = this.#statement('SELECT sha256 FROM kept WHERE job = ?').all(id)
    this.#run('DELETE FROM kept WHERE job = ?', id)
    return rows.map(({ sha256 }) => String(sha256))
  }

  /** The ids of jobs for which files were kept and that do not go on: they are off the list, or have failed. */
  leftBehind(): string[] {
    const sql = `SELECT DISTINCT job FROM kept WHERE job NOT IN
      (SELECT item || ':' || sha256 FROM jobs WHERE state IN ('working', 'waiting'))`
    return this.#statement(sql)
      .all()
      .map(({ job }) => String(job))
  }

  /** It stands in the ledger, in this document; or there was nothing to make. */
  done(
    { item, sha256 }: Pick<Job, 'item' | 'sha256'>,
    document: string | undefined,
    changedMs: number,
  ): void {
    this.#run(
      `UPDATE jobs SET state = 'done', changed = ?, made = NULL, document = ?, code = NULL, reason = NULL
        WHERE item = ? AND sha256 = ?`,
      changedMs,
      document ?? null,
      item,
      sha256,
    )
  }

  /** The ledger document that names what was made here of the same file for any item. */
  documentOf(sha256: string): string | undefined {
    const sql = 'SELECT document FROM jobs WHERE sha256 = ? AND document IS NOT NULL LIMIT 1'
    const row = this.#statement(sql).get(sha256)
    return row && String(row.document)
  }

  /** In these states, the latest change first. */
  list(states: readonly JobState[], limit: number): Job[] {
    const marks = states.map(() => '?').join()
    return this.#all(
      `SELECT * FROM jobs WHERE state IN (${marks}) ORDER BY changed DESC LIMIT ?`,
      ...states,
      limit,
    )
  }

  counts(): JobCounts {
    const counts: JobCounts = { working: 0, waiting: 0, failed: 0, done: 0 }
    const rows = this.#statement('SELECT state, count(*) AS count FROM jobs GROUP BY state').all()
    for (const { state, count } of rows) counts[state as JobState] = Number(count)
    return counts
  }

  #all(sql: string, ...values: SQLInputValue[]): Job[] {
    return this.#statement(sql)
      .all(...values)
      .map((row) => jobOf(row))
  }

  #run(sql: string, ...values: SQLInputValue[]): void {
    this.#statement(sql).run(...values)
  }

  #statement(sql: string): StatementSync {
    const statement = this.#statements.get(sql) ?? this.#database.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }
}

function jobOf(row: Record<string, unknown>): Job {
  const { item, sha256, code, reason } = row as Record<string, string | null>
  return {
    id: jobId(item ?? '', sha256 ?? ''),
    item: item ?? '',
    sha256: sha256 ?? '',
    sort: row.sort as Sort,
    file: JSON.parse(String(row.file)) as KnownFile,
    state: row.state as JobState,
    dueMs: Number(row.due),
    changedMs: Number(row.changed),
    crashes: Number(row.crashes),
    delays: Number(row.delays),
    ...(code === null || code === undefined ? {} : { code }),
    ...(reason === null || reason === undefined ? {} : { reason }),
  }
}

function open(file: string): DatabaseSync {
  const database = new DatabaseSync(file, { timeout: BUSY_MS })
  try {
    // A power cut may cost the newest changes: then something is made twice.
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON')
    const version = Number(database.prepare('PRAGMA user_version').get()?.user_version)
    const tables = Number(database.prepare('SELECT count(*) AS count FROM sqlite_master').get()?.count)
    if (tables === 0) database.exec(`BEGIN; ${TABLES} PRAGMA user_version = ${VERSION}; COMMIT`)
    else if (version !== VERSION) throw new Error(`it is of version ${version}, not ${VERSION}`)
    database.prepare('SELECT count(*) FROM jobs').get()
    return database
  } catch (error) {
    database.close()
    throw error
  }
}
