import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { HyperactiveError, messageOf } from '../../errors.ts'
import { logger } from '../../log.ts'
import type { FromChild, ToChild } from './messages.ts'

const log = logger('store')

const USERNAME = 'node'
const HEAP_MB = 256
/** A store whose parent was killed needs a moment to let go of its files. */
const LOCK_PATIENCE_MS = 5000
const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 5000
const STOP_MS = 5000

/** The embedded store: a child process that serves a CouchDB on a loopback port. */
export interface EmbeddedStore extends AsyncDisposable {
  /** Its base URL without credentials. */
  readonly url: string
  readonly username: string
  readonly password: string
  /** The child that serves now; another one after a restart. */
  readonly processId: number
}

/**
 * Starts the embedded store on a folder. If its process dies it is started again, on the same port and with the same
 * password, until this is disposed.
 *
 * @throws HyperactiveError `store_locked` when another process holds the folder, `store_unreadable` otherwise
 */
export async function startEmbeddedStore({
  folder,
  port = 0,
}: {
  folder: string
  port?: number
}): Promise<EmbeddedStore> {
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
    throw unreadable(folder, messageOf(error), error)
  })
  const password = randomBytes(32).toString('base64url')
  const open = (onPort: number) =>
    openChild({ type: 'open', folder, port: onPort, username: USERNAME, password })
  let current = await patiently(() => open(port))
  let stopping = false

  const supervise = async () => {
    let pauseMs = FIRST_PAUSE_MS
    for (;;) {
      await exited(current.child)
      if (stopping) return
      log.warn('the embedded store ended; starting it again', {
        code: current.child.exitCode ?? undefined,
        pauseMs,
      })
      await pause(pauseMs)
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)
      try {
        current = await open(current.port)
        pauseMs = FIRST_PAUSE_MS
      } catch (error) {
        log.error('the embedded store does not start', { reason: messageOf(error) })
      }
    }
  }
  const supervised = supervise()
  return {
    url: `http://127.0.0.1:${current.port}`,
    username: USERNAME,
    password,
    get processId() {
      return current.child.pid ?? 0
    },
    async [Symbol.asyncDispose]() {
      stopping = true
      await stop(current.child)
      await supervised
    },
  }
}

interface OpenedChild {
  child: ChildProcess
  port: number
}

async function openChild(message: Extract<ToChild, { type: 'open' }>): Promise<OpenedChild> {
  const child = fork(join(import.meta.dirname, 'child.ts'), [], {
    execArgv: ['--disable-warning=ExperimentalWarning', `--max-old-space-size=${HEAP_MB}`],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  child.send(message)
  const answer = await Promise.race([
    once(child, 'message').then(([first]) => first as FromChild),
    exited(child).then((): FromChild => ({
      type: 'failed',
      message: 'its process ended',
      locked: false,
      portTaken: false,
    })),
  ])
  if (answer.type === 'listening') return { child, port: answer.port }
  await exited(child)
  if (answer.locked) {
    const text = `the store in ${message.folder} is used by another process; stop that first`
    throw new HyperactiveError('store_locked', text, { status: 409 })
  }
  throw unreadable(message.folder, answer.message)
}

async function patiently(open: () => Promise<OpenedChild>): Promise<OpenedChild> {
  const deadline = Date.now() + LOCK_PATIENCE_MS
  for (;;) {
    try {
      return await open()
    } catch (error) {
      const locked = error instanceof HyperactiveError && error.code === 'store_locked'
      if (!locked || Date.now() > deadline) throw error
      await pause(FIRST_PAUSE_MS)
    }
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  if (child.connected) child.send({ type: 'stop' } satisfies ToChild)
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
  await exited(child)
  clearTimeout(timer)
}

async function exited(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
}

function unreadable(folder: string, reason: string, cause?: unknown): HyperactiveError {
  return new HyperactiveError('store_unreadable', `the store in ${folder} cannot be opened: ${reason}`, {
    cause,
  })
}
