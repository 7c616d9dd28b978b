import type { DatabaseSync } from 'node:sqlite'
import { setImmediate as breathe } from 'node:timers/promises'
import { Sql, toBytes, toText } from './sql.ts'
import type { Row } from './sql.ts'

export const DAY_MS = 86_400_000

/** In which order files are fetched: what was made of pictures, pictures, everything else; each newest first. */
export const CLASSES = { made: 0, picture: 1, other: 2 } as const

/** A file that items name. */
export interface NamedFile {
  sha256: string
  bytes: number
  /** The time of the newest item that names it, in milliseconds since 1970. */
  atMs: number
  class: number
}

/** What this node knows of such a file. */
export interface FileState extends NamedFile {
  /** The day on which a reader last got it, counted from 1970; 0 for never. No more is remembered of readers. */
  readDay: number
  held: boolean
  failures: number
}

/** A file that is not on as many nodes as it is to be. */
export interface Lacking {
  sha256: string
  bytes: number
  /** How many nodes hold it, and under how many laws, as far as is known here. */
  holders: number
  jurisdictions: number
  /** Why it could not be fetched last. */
  problem?: string
}

/** How many files there are, and what they take. */
export interface FileCounts {
  files: number
  bytes: number
  held: number
  heldBytes: number
  lacking: number
}

/** The first file that does not fit. */
export interface Fit {
  used: number
  sha256: string
}

const SLICE = 2000
/** Comes behind all digests. */
const LAST = new Uint8Array(33).fill(255)

/** The files that items name, with when each is to be looked at next. It can be made anew from the site database. */
export class Files {
  readonly #sql: Sql
  #count: number | undefined

  constructor(database: DatabaseSync) {
    this.#sql = new Sql(database)
  }

