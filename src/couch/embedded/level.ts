import { createRequire } from 'node:module'
import { messageOf } from '../../errors.ts'
import { watchReads } from './read-watch.ts'
import type { ReadWatch } from './read-watch.ts'
import { guardWrites } from './write-guard.ts'

/** What is used here of a LevelDB, beside what PouchDB does with it. */
export interface LevelDown {
  open(options: object, done: Done): void
  close(done: Done): void
  batch(
    operations: object[],
    ...rest: [options: object, done: (error?: Error) => void] | [done: (error?: Error) => void]
  ): void
  /** Takes anything that is not a Buffer, such as another Uint8Array, for text. */
  compactRange(start: Buffer, end: Buffer, done: Done): void
  iterator(options: object): LevelIterator
  /** Gives undefined for keys that are not there. */
  getMany(
    keys: string[],
    options: { asBuffer: false },
    done: (error: Error | undefined, values: (string | undefined)[]) => void,
  ): void
}

type Done = (error?: Error | null) => void

export interface LevelIterator {
  next(done: (error?: Error | null, key?: string, value?: string) => void): void
  end(done: Done): void
}

interface LevelDownFactory {
  (location: string): LevelDown
  destroy(location: string, done: Done): void
}

// PouchDB's own copy of the binding, so that there is one LevelDB in the process.
const leveldown = createRequire(import.meta.resolve('pouchdb-node'))('leveldown') as LevelDownFactory
const opened = new Map<string, { level: LevelDown; reads: ReadWatch }>()

const FIRST_KEY = Buffer.alloc(1)
const LAST_KEY = Buffer.alloc(8, 0xff)
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
    opened.set(location, { level, reads: watchReads(level) })
    return level
  },
  {
    destroy(location: string, done: Done) {
      opened.delete(location)
      leveldown.destroy(location, done)
    },
  },
)

/**
 * Opens a LevelDB for something else than PouchDB, or with `create` makes it. Damage is not told as a failed write is: opening the
 * database again does not mend it, and whoever keeps it can do without.
 */
export async function openLevel(location: string, create: boolean): Promise<LevelDown> {
  const level = leveldown(location)
  guardWrites(level, (error) => {
    if (!isDamage(error)) tellTorn(location, error)
  })
  await new Promise<void>((resolve, reject) => {
    level.open({ createIfMissing: create }, (error) => (error ? reject(error) : resolve()))
  })
  opened.set(location, { level, reads: watchReads(level) })
  return level
}

/** Whether what a LevelDB could not do comes from its files' content, and not from a disk that is full or the like. */
export function isDamage(error: unknown): boolean {
  return /Corruption|Invalid argument|No such file|not found|NotFound/i.test(messageOf(error))
}

/** To be called when a LevelDB has been closed. */
export function forgetLevel(location: string): void {
  opened.delete(location)
}

/**
 * Rewrites all files of the database at `location`, so that removed content leaves the disk. LevelDB keeps it until
 * some later compaction happens to meet it, and leaves the lowest level alone unless something above overlaps it:
 * hence two keys around all others, which no part of PouchDB reads. Reads that are under way hold on to what they
 * began with: those from before are waited for first, so that nothing is kept for them, and those that began with
 * files that are replaced are waited for before LevelDB is made to look once more which files nobody needs. The
 * database must not be closed meanwhile: LevelDB does not survive that.
 */
export async function compactFiles(location: string): Promise<void> {
  const { level, reads } = opened.get(location) ?? {}
  if (!level || !reads) return
  await reads.ended()
  await rewrite(level, FIRST_KEY, LAST_KEY)
  await reads.ended()
  await rewrite(level, FIRST_KEY, FIRST_KEY)
}

/** Compacts what is between two keys, which nobody else uses: they come, and go again. */
async function rewrite(level: LevelDown, first: Buffer, last: Buffer): Promise<void> {
  for (const type of ['put', 'del']) {
    const operations = [first, last].map((key) => ({ type, key, value: type }))
    await new Promise<void>((resolve, reject) => {
      level.batch(operations, (error) => (error ? reject(error) : resolve()))
    })
    await new Promise<void>((resolve, reject) => {
      level.compactRange(first, last, (error) => (error ? reject(error) : resolve()))
    })
  }
}

/** The open LevelDB at `location`. */
export function openedLevel(location: string): LevelDown {
  const level = opened.get(location)?.level
  if (!level) throw new Error('the database is not open')
  return level
}
