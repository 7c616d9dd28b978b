import { rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { messageOf } from '../errors.ts'
import { logger } from '../log.ts'

const log = logger('search')

/** Counts up when what is kept changes: an index of another version is made anew. */
const VERSION = 1

const TABLES = `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE entries (place INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, entry TEXT NOT NULL);
  CREATE VIRTUAL TABLE words USING fts5 (
    title, text, filters,
    tokenize = "unicode61 remove_diacritics 2", prefix = '2 3', content = '', contentless_delete = 1
  );
  CREATE TABLE counts (
    vocabulary TEXT NOT NULL, name TEXT NOT NULL, count INTEGER NOT NULL, latest TEXT NOT NULL,
    PRIMARY KEY (vocabulary, name)
  ) WITHOUT ROWID;
  CREATE INDEX most ON counts (vocabulary, count DESC, name);
  CREATE INDEX latest ON counts (vocabulary, latest DESC, name);
`

/**
 * Opens the index file. One that is damaged or of another version is thrown away: everything in it can be made again
 * from the site database.
 */
export function openIndexFile(file: string): DatabaseSync {
  try {
    return open(file)
  } catch (error) {
    log.warn('the search index is made anew', { reason: messageOf(error) })
    for (const ending of ['', '-wal', '-shm']) rmSync(file + ending, { force: true })
    return open(file)
  }
}

function open(file: string): DatabaseSync {
  const database = new DatabaseSync(file)
  try {
    // A power cut may cost the newest changes; the mark says so, and they come again.
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA cache_size = -8000')
    const version = Number(database.prepare('PRAGMA user_version').get()?.user_version)
    const tables = Number(database.prepare('SELECT count(*) AS count FROM sqlite_master').get()?.count)
    if (tables === 0) database.exec(`BEGIN; ${TABLES} PRAGMA user_version = ${VERSION}; COMMIT`)
    else if (version !== VERSION) throw new Error(`it is of version ${version}, not ${VERSION}`)
    database.prepare('SELECT value FROM meta').all()
    database.prepare('SELECT 1 FROM words ORDER BY rowid DESC LIMIT 1').all()
    return database
  } catch (error) {
    database.close()
    throw error
  }
}
