import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { StatementSync } from 'node:sqlite'
import { noteName, noteUntold } from '../reads.ts'
import { foldForSearch } from './fold.ts'
import { filtersOf, filtersOfEntry, periodOf, placeOf } from './keys.ts'
import { ftsInColumn, ftsQuery, readQuery } from './query.ts'
import type { Notice, Query } from './query.ts'
import { rank } from './rank.ts'
import { openIndexFile } from './schema.ts'
import { highlight, snippetOf } from './snippet.ts'
import type { Piece } from './snippet.ts'

/** Where the index stands in what it is made of. */
export interface IndexMark {
  source: string
  seq: string | number
}

/** What is found of an item or a comment. */
export interface IndexEntry {
  id: string
  /** The item; of a comment the one that it is on. */
  item: string
  kind: string
  at: string
  updatedAt: string
  language: string
  title: string
  summary: string
  /** Plain text. */
  body: string
  author?: string
  tags: string[]
  places: string[]
  group?: string
  /** What it adds one to. */
  counts: [vocabulary: string, name: string][]
}

export interface IndexChanges {
  put: IndexEntry[]
  remove: string[]
}

export interface Count {
  name: string
  count: number
}

/** What is looked for, and among what. */
export interface SearchQuery {
  /** As it was typed; empty for everything. */
  text: string
  kind?: string
  tag?: string
  place?: string
  group?: string
  language?: string
  author?: string
  /** Days, "2026-11-23", UTC. */
  from?: string
  until?: string
  order: 'best' | 'newest'
  limit: number
  /** Where to go on, as `next` has it. */
  after?: string
}

export interface SearchResult extends Omit<IndexEntry, 'body' | 'counts'> {
  /** Parts of the title and of the text, with what was found. */
  titleParts: Piece[]
  snippet: Piece[]
}

export interface SearchPage {
  results: SearchResult[]
  next?: string
  /** How many were found; of those alone is ranked and paged. */
  found: number
  /** There are more, which are older. */
  capped: boolean
  notices: Notice[]
}

/** As many of the newest are ranked, whatever the size of the site. */
const MOST_RANKED = 1_000

/** How long a reader waits for the process that fills the index. */
const BUSY_MS = 5_000

/** Where a node's index is, in its data folder. */
export function searchFile(data: string): string {
  return join(data, 'search.sqlite')
}

interface Stored {
  place: bigint
  entry: string
}

/**
 * The full-text index of everything that is shown, and the counts of clouds and archives. It is a file of SQLite's FTS5
 * beside the store, filled by the projector; losing it costs the time to fill it again.
 */
export class SearchIndex {
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()

  private constructor(database: DatabaseSync) {
    this.#database = database
  }

  /** @param file ":memory:" for one that is gone when it is closed */
  static open(file: string): SearchIndex {
    return new SearchIndex(openIndexFile(file))
  }

  /** Opens the file of an index that another process fills, for nothing but reading; it is not made where there is none. */
  static reading(file: string): SearchIndex {
    return new SearchIndex(new DatabaseSync(file, { readOnly: true, timeout: BUSY_MS }))
  }

  [Symbol.dispose](): void {
    this.#database.close()
  }

