import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { SQLInputValue, StatementSync } from 'node:sqlite'
import { messageOf } from '../../errors.ts'
import { logger } from '../../log.ts'
import type { LookedAt } from './look.ts'
import { sortOf, totalRow, usageOf } from './usage.ts'
import type { Total, Usage } from './usage.ts'

const log = logger('files')

/** Counts up when what is kept changes: a book of another version is made anew. */
const VERSION = 1
const BUSY_MS = 5000
/** Another process writes: https://www.sqlite.org/rescode.html#busy */
const SQLITE_BUSY = 5

const TABLES = `
  CREATE TABLE files (
    sha256 TEXT PRIMARY KEY, bytes INTEGER NOT NULL, state TEXT NOT NULL, item TEXT, kind TEXT, sort TEXT,
    is_made INTEGER NOT NULL, orphan_since INTEGER, look INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX orphans ON files (sha256) WHERE orphan_since IS NOT NULL;
  CREATE TABLE totals (
    what TEXT NOT NULL, name TEXT NOT NULL, files INTEGER NOT NULL, bytes INTEGER NOT NULL, PRIMARY KEY (what, name)
  ) WITHOUT ROWID;
  CREATE TABLE items (item TEXT PRIMARY KEY, files INTEGER NOT NULL, bytes INTEGER NOT NULL) WITHOUT ROWID;
  CREATE INDEX largest ON items (bytes DESC, item);
  CREATE TABLE requests (
    id INTEGER PRIMARY KEY AUTOINCREMENT, what TEXT NOT NULL, given TEXT NOT NULL, answer TEXT, at INTEGER NOT NULL
  );
  CREATE TABLE leaving (sha256 TEXT PRIMARY KEY) WITHOUT ROWID;
  CREATE TABLE facts (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
`

/** What is made of a look when it is over: every question that a page has is then a few rows. */
const SUMS = `
  DELETE FROM totals;
  DELETE FROM items;
  INSERT INTO totals SELECT 'here', '', count(*), coalesce(sum(bytes), 0) FROM files WHERE state <> 'missing';
  INSERT INTO totals SELECT 'missing', '', count(*), coalesce(sum(bytes), 0) FROM files WHERE state <> 'whole';
  INSERT INTO totals SELECT 'orphans', '', count(*), coalesce(sum(bytes), 0) FROM files WHERE orphan_since IS NOT NULL;
  INSERT INTO totals SELECT 'made', CASE is_made WHEN 1 THEN 'made' ELSE 'given' END, count(*), sum(bytes) FROM files
    WHERE state <> 'missing' AND item IS NOT NULL GROUP BY is_made;
  INSERT INTO totals SELECT 'sort', sort, count(*), sum(bytes) FROM files
    WHERE state <> 'missing' AND sort IS NOT NULL GROUP BY sort;
  INSERT INTO totals SELECT 'kind', kind, count(*), sum(bytes) FROM files
    WHERE state <> 'missing' AND kind IS NOT NULL GROUP BY kind;
  INSERT INTO items SELECT item, count(*), sum(bytes) FROM files
    WHERE state <> 'missing' AND item IS NOT NULL GROUP BY item;
`

/** A file that no document names. */
export interface Orphan {
  sha256: string
  bytes: number
  /** Since when this node knows it to be one, in milliseconds since 1970. */
  sinceMs: number
}

/** What a command asks the running node for. */
export interface Request {
  id: number
  what: string
  given: unknown
  atMs: number
}

/** Where a node keeps what it knows of its files, in the data folder. */
export function bookFile(data: string): string {
  return join(data, 'media-book.sqlite')
}

/** What files used when the node of a data folder last looked; undefined where none has. */
export function readUsage(data: string): Usage | undefined {
  if (!existsSync(bookFile(data))) return undefined
  using book = FileBook.open(data)
  return book.usage()
}

/**
 * What a node remembers of its files: what the last look at all of them has shown, since when each orphan is one, and
 * which files are to go with an erasure that is under way. Commands in other processes read and write it beside the node.
 * A lost one costs the next look, and orphans their time.
 */
export class FileBook implements Disposable {
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()

  private constructor(database: DatabaseSync) {
    this.#database = database
  }

