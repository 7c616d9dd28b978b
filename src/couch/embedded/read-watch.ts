import { logger } from '../../log.ts'

const log = logger('store')

/** Reads are short. */
const PATIENCE_MS = 60_000

type Callback = (...answer: unknown[]) => void

/** The part of a LevelDB that reads. */
interface Reading {
  get(...parameters: unknown[]): unknown
  getMany(...parameters: never[]): unknown
  iterator(...parameters: never[]): { end(done: Callback): unknown }
}

/** Knows which reads of a LevelDB are under way. */
export interface ReadWatch {
  /** Resolves when every read that had begun before the call has ended, whatever begins meanwhile. */
  ended(): Promise<void>
}

/**
 * Watches the reads of a LevelDB. While one is under way LevelDB keeps what has been removed since it began, and the
 * files that it began with, and gives neither up by itself when it ends.
 *
 * @param options.told called when reads were waited for unusually long, with how many they are; waiting goes on
 */
export function watchReads(
  level: object,
  { patienceMs = PATIENCE_MS, told = sayLong }: { patienceMs?: number; told?: (reads: number) => void } = {},
): ReadWatch {
  const running = new Set<Promise<void>>()
  const begin = (): (() => void) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    running.add(promise)
    return () => {
      running.delete(promise)
      resolve()
    }
  }
  const reading = level as Reading
  for (const name of ['get', 'getMany'] as const) {
    const read = reading[name].bind(reading) as (...parameters: unknown[]) => unknown
    reading[name] = (...parameters: unknown[]) => {
      const done = parameters.at(-1)
      if (typeof done !== 'function') return read(...parameters)
      const end = begin()
      return read(...parameters.slice(0, -1), (...answer: unknown[]) => {
        end()
        ;(done as Callback)(...answer)
      })
    }
  }
  const iterator = reading.iterator.bind(reading)
  reading.iterator = (...parameters) => {
    const made = iterator(...parameters)
    const end = begin()
    const ending = made.end.bind(made)
    made.end = (done) =>
      ending((...answer: unknown[]) => {
        end()
        done(...answer)
      })
    return made
  }
  return {
    async ended() {
      const waitedFor = [...running]
      const timer = setTimeout(() => told(waitedFor.filter((read) => running.has(read)).length), patienceMs)
      await Promise.all(waitedFor)
      clearTimeout(timer)
    },
  }
}

function sayLong(reads: number): void {
  const text =
    'what was removed stays in the files of a database as long as reads of it do not end; still waiting'
  log.warn(text, { reads })
}