  /** Takes what was removed out of the file: SQLite and FTS5 leave it there until its place is needed. */
  scrub(): void {
    this.#database.exec("INSERT INTO words (words) VALUES ('optimize')")
    this.#database.exec('VACUUM')
    this.#database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  }

  /** What the last changes were marked with; undefined for an index that is new. */
  mark(): IndexMark | undefined {
    const row = this.#get('SELECT value FROM meta WHERE name = ?', 'mark')
    return row ? (JSON.parse(String(row.value)) as IndexMark) : undefined
  }

  /**
   * Takes changes and their mark at once: a process that is killed leaves both or neither.
   *
   * @returns the names of counts that this may have changed, as {@link noteName} has them
   */
  apply({ put, remove }: IndexChanges, mark: IndexMark): string[] {
    const touched = new Set<string>()
    const touch = (entry: Pick<IndexEntry, 'counts'> | undefined) => {
      for (const [vocabulary, name] of entry?.counts ?? [])
        touched.add(countName(vocabulary, name)).add(topName(vocabulary))
    }
    this.#transaction(() => {
      for (const id of remove) {
        const before = this.#remove(id)
        this.#uncount(before)
        touch(before)
      }
      for (const entry of put) {
        const before = this.#remove(entry.id)
        this.#put(entry)
        // What counts as it did before, from the same time on, leaves the counts alone.
        if (JSON.stringify([before?.counts, before?.at]) === JSON.stringify([entry.counts, entry.at]))
          continue
        this.#uncount(before)
        this.#count(entry)
        touch(before)
        touch(entry)
      }
      this.#run('INSERT OR REPLACE INTO meta VALUES (?, ?)', 'mark', JSON.stringify(mark))
    })
    return [...touched]
  }

  /** Forgets everything. */
  clear(): void {
    this.#transaction(() => {
      for (const table of ['meta', 'entries', 'counts']) this.#run(`DELETE FROM ${table}`)
      this.#run("INSERT INTO words (words) VALUES ('delete-all')")
    })
  }

  /** How many there are of each name; names that nothing has are left out. */
  counts(vocabulary: string, names: readonly string[]): Map<string, number> {
    for (const name of names) noteName(countName(vocabulary, name))
    if (names.length === 0) return new Map()
    const sql = `SELECT name, count FROM counts
      WHERE vocabulary = ? AND name IN (SELECT value FROM json_each(?))`
    const rows = this.#all(sql, vocabulary, JSON.stringify(names))
    return new Map(rows.map(({ name, count }) => [String(name), Number(count)]))
  }

  /** The names with the highest counts. */
  top(vocabulary: string, limit: number): Count[] {
    return this.#names('ORDER BY count DESC, name LIMIT ?', vocabulary, limit)
  }

  /** Names in their order. */
  names(vocabulary: string, { limit }: { limit: number }): Count[] {
    return this.#names('ORDER BY name LIMIT ?', vocabulary, limit)
  }

  /** The names that something came with last. */
  latest(vocabulary: string, limit: number): Count[] {
    return this.#names('ORDER BY latest DESC, name LIMIT ?', vocabulary, limit)
  }

  /**
   * Looks for entries. Work is bounded: the newest thousand that fit are ranked by where the words stand, how often,
   * and how new the entry is.
   */
  search(asked: SearchQuery): SearchPage {
    noteUntold()
    const query = readQuery(asked.text)
    const match = ftsQuery(query, filtersOf(asked))
    const [oldest, newest] = periodOf(asked)
    const places = this.#places(match, { oldest, newest })
    const capped = places.length > MOST_RANKED
    const candidates = places.slice(0, MOST_RANKED)
    const ordered =
      asked.order === 'best' && query.terms.length > 0 ? this.#ranked(candidates, query) : candidates
    const offset = Math.min(Math.max(Number.parseInt(asked.after ?? '0', 10) || 0, 0), MOST_RANKED)
    const shown = ordered.slice(offset, offset + asked.limit)
    const next = offset + asked.limit
    return {
      results: this.#entries(shown).map((entry) => resultOf(entry, query)),
      ...(ordered.length > next ? { next: String(next) } : {}),
      found: candidates.length,
      capped,
      notices: query.notices,
    }
  }

  /** Where the newest of those that match stand, newest first, one more than are ranked. */
  #places(match: string, { oldest, newest }: { oldest: bigint; newest: bigint }): bigint[] {
    const sql = `SELECT rowid AS place FROM words WHERE words MATCH ? AND rowid BETWEEN ? AND ?
      ORDER BY rowid DESC LIMIT ${MOST_RANKED + 1}`
    return this.#all(sql, match, oldest, newest).map(({ place }) => place as bigint)
  }

  #ranked(places: readonly bigint[], query: Query): bigint[] {
    const [newest, oldest] = [places.at(0), places.at(-1)]
    if (newest === undefined || oldest === undefined) return []
    const inTitle = new Set(this.#places(ftsInColumn(query.terms, 'title'), { oldest, newest }))
    return rank(places, { inTitle, query, textOf: (some) => this.#entries(some) })
  }

  #entries(places: readonly bigint[]): IndexEntry[] {
    return places.flatMap((place) => {
      const row = this.#get('SELECT entry FROM entries WHERE place = ?', place)
      return row ? [JSON.parse(String(row.entry)) as IndexEntry] : []
    })
  }

  #put(entry: IndexEntry): void {
    const { id, title, summary, body, author, tags, places, at } = entry
    let place = placeOf(at, id)
    while (this.#get('SELECT 1 FROM entries WHERE place = ?', place)) place += 1n
    this.#run('INSERT INTO entries VALUES (?, ?, ?)', place, id, JSON.stringify(entry))
    const text = [summary, body, author ?? '', tags.join(' . '), places.join(' . ')].join(' . ')
    const filters = filtersOfEntry(entry).join(' ')
    this.#run(
      'INSERT INTO words (rowid, title, text, filters) VALUES (?, ?, ?, ?)',
      place,
      foldForSearch(title),
      foldForSearch(text),
      filters,
    )
  }

  #count({ counts, at }: IndexEntry): void {
    for (const [vocabulary, name] of counts) {
      this.#run(
        `INSERT INTO counts VALUES (?, ?, 1, ?)
          ON CONFLICT DO UPDATE SET count = count + 1, latest = max(latest, excluded.latest)`,
        vocabulary,
        name,
        at,
      )
    }
  }

  /** Gives what was removed. */
  #remove(id: string): IndexEntry | undefined {
    const row = this.#get('SELECT place, entry FROM entries WHERE id = ?', id) as Stored | undefined
    if (!row) return undefined
    this.#run('DELETE FROM entries WHERE place = ?', row.place)
    this.#run('DELETE FROM words WHERE rowid = ?', row.place)
    return JSON.parse(row.entry) as IndexEntry
  }

  #uncount(entry: IndexEntry | undefined): void {
    for (const [vocabulary, name] of entry?.counts ?? []) {
      this.#run('UPDATE counts SET count = count - 1 WHERE vocabulary = ? AND name = ?', vocabulary, name)
      this.#run('DELETE FROM counts WHERE vocabulary = ? AND name = ? AND count <= 0', vocabulary, name)
    }
  }

  #names(order: string, vocabulary: string, limit: number): Count[] {
    noteName(topName(vocabulary))
    const sql = `SELECT name, count FROM counts WHERE vocabulary = ? ${order}`
    return this.#all(sql, vocabulary, limit).map(({ name, count }) => ({
      name: String(name),
      count: Number(count),
    }))
  }

  #transaction(work: () => void): void {
    this.#database.exec('BEGIN')
    try {
      work()
      this.#database.exec('COMMIT')
    } catch (error) {
      this.#database.exec('ROLLBACK')
      throw error
    }
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (!statement) {
      statement = this.#database.prepare(sql)
      statement.setReadBigInts(true)
      this.#statements.set(sql, statement)
    }
    return statement
  }

  #run(sql: string, ...values: (string | bigint | number)[]): void {
    this.#statement(sql).run(...values)
  }

  #get(sql: string, ...values: (string | bigint | number)[]): Record<string, unknown> | undefined {
    return this.#statement(sql).get(...values)
  }

  #all(sql: string, ...values: (string | bigint | number)[]): Record<string, unknown>[] {
    return this.#statement(sql).all(...values)
  }
}

/** What pages note that show how much there is of a name, */
export function countName(vocabulary: string, name: string): string {
  return `count:${vocabulary}:${name}`
}

/** and those that show the names of a vocabulary in some order. */
export function topName(vocabulary: string): string {
  return `top:${vocabulary}`
}

function resultOf(found: IndexEntry, query: Query): SearchResult {
  const { body, counts: _counts, ...entry } = found
  const { title, summary } = entry
  return {
    ...entry,
    titleParts: highlight(title, query.terms),
    snippet: snippetOf([summary, body].filter((part) => part !== '').join(' — '), query.terms),
  }
}
