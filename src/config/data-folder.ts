import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { HyperactiveError, messageOf } from '../errors.ts'
import { createFile } from '../files.ts'

const FORMAT = '1'

/** What a running node tells commands on the same machine; the file is readable by its owner alone. */
export interface RunningNode {
  processId: number
  /** The node's own address on this machine. */
  address: string
  /** The store's base URL with credentials. */
  storeUrl: string
  /** What the names of the databases there begin with. */
  prefix: string
}

/** A data folder that this process holds alone until it is disposed. */
export interface DataFolder extends AsyncDisposable {
  readonly path: string
  /** Lets commands in other processes find the running node. */
  announce(node: RunningNode): Promise<void>
}

/**
 * Makes or opens a data folder and takes its lock. The lock is SQLite's, so that the kernel frees it however the
 * process ends.
 *
 * @throws HyperactiveError `data_unreadable`, `data_wrong_version`, or `data_locked` when another process holds it
 */
export async function openDataFolder(path: string): Promise<DataFolder> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 })
    const format = await readOptional(join(path, 'format'))
    if (format === undefined) await createFile(join(path, 'format'), `${FORMAT}\n`, 0o644)
    else if (format.trim() !== FORMAT) throw wrongVersion(path, format.trim())
  } catch (error) {
    if (error instanceof HyperactiveError) throw error
    throw unreadable(path, error)
  }
  const lock = takeLock(path)
  return {
    path,
    async announce(node) {
      const file = join(path, 'running.json')
      await writeFile(`${file}.new`, JSON.stringify(node), { mode: 0o600 })
      await rename(`${file}.new`, file)
    },
    async [Symbol.asyncDispose]() {
      await rm(join(path, 'running.json'), { force: true })
      lock.close()
    },
  }
}

/** The node that runs on a data folder now, or undefined. */
export async function findRunningNode(path: string): Promise<RunningNode | undefined> {
  const text = await readOptional(join(path, 'running.json'))
  if (text === undefined) return undefined
  const node = JSON.parse(text) as RunningNode
  return isAlive(node.processId) ? node : undefined
}

function takeLock(path: string): DatabaseSync {
  let lock: DatabaseSync | undefined
  try {
    lock = new DatabaseSync(join(path, 'lock'), { timeout: 0 })
    lock.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
    return lock
  } catch (error) {
    lock?.close()
    if (!/locked|busy/i.test(messageOf(error))) throw unreadable(path, error)
    const text = `another process uses the data folder ${path}; stop it, or choose another folder with --data`
    throw new HyperactiveError('data_locked', text, { status: 409, cause: error })
  }
}

async function readOptional(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function unreadable(path: string, cause: unknown): HyperactiveError {
  const text = `the data folder ${path} cannot be used: ${messageOf(cause)}`
  return new HyperactiveError('data_unreadable', text, { cause })
}

function wrongVersion(path: string, found: string): HyperactiveError {
  const text = `the data folder ${path} has format "${found}", and this version reads format ${FORMAT}; use the version that made it`
  return new HyperactiveError('data_wrong_version', text)
}
