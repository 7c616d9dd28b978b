import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { HyperactiveError, messageOf } from '../../errors.ts'
import type { FromChild, OpenProblem, ToChild } from './messages.ts'

const HEAP_MB = 256
/** Half of Node's own default: 100 MB less memory for about a tenth of the throughput. */
const SEMI_SPACE_MB = 16
const STOP_MS = 5000

/** A child process that serves. */
export interface OpenedChild {
  child: ChildProcess
  port: number
}

/**
 * Forks the store's process and waits until it serves. Its password goes through the channel: other users of the
 * machine can read arguments.
 *
 * @throws HyperactiveError with one of {@link OpenProblem} as its code
 */
export async function openChild(message: Extract<ToChild, { type: 'open' }>): Promise<OpenedChild> {
  const child = fork(join(import.meta.dirname, 'child.ts'), [], {
    execArgv: [
      '--disable-warning=ExperimentalWarning',
      `--max-old-space-size=${HEAP_MB}`,
      `--max-semi-space-size=${SEMI_SPACE_MB}`,
    ],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const answer = await Promise.race([firstMessage(child, message), endedTooSoon(child)])
  if (answer.type === 'listening') {
    // A channel that breaks is seen by the child's exit.
    child.on('error', () => {})
    return { child, port: answer.port }
  }
  await exited(child)
  throw problemError(answer.problem, answer.message, message)
}

/** Asks a child to close its databases and end; kills it when it has not after 5 s. */
export async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
  if (child.connected) child.send({ type: 'stop' } satisfies ToChild, () => {})
  await exited(child)
  clearTimeout(timer)
}

/** Resolves when the child has ended, also when it did so before. */
export async function exited(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  await new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
  })
}

async function firstMessage(child: ChildProcess, message: ToChild): Promise<FromChild> {
  try {
    const answered = once(child, 'message')
    child.send(message, () => {})
    const [first] = (await answered) as [FromChild]
    return first
  } catch (error) {
    return { type: 'failed', problem: 'store_unreadable', message: messageOf(error) }
  }
}

async function endedTooSoon(child: ChildProcess): Promise<FromChild> {
  await exited(child)
  // What it said last may still be on its way.
  await new Promise((resolve) => {
    setImmediate(resolve)
  })
  return { type: 'failed', problem: 'store_unreadable', message: 'its process ended while it started' }
}

function problemError(
  problem: OpenProblem,
  message: string,
  { folder, port }: { folder: string; port: number },
): HyperactiveError {
  const texts: Record<OpenProblem, string> = {
    store_locked: `the store in ${folder} is used by another process; stop that one first`,
    store_wrong_version: `the store in ${folder} cannot be opened: ${message}; use the version that wrote it`,
    store_port_taken: `the store's port ${port} on 127.0.0.1 is taken by another process; stop that one`,
    store_unreadable: `the store in ${folder} cannot be opened: ${message}; check its owner, or restore a backup`,
  }
  const status = problem === 'store_locked' ? 409 : 500
  return new HyperactiveError(problem, texts[problem], { status, cause: message })
}
