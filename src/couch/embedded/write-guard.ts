import { rm, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

/** Opening every database again writes new files; with less than this it is likely to fail half-way. */
const ROOM_BYTES = 16 * 1024 * 1024
/** A quota, or a limit on the size of files, shows itself only when something is written. */
const PROBE_BYTES = 1024 * 1024
const LOOK_MS = 1000

type Done = (error?: Error) => void

/** The part of a LevelDB that writes. */
interface Writes {
  batch(operations: object[], ...rest: [options: object, done: Done] | [done: Done]): void
}

/**
 * Puts a bound on what a failed write does to an open LevelDB. LevelDB appends every write to a log, and where one
 * fails (the disk is full) the log is torn: what is written behind the tear is acknowledged and can be read, and is
 * dropped without a word when the database is opened the next time. So the first write that fails is the last one:
 * all later ones are refused until the database has been opened again. Writes go one by one, because one that ran
 * beside the failing one might be behind the tear too.
 *
 * @param onTorn called once, with the first failure
 */
export function guardWrites(level: Writes, onTorn: (error: Error) => void): void {
  const write = level.batch.bind(level)
  const waiting: (() => void)[] = []
  let busy = false
  let torn: Error | undefined
  const next = () => {
    const start = waiting.shift()
    busy = start !== undefined
    start?.()
  }
  level.batch = (operations, ...rest) => {
    const done = rest.at(-1) as Done
    const options = rest.length > 1 ? rest[0] : {}
    const start = () => {
      if (torn) {
        process.nextTick(done, torn)
        next()
        return
      }
      write(operations, options, (error) => {
        if (error && isTear(error)) {
          torn = error
          onTorn(error)
        }
        next()
        done(error)
      })
    }
    if (busy) waiting.push(start)
    else {
      busy = true
      start()
    }
  }
}

/** Whether LevelDB failed to write, as opposed to having been asked for something impossible. */
function isTear(error: Error): boolean {
  return /^(IO error|Corruption)/.test(error.message)
}

/** Resolves when there is room in the folder to go on. */
export async function untilRoom(folder: string): Promise<void> {
  const probe = join(folder, 'probe')
  for (;;) {
    try {
      const { bavail, bsize } = await statfs(folder)
      if (bavail * bsize >= ROOM_BYTES) {
        await writeFile(probe, new Uint8Array(PROBE_BYTES))
        return
      }
    } catch {
      // No room yet.
    } finally {
      await rm(probe, { force: true })
    }
    await pause(LOOK_MS)
  }
}
