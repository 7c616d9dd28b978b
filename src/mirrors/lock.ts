import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as pause } from 'node:timers/promises'
import { HyperactiveError, messageOf } from '../errors.ts'
import { mirrorFolder } from './record.ts'

const LOOK_MS = 50

/**
 * Waits for a mirror to be nobody else's, and holds it until disposed: a node takes it for each batch, and so does a
 * command beside it, so that one at a time sends. The lock is SQLite's, so that the kernel frees it however a process
 * ends.
 *
 * @throws HyperactiveError `mirror_busy` when another process has it for longer than `mostMs`
 */
export async function lockMirror(
  data: string,
  name: string,
  { mostMs, signal }: { mostMs: number; signal: AbortSignal },
): Promise<Disposable> {
  const folder = mirrorFolder(data, name)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const untilMs = performance.now() + mostMs
  const waitFor = async (file: string) => {
    for (;;) {
      const lock = take(join(folder, file))
      if (lock) return { [Symbol.dispose]: () => lock.close() }
      if (performance.now() > untilMs) {
        const text = `another process is sending to mirror "${name}"; try again when it is done`
        throw new HyperactiveError('mirror_busy', text, { status: 409 })
      }
      await pause(LOOK_MS, undefined, { signal })
    }
  }
  // Whoever has just had it waits behind whoever waits already.
  using _ = await waitFor('next')
  return await waitFor('lock')
}

function take(file: string): DatabaseSync | undefined {
  const lock = new DatabaseSync(file, { timeout: 0 })
  try {
    lock.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
    return lock
  } catch (error) {
    lock.close()
    if (/locked|busy/i.test(messageOf(error))) return undefined
    throw error
  }
}