  /** One that is damaged or of another version is thrown away. */
  static open(data: string): FileBook {
    const file = bookFile(data)
    try {
      return new FileBook(open(file))
    } catch (error) {
      if ((error as { errcode?: number }).errcode === SQLITE_BUSY) throw error
      log.warn('what is known of files is found out anew', { reason: messageOf(error) })
      for (const ending of ['', '-wal', '-shm']) rmSync(file + ending, { force: true })
      return new FileBook(open(file))
    }
  }

  [Symbol.dispose](): void {
    this.#database.close()
  }

  /** Begins a look; gives its number. */
  beginLook(): number {
    this.#run(`INSERT INTO facts VALUES ('look', 1) ON CONFLICT (name) DO UPDATE SET value = value + 1`)
    return this.#fact('look') ?? 1
  }

  /** Takes in what a look has shown, some at a time. */
  note(look: number, seen: readonly (LookedAt & { isOrphan: boolean })[], nowMs: number): void {
    this.#transaction(() => {
      for (const { sha256, bytes, state, named, isOrphan } of seen)
        this.#run(
          `INSERT INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
           ON CONFLICT (sha256) DO UPDATE SET bytes = excluded.bytes, state = excluded.state, item = excluded.item,
             kind = excluded.kind, sort = excluded.sort, is_made = excluded.is_made, look = excluded.look,
             orphan_since = CASE WHEN excluded.orphan_since IS NULL THEN NULL
               ELSE coalesce(files.orphan_since, excluded.orphan_since) END`,
          sha256,
          bytes,
          state,
          named?.item ?? null,
          named?.kind ?? null,
          named ? sortOf(named.type) : null,
          named?.of === undefined ? 0 : 1,
          isOrphan ? nowMs : null,
          look,
        )
    })
  }

  /** Ends a look: what it has not seen is gone. */
  endLook(look: number, nowMs: number): void {
    this.#transaction(() => {
      this.#run('DELETE FROM files WHERE look < ?', look)
      this.#database.exec(SUMS)
      this.#run(
        `INSERT INTO facts VALUES ('at', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
        nowMs,
      )
    })
  }

  /** Undefined before the first look has ended. */
  usage(): Usage | undefined {
    const atMs = this.#fact('at')
    if (atMs === undefined) return undefined
    const rows = this.#all('SELECT what, name, files, bytes FROM totals ORDER BY bytes DESC, name')
    return usageOf(atMs, rows.map(totalRow))
  }

  /** The items whose files take up most, after one of them. */
  largestItems(limit: number, after?: { item: string; bytes: number }): (Total & { item: string })[] {
    const rows = this.#all(
      `SELECT item, files, bytes FROM items WHERE bytes < ? OR (bytes = ? AND item > ?)
       ORDER BY bytes DESC, item LIMIT ?`,
      after?.bytes ?? Number.MAX_SAFE_INTEGER,
      after?.bytes ?? -1,
      after?.item ?? '',
      limit,
    )
    return rows.map(({ item, files, bytes }) => ({
      item: String(item),
      files: Number(files),
      bytes: Number(bytes),
    }))
  }

  /** Orphans in the order of their digests, after one. */
  orphans(limit: number, { after = '', untilMs = Number.MAX_SAFE_INTEGER } = {}): Orphan[] {
    const rows = this.#all(
      `SELECT sha256, bytes, orphan_since FROM files
       WHERE orphan_since IS NOT NULL AND orphan_since <= ? AND sha256 > ? ORDER BY sha256 LIMIT ?`,
      untilMs,
      after,
      limit,
    )
    return rows.map(({ sha256, bytes, orphan_since: since }) => ({
      sha256: String(sha256),
      bytes: Number(bytes),
      sinceMs: Number(since),
    }))
  }

  /** Since when a file is an orphan, in milliseconds since 1970. */
  orphanSince(sha256: string): number | undefined {
    const row = this.#get('SELECT orphan_since FROM files WHERE sha256 = ?', sha256)
    return typeof row?.orphan_since === 'number' ? row.orphan_since : undefined
  }

  /** Something has happened to a file: if it is an orphan, it is one from now on. */
  touch(sha256: string, nowMs: number): void {
    this.#run(
      'UPDATE files SET orphan_since = ? WHERE sha256 = ? AND orphan_since IS NOT NULL',
      nowMs,
      sha256,
    )
  }

  /** Files that are gone from the store. */
  gone(digests: readonly string[]): void {
    this.#transaction(() => {
      for (const sha256 of digests) this.#run('DELETE FROM files WHERE sha256 = ?', sha256)
    })
  }

  /** Adds up anew, after files have gone. */
  sum(): void {
    this.#transaction(() => this.#database.exec(SUMS))
  }

  /** Remembers, beyond a power cut, that these files are to go unless something still names them. */
  leave(digests: Iterable<string>): void {
    this.#transaction(() => {
      for (const sha256 of digests) this.#run('INSERT OR IGNORE INTO leaving VALUES (?)', sha256)
    })
  }

  leaving(limit: number): string[] {
    return this.#all('SELECT sha256 FROM leaving ORDER BY sha256 LIMIT ?', limit).map(({ sha256 }) =>
      String(sha256),
    )
  }

  /** These have gone, or are named by something that stays. */
  left(digests: readonly string[]): void {
    this.#transaction(() => {
      for (const sha256 of digests) this.#run('DELETE FROM leaving WHERE sha256 = ?', sha256)
    })
  }

  /** Asks the running node for something; gives the request's number. */
  request(what: string, given: unknown, nowMs: number): number {
    this.#run('INSERT INTO requests (what, given, at) VALUES (?, ?, ?)', what, JSON.stringify(given), nowMs)
    return Number(this.#get('SELECT last_insert_rowid() AS id')?.id)
  }

  /** The oldest request that nobody has answered. */
  nextRequest(): Request | undefined {
    const row = this.#get('SELECT id, what, given, at FROM requests WHERE answer IS NULL ORDER BY id LIMIT 1')
    return (
      row && {
        id: Number(row.id),
        what: String(row.what),
        given: JSON.parse(String(row.given)),
        atMs: Number(row.at),
      }
    )
  }

  answer(id: number, answer: unknown): void {
    this.#run('UPDATE requests SET answer = ? WHERE id = ?', JSON.stringify(answer), id)
  }

  /** What the node has answered; undefined until it has. It is forgotten with that. */
  answered(id: number): unknown {
    const row = this.#get('SELECT answer FROM requests WHERE id = ?', id)
    if (typeof row?.answer !== 'string') return undefined
    this.withdraw(id)
    return JSON.parse(row.answer)
  }

  /** Says that somebody still waits for an answer. */
  stillWaiting(id: number, nowMs: number): void {
    this.#run('UPDATE requests SET at = ? WHERE id = ?', nowMs, id)
  }

  withdraw(id: number): void {
    this.#run('DELETE FROM requests WHERE id = ?', id)
  }

  #fact(name: string): number | undefined {
    const row = this.#get('SELECT value FROM facts WHERE name = ?', name)
    return row && Number(row.value)
  }

  #transaction(work: () => void): void {
    this.#database.exec('BEGIN IMMEDIATE')
    try {
      work()
      this.#database.exec('COMMIT')
    } catch (error) {
      this.#database.exec('ROLLBACK')
      throw error
    }
  }

  #get(sql: string, ...values: SQLInputValue[]) {
    return this.#prepared(sql).get(...values)
  }

  #all(sql: string, ...values: SQLInputValue[]) {
    return this.#prepared(sql).all(...values)
  }

  #run(sql: string, ...values: SQLInputValue[]): void {
    this.#prepared(sql).run(...values)
  }

  #prepared(sql: string): StatementSync {
    const statement = this.#statements.get(sql) ?? this.#database.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }
}

function open(file: string): DatabaseSync {
  const database = new DatabaseSync(file, { timeout: BUSY_MS })
  try {
    // What is to go with an erasure must not be forgotten by a power cut.
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
    const version = Number(database.prepare('PRAGMA user_version').get()?.user_version)
    const tables = Number(database.prepare('SELECT count(*) AS count FROM sqlite_master').get()?.count)
    if (tables === 0) database.exec(`BEGIN IMMEDIATE; ${TABLES} PRAGMA user_version = ${VERSION}; COMMIT`)
    else if (version !== VERSION) throw new Error(`it is of version ${version}, not ${VERSION}`)
    database.prepare('SELECT value FROM facts').all()
    return database
  } catch (error) {
    database.close()
    throw error
  }
}
