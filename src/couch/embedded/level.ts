import { createRequire } from 'node:module'

/** What is used here of an open LevelDB, beside what PouchDB does with it. */
interface LevelDown {
  batch(operations: object[], done: (error?: Error) => void): void
  compactRange(start: Uint8Array, end: Uint8Array, done: (error?: Error) => void): void
  iterator(options: object): LevelIterator
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

/** Opens LevelDBs for PouchDB, and remembers them for what PouchDB has no method for. */
export const rememberingLeveldown: LevelDownFactory = Object.assign(
  (location: string) => {
    const level = leveldown(location)
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
