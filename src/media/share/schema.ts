import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { messageOf } from '../../errors.ts'
import { logger } from '../../log.ts'

const log = logger('media')

/** Counts up when what is kept changes: a file of another version is made anew. */
const VERSION = 1

const TABLES = `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE nodes (
    id INTEGER PRIMARY KEY, node TEXT NOT NULL UNIQUE, epoch INTEGER NOT NULL, number INTEGER NOT NULL,
    parts INTEGER NOT NULL, digests INTEGER NOT NULL, at TEXT NOT NULL, jurisdiction TEXT,
    keepsAll INTEGER NOT NULL, sign TEXT NOT NULL, signAt TEXT NOT NULL
  );
  CREATE TABLE statements (
    id INTEGER NOT NULL, number INTEGER NOT NULL, text TEXT NOT NULL, PRIMARY KEY (id, number)
  ) WITHOUT ROWID;
  CREATE TABLE holdings (
    sha256 BLOB NOT NULL, id INTEGER NOT NULL, epoch INTEGER NOT NULL, PRIMARY KEY (sha256, id, epoch)
  ) WITHOUT ROWID;
  CREATE INDEX ofNode ON holdings (id, epoch);
  CREATE TABLE files (
    sha256 BLOB PRIMARY KEY, bytes INTEGER NOT NULL, atMs INTEGER NOT NULL, class INTEGER NOT NULL,
    readDay INTEGER NOT NULL DEFAULT 0, held INTEGER NOT NULL DEFAULT 0, holders INTEGER NOT NULL DEFAULT 0,
    laws INTEGER NOT NULL DEFAULT 0, lacking INTEGER NOT NULL DEFAULT 0, dueMs INTEGER,
    failures INTEGER NOT NULL DEFAULT 0, problem TEXT
  ) WITHOUT ROWID;
  CREATE INDEX due ON files (class, atMs DESC) WHERE dueMs IS NOT NULL;
  CREATE INDEX dueNext ON files (dueMs) WHERE dueMs IS NOT NULL;
  CREATE INDEX lacking ON files (sha256) WHERE lacking = 1;
  CREATE INDEX used ON files (max(atMs, readDay * 86400000) DESC, sha256, bytes);
  CREATE INDEX heldBytes ON files (held, bytes);
`

/** Where a node remembers which files are where, in its data folder. */
export function holdingsFile(data: string): string {
  return join(data, 'media-holdings.sqlite')
}

/**
 * Opens that file. One that is damaged or of another version is thrown away: what is here is told anew, and peers tell again
 * what they hold. What readers have asked for last is forgotten then.
 *
 * @param file ":memory:" for one that is gone when it is closed
 */
export function openHoldings(file: string): DatabaseSync {
  try {
    return open(file)
  } catch (error) {
    log.warn('what is known of where files are is found out anew', { reason: messageOf(error) })
    for (const ending of ['', '-wal', '-shm']) rmSync(file + ending, { force: true })
    return open(file)
  }
}

function open(file: string): DatabaseSync {
  const database = new DatabaseSync(file)
  try {
    // After a power cut the last statements may be missing; the peers have them, and then a new epoch begins.
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -8000')
    const version = Number(database.prepare('PRAGMA user_version').get()?.user_version)
    const tables = Number(database.prepare('SELECT count(*) AS count FROM sqlite_master').get()?.count)
    if (tables === 0) database.exec(`BEGIN; ${TABLES} PRAGMA user_version = ${VERSION}; COMMIT`)
    else if (version !== VERSION) throw new Error(`it is of version ${version}, not ${VERSION}`)
    database.prepare('SELECT value FROM meta').all()
    return database
  } catch (error) {
    database.close()
    throw error
  }
}
