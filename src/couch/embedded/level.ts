import { createRequire } from 'node:module'
import type { PouchDocument } from 'pouchdb-node'
import { guardWrites } from './write-guard.ts'

/** What is used here of an open LevelDB, beside what PouchDB does with it. */
interface LevelDown {
  batch(
    operations: object[],
    ...rest: [options: object, done: (error?: Error) => void] | [done: (error?: Error) => void]
  ): void
  compactRange(start: Uint8Array, end: Uint8Array, done: (error?: Error) => void): void
  iterator(options: object): LevelIterator
  /** Gives undefined for keys that are not there. */
  getMany(
    keys: string[],
    options: { asBuffer: false },
    done: (error: Error | undefined, values: (string | undefined)[]) => void,
  ): void
}

interface LevelIterator {
  next(done: (error?: Error, key?: string) => void): void
  end(done: (error?: Error) => void): void
}

interface LevelDownFactory {
  (location: string): LevelDown
  destroy(location: string, done: (error?: Error) => void): void
}

// PouchDB's own copy of the binding, so that there is one LevelDB in the process.
const leveldown = createRequire(import.meta.resolve('pouchdb-node'))('leveldown') as LevelDownFactory
const opened = new Map<string, LevelDown>()

const FIRST_KEY = Uint8Array.of(0)
const LAST_KEY = new Uint8Array(8).fill(0xff)
/** PouchDB's key space of documents: one key for each document, deleted ones too. */
const DOCUMENTS = '\u00ffdocument-store\u00ff'
/** Its key space of bodies: one key for each revision whose body is kept. */
const BODIES = '\u00ffby-sequence\u00ff'
const SEQUENCE_DIGITS = 16

/** What PouchDB 9 keeps of a document under its id. */
interface Metadata {
  winningRev: string
  deleted: boolean
  /** The sequence number under which a revision's body is kept. */
  rev_map: Record<string, number>
}

/** The revision of a document that CouchDB answers with when none is asked for. */
export interface Winner {
  rev: string
  deleted: boolean
  /** Absent when it was not asked for, and for the moment in which a compaction removes it. */
  body: PouchDocument | undefined
}

let tellTorn: (location: string, error: Error) => void = () => {}

/** `told` is called when a LevelDB could not write; it takes no more writes until it is opened again. */
export function onTorn(told: (location: string, error: Error) => void): void {
  tellTorn = told
}

/** Opens LevelDBs for PouchDB, and remembers them for what PouchDB has no method for. */
export const rememberingLeveldown: LevelDownFactory = Object.assign(
  (location: string) => {
    const level = leveldown(location)
    guardWrites(level, (error) => tellTorn(location, error))
    opened.set(location, level)
    return level
  },
  {
    destroy(location: string, done: (error?: Error) => void) {
      opened.delete(location)
      leveldown.destroy(location, done)
    },
  },
)

/**
 * Rewrites all files of the database at `location`, so that removed content leaves the disk. LevelDB keeps it until
 * some later compaction happens to meet it, and leaves the lowest level alone unless something above overlaps it:
 * hence two keys around all others, which no part of PouchDB reads. The database must not be closed meanwhile:
 * LevelDB does not survive that.
 */
export async function compactFiles(location: string): Promise<void> {
  const level = opened.get(location)
  if (!level) return
  const around = [FIRST_KEY, LAST_KEY].map((key) => Buffer.from(key))
  for (const type of ['put', 'del']) {
    const operations = around.map((key) => ({ type, key, value: type }))
    await new Promise<void>((resolve, reject) => {
      level.batch(operations, (error) => (error ? reject(error) : resolve()))
    })
    await new Promise<void>((resolve, reject) => {
      level.compactRange(FIRST_KEY, LAST_KEY, (error) => (error ? reject(error) : resolve()))
    })
  }
}

/** How many documents there are, deleted ones included; reads keys alone. */
export function countKeys(location: string): Promise<number> {
  const level = opened.get(location)
  if (!level) return Promise.resolve(0)
  const range = { gt: DOCUMENTS, lt: `${DOCUMENTS}\uffff` }
  const iterator = level.iterator({ ...range, values: false, keyAsBuffer: false })
  return new Promise((resolve, reject) => {
    let count = 0
    const step = (error?: Error, key?: string) => {
      if (!error && key !== undefined) {
        count += 1
        iterator.next(step)
      } else {
        iterator.end(() => (error ? reject(error) : resolve(count)))
      }
    }
    iterator.next(step)
  })
}

/**
 * The winning revisions of these documents in one read from LevelDB, or two with their bodies; undefined for those that
 * were never here. PouchDB reads each document by itself, in an order of its own: ten times the work for a batch.
 */
export async function readWinners(
  location: string,
  ids: readonly string[],
  withBodies: boolean,
): Promise<(Winner | undefined)[]> {
  const found = await getMany(
    location,
    ids.map((id) => DOCUMENTS + id),
  )
  const winners: (Winner | undefined)[] = []
  const keys: string[] = []
  for (const text of found) {
    if (text === undefined) {
      winners.push(undefined)
      continue
    }
    const { winningRev: rev, deleted, rev_map: sequences } = JSON.parse(text) as Metadata
    winners.push({ rev, deleted, body: undefined })
    keys.push(BODIES + String(sequences[rev] ?? 0).padStart(SEQUENCE_DIGITS, '0'))
  }
  if (!withBodies) return winners
  const bodies = (await getMany(location, keys))[Symbol.iterator]()
  for (const winner of winners) {
    if (!winner) continue
    const body = bodies.next().value
    if (body !== undefined) winner.body = JSON.parse(body) as PouchDocument
  }
  return winners
}

function getMany(location: string, keys: string[]): Promise<(string | undefined)[]> {
  const level = opened.get(location)
  if (!level) throw new Error('the database is not open')
  return new Promise((resolve, reject) => {
    level.getMany(keys, { asBuffer: false }, (error, values) => (error ? reject(error) : resolve(values)))
  })
}
