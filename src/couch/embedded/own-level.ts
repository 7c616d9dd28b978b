import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '../../errors.ts'
import { compactFiles, forgetLevel, isDamage, openLevel } from './level.ts'
import type { LevelDown, LevelIterator } from './level.ts'

/** One change of a batch. */
export type Operation = { type: 'put'; key: string; value: string } | { type: 'del'; key: string }

/** A range of keys: behind or from the lower bound on, and before or up to the upper one. */
export interface Bounds {
  gte?: string
  gt?: string
  lt: string
}

/** A LevelDB that was closed meanwhile, or whose files are damaged. */
export class UnusableLevel extends Error {
  readonly isDamaged: boolean

  constructor(reason: unknown, isDamaged: boolean) {
    super(messageOf(reason), { cause: reason })
    this.isDamaged = isDamaged
  }
}

/**
 * A LevelDB of text that PouchDB has no part in. LevelDB does not survive to be closed while it is used, so closing
 * waits for what runs; what comes later is refused.
 */
export class OwnLevel {
  readonly location: string
  readonly #level: LevelDown
  readonly #running = new Set<Promise<unknown>>()
  readonly #cursors = new Set<Cursor>()
  #closed: Promise<void> | undefined

  private constructor(location: string, level: LevelDown) {
    this.location = location
    this.#level = level
  }

  /**
   * @param create whether to make one where there is none
   * @throws UnusableLevel for one that is damaged or not there; what LevelDB says for other reasons
   */
  static async open(location: string, create: boolean): Promise<OwnLevel> {
    try {
      return new OwnLevel(location, await openLevel(location, create))
    } catch (error) {
      throw asUnusable(error)
    }
  }

  /** Removes the files of one that is not open. */
  static remove(location: string): Promise<void> {
    return rm(location, { recursive: true, force: true })
  }

  /** Removes what LevelDB has written about its work, keys included, while it is not open. */
  static async removeLogs(location: string): Promise<void> {
    for (const name of ['LOG', 'LOG.old']) await rm(join(location, name), { force: true })
  }

  /** The values of these keys in one read; undefined for keys that are not there. */
  getMany(keys: string[]): Promise<(string | undefined)[]> {
    return this.#use((done) => this.#level.getMany(keys, { asBuffer: false }, done))
  }

  /** Makes all changes or none. Returns when they are in LevelDB's log. */
  async write(operations: Operation[]): Promise<void> {
    await this.#use<void>((done) => this.#level.batch(operations, done))
  }

  /** Reads the values of a range as they are now, whatever is written meanwhile. It must be ended. */
  cursor(bounds: Bounds, { reverse, limit }: { reverse: boolean; limit: number }): Cursor {
    this.#refuseClosed()
    const iterator = this.#level.iterator({
      ...bounds,
      reverse,
      limit: limit <= MOST_LIMIT ? limit : -1,
      keys: false,
      valueAsBuffer: false,
      highWaterMark: READ_AHEAD_BYTES,
    })
    const cursor = new Cursor(iterator, () => this.#cursors.delete(cursor))
    this.#cursors.add(cursor)
    return cursor
  }

  /** Rewrites all files, so that what was removed leaves the disk. */
  compact(): Promise<void> {
    this.#refuseClosed()
    return this.#track(compactFiles(this.location))
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  /** Closes it and removes its files. */
  async destroy(): Promise<void> {
    await this.close()
    await OwnLevel.remove(this.location)
  }

  async #close(): Promise<void> {
    await Promise.allSettled([...this.#running, ...[...this.#cursors].map((cursor) => cursor.end())])
    await new Promise<void>((resolve, reject) => {
      this.#level.close((error) => (error ? reject(error) : resolve()))
    })
    forgetLevel(this.location)
  }

  #use<Value>(work: (done: (error?: Error | null, value?: Value) => void) => void): Promise<Value> {
    this.#refuseClosed()
    return this.#track(
      new Promise((resolve, reject) => {
        work((error, value) => (error ? reject(asUnusable(error)) : resolve(value as Value)))
      }),
    )
  }

  #track<Value>(running: Promise<Value>): Promise<Value> {
    const settled = running.finally(() => this.#running.delete(settled))
    this.#running.add(settled)
    return settled
  }

  #refuseClosed(): void {
    if (this.#closed) throw new UnusableLevel('the index was closed', false)
  }
}

/** The binding counts in 32 bits. */
const MOST_LIMIT = 2 ** 31 - 1
/** How much of a range is read from disk at once; LevelDB's binding would take 16 kB. */
const READ_AHEAD_BYTES = 256 * 1024

/** A place in a range of values. */
export class Cursor {
  readonly #iterator: LevelIterator
  readonly #onEnd: () => void
  #ended: Promise<void> | undefined

  constructor(iterator: LevelIterator, onEnd: () => void) {
    this.#iterator = iterator
    this.#onEnd = onEnd
  }

  /** The next values, at most `most` of them; fewer at the range's end alone. */
  next(most: number): Promise<string[]> {
    return new Promise((resolve, reject) => {
      const values: string[] = []
      const step = (error?: Error | null, _?: string, value?: string) => {
        if (error) {
          reject(this.#ended ? new UnusableLevel(error, false) : asUnusable(error))
          return
        }
        if (value !== undefined) values.push(value)
        if (value === undefined || values.length >= most) resolve(values)
        else this.#iterator.next(step)
      }
      if (most > 0) this.#iterator.next(step)
      else resolve(values)
    })
  }

  end(): Promise<void> {
    this.#ended ??= new Promise((resolve) => {
      this.#iterator.end(() => {
        this.#onEnd()
        resolve()
      })
    })
    return this.#ended
  }
}

function asUnusable(error: unknown): unknown {
  return isDamage(error) ? new UnusableLevel(error, true) : error
}