  /** Takes up files that are named; those that are new, or of a newer item, are looked at next. */
  name(files: readonly NamedFile[], nowMs: number): void {
    if (files.length === 0) return
    this.#count = undefined
    const sql = `INSERT INTO files (sha256, bytes, atMs, class, dueMs) VALUES (?, ?, ?, ?, ?)
      ON CONFLICT (sha256) DO UPDATE SET atMs = max(atMs, excluded.atMs), class = min(class, excluded.class),
        dueMs = excluded.dueMs WHERE excluded.atMs > atMs OR excluded.class < class`
    this.#sql.transaction(() => {
      for (const file of files)
        this.#sql.run(sql, toBytes(file.sha256), file.bytes, Math.floor(file.atMs), file.class, nowMs)
    })
  }

  /** Gives whether it was known. */
  remove(sha256: string): boolean {
    this.#count = undefined
    return this.#sql.run('DELETE FROM files WHERE sha256 = ?', toBytes(sha256)) > 0
  }

  get(sha256: string): FileState | undefined {
    const row = this.#sql.get('SELECT * FROM files WHERE sha256 = ?', toBytes(sha256))
    return row && fileState(row)
  }

  get count(): number {
    return (this.#count ??= Number(this.#sql.get('SELECT count(*) AS count FROM files')?.count))
  }

  counts(): FileCounts {
    const all = this.#sql.get(
      'SELECT count(*) AS files, sum(bytes) AS bytes, sum(held) AS held, sum(held * bytes) AS heldBytes FROM files',
    )
    const lacking = this.#sql.get('SELECT count(*) AS count FROM files WHERE lacking = 1')?.count
    return {
      files: Number(all?.files),
      bytes: Number(all?.bytes ?? 0),
      held: Number(all?.held ?? 0),
      heldBytes: Number(all?.heldBytes ?? 0),
      lacking: Number(lacking),
    }
  }

  /** What is to be looked at by now, in the order in which files are fetched. */
  due(nowMs: number, limit: number): FileState[] {
    const sql = 'SELECT * FROM files WHERE dueMs IS NOT NULL AND dueMs <= ? ORDER BY class, atMs DESC LIMIT ?'
    return this.#sql.all(sql, nowMs, limit).map(fileState)
  }

  /** When the next one is to be looked at. */
  nextDueMs(): number | undefined {
    const next = this.#sql.get('SELECT min(dueMs) AS next FROM files WHERE dueMs IS NOT NULL')?.next
    return next === null || next === undefined ? undefined : Number(next)
  }

  /** Has files looked at, those of them that are known; undefined for when something happens. */
  setDue(digests: readonly string[], dueMs: number | undefined): void {
    const sql = 'UPDATE files SET dueMs = ? WHERE sha256 = ?'
    this.#sql.transaction(() => {
      for (const sha256 of digests) this.#sql.run(sql, dueMs ?? null, toBytes(sha256))
    })
  }

  /** Has all files looked at, or those that are not here, a slice at a time, so that nobody else waits. */
  async setAllDue(nowMs: number, { missingOnly = false } = {}): Promise<void> {
    const sql = `UPDATE files SET dueMs = ? WHERE sha256 > ? AND sha256 <= ?
      AND (dueMs IS NULL OR dueMs > ?) AND held <= ?`
    for (let after = new Uint8Array(); ;) {
      const next = 'SELECT sha256 FROM files WHERE sha256 > ? ORDER BY sha256 LIMIT 1 OFFSET ?'
      const last = this.#sql.get(next, after, SLICE)?.sha256 as Uint8Array<ArrayBuffer> | undefined
      this.#sql.run(sql, nowMs, after, last ?? LAST, nowMs, missingOnly ? 0 : 1)
      if (!last) return
      after = last
      await breathe()
    }
  }

  /** Digests in their order, after one. */
  list(after: string, limit: number): string[] {
    const sql = 'SELECT sha256 FROM files WHERE sha256 > ? ORDER BY sha256 LIMIT ?'
    return this.#sql.all(sql, toBytes(after), limit).map(({ sha256 }) => toText(sha256))
  }

  setHeld(sha256: string, held: boolean): void {
    this.#sql.run('UPDATE files SET held = ? WHERE sha256 = ?', held ? 1 : 0, toBytes(sha256))
  }

  /** Notes how many hold a file, and whether these are enough. */
  setHolders(
    sha256: string,
    { holders, laws, isEnough }: { holders: number; laws: number; isEnough: boolean },
  ): void {
    const sql = 'UPDATE files SET holders = ?, laws = ?, lacking = ? WHERE sha256 = ?'
    this.#sql.run(sql, holders, laws, isEnough ? 0 : 1, toBytes(sha256))
  }

  /** Notes that a file could not be fetched, or, without a problem, that it was. */
  setProblem(sha256: string, problem: string | undefined): void {
    const sql =
      'UPDATE files SET failures = CASE WHEN ?1 IS NULL THEN 0 ELSE failures + 1 END, problem = ?1 WHERE sha256 = ?2'
    this.#sql.run(sql, problem ?? null, toBytes(sha256))
  }

  /** Notes that a reader got a file on a day. */
  setRead(digests: Iterable<string>, day: number): void {
    this.#sql.transaction(() => {
      for (const sha256 of digests)
        this.#sql.run(
          'UPDATE files SET readDay = ? WHERE sha256 = ? AND readDay < ?',
          day,
          toBytes(sha256),
          day,
        )
    })
  }

  /**
   * From where on files do not fit into so many bytes, when the most recently used ones come first; undefined when all do.
   * A file's use is the day it was read on, or its item's time, whichever is later.
   */
  usedFit(bytes: number): Fit | undefined {
    return this.#fit(`SELECT max(atMs, readDay * ${DAY_MS}) AS used, sha256, bytes FROM files`, bytes)
  }

  /** The same among those that readers have asked for, by the day. */
  readFit(bytes: number): Fit | undefined {
    return this.#fit('SELECT readDay AS used, sha256, bytes FROM files WHERE readDay > 0', bytes)
  }

  /** Has files looked at that are here and do not fit, unless that is going to happen. */
  setBeyondDue({ used, sha256 }: Fit, by: 'used' | 'read', nowMs: number): void {
    const place = by === 'used' ? `max(atMs, readDay * ${DAY_MS})` : 'readDay'
    const sql = `UPDATE files SET dueMs = ?1 WHERE held = 1 AND dueMs IS NULL
      AND (${place} < ?2 OR (${place} = ?2 AND sha256 >= ?3)) AND readDay >= ?4`
    this.#sql.run(sql, nowMs, used, toBytes(sha256), by === 'read' ? 1 : 0)
  }

  #fit(used: string, bytes: number): Fit | undefined {
    const sql = `SELECT used, sha256 FROM (
        SELECT used, sha256, sum(bytes) OVER (ORDER BY used DESC, sha256 ROWS UNBOUNDED PRECEDING) AS total FROM (${used})
      ) WHERE total > ? ORDER BY used DESC, sha256 LIMIT 1`
    const row = this.#sql.get(sql, bytes)
    return row && { used: Number(row.used), sha256: toText(row.sha256) }
  }

  lacking(limit: number, after = ''): Lacking[] {
    const sql = 'SELECT * FROM files WHERE lacking = 1 AND sha256 > ? ORDER BY sha256 LIMIT ?'
    return this.#sql.all(sql, toBytes(after), limit).map((row) => ({
      sha256: toText(row.sha256),
      bytes: Number(row.bytes),
      holders: Number(row.holders),
      jurisdictions: Number(row.laws),
      ...(row.problem === null ? {} : { problem: row.problem as string }),
    }))
  }

  meta(name: string): string | undefined {
    return this.#sql.meta(name)
  }

  setMeta(name: string, value: string): void {
    this.#sql.setMeta(name, value)
  }
}

function fileState(row: Row): FileState {
  return {
    sha256: toText(row.sha256),
    bytes: Number(row.bytes),
    atMs: Number(row.atMs),
    class: Number(row.class),
    readDay: Number(row.readDay),
    held: row.held === 1,
    failures: Number(row.failures),
  }
}
