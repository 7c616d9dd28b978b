import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { HyperactiveError, messageOf } from '../../errors.ts'
import { logger } from '../../log.ts'
import { exited, openChild, stopChild } from './child-process.ts'
import type { OpenedChild } from './child-process.ts'

const log = logger('store')

const USERNAME = 'node'
/** A store whose parent was killed needs a moment to let go of its files. */
const LOCK_PATIENCE_MS = 5000
const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 5000
/** A process that lived this long did not die of its start. */
const HEALTHY_MS = 10_000

/** The embedded store: a child process that serves a CouchDB on a loopback port. */
export interface EmbeddedStore extends AsyncDisposable {
  /** Its base URL without credentials, the same after a restart. */
  readonly url: string
  readonly username: string
  readonly password: string
  /** The child that serves now; another one after a restart. */
  readonly processId: number
}

interface StartOptions {
  folder: string
  /** The loopback port; 0, the default, takes a free one. */
  port?: number
  /** Aborting it stops the store, as disposing does. */
  signal?: AbortSignal
}

/**
 * Starts the embedded store on a folder. If its process dies it is started again, on the same port and with the same
 * password, until this is disposed; the pause between two starts doubles from 100 ms to 5 s.
 *
 * @throws HyperactiveError `store_locked` when another process still holds the folder after 5 s, `store_wrong_version`,
 *   `store_port_taken`, or `store_unreadable`
 */
export async function startEmbeddedStore({ folder, port = 0, signal }: StartOptions): Promise<EmbeddedStore> {
  const password = randomBytes(32).toString('base64url')
  const stopping = new AbortController()
  const open = (onPort: number) =>
    openChild({ type: 'open', folder, port: onPort, username: USERNAME, password })

  signal?.throwIfAborted()
  let current = await openPatiently(() => open(port), signal)

  const supervise = async () => {
    let pauseMs = FIRST_PAUSE_MS
    while (!stopping.signal.aborted) {
      const since = Date.now()
      await exited(current.child)
      if (Date.now() - since >= HEALTHY_MS) pauseMs = FIRST_PAUSE_MS
      while (!stopping.signal.aborted && hasEnded(current)) {
        const { exitCode, signalCode } = current.child
        log.warn('the embedded store ended; starting it again', {
          code: exitCode ?? signalCode ?? undefined,
          pauseMs,
        })
        await pause(pauseMs, undefined, { signal: stopping.signal }).catch(() => {})
        if (stopping.signal.aborted) return
        pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)
        try {
          current = await open(current.port)
        } catch (error) {
          log.error('the embedded store does not start', { reason: messageOf(error) })
        }
      }
    }
  }
  const supervised = supervise()
  const stop = async () => {
    stopping.abort()
    await stopChild(current.child)
    await supervised
    // The supervisor may have been in the middle of starting another one.
    await stopChild(current.child)
  }
  const onAbort = () => void stop()
  signal?.addEventListener('abort', onAbort, { once: true })
  if (signal?.aborted) onAbort()
  return {
    url: `http://127.0.0.1:${current.port}`,
    username: USERNAME,
    password,
    get processId() {
      return current.child.pid ?? 0
    },
    async [Symbol.asyncDispose]() {
      signal?.removeEventListener('abort', onAbort)
      await stop()
    },
  }
}

function hasEnded({ child }: OpenedChild): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

async function openPatiently(
  open: () => Promise<OpenedChild>,
  signal: AbortSignal | undefined,
): Promise<OpenedChild> {
  const deadline = Date.now() + LOCK_PATIENCE_MS
  for (;;) {
    try {
      return await open()
    } catch (error) {
      const locked = error instanceof HyperactiveError && error.code === 'store_locked'
      if (!locked || Date.now() > deadline) throw error
      await pause(FIRST_PAUSE_MS, undefined, signal ? { signal } : {})
    }
  }
}
