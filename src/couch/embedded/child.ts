import { createServer as createHttpServer } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { messageOf } from '../../errors.ts'
import { logger } from '../../log.ts'
import { Databases } from './databases.ts'
import { onTorn } from './level.ts'
import type { FromChild, ToChild } from './messages.ts'
import { openProblem } from './open-problem.ts'
import { Pending } from './pending.ts'
import { createServer } from './server.ts'
import { untilRoom } from './write-guard.ts'

/**
 * The embedded store's process. It lives exactly as long as its parent wants it: a closed channel, however the parent
 * ended, closes the databases and ends the process. Ctrl-C and a service manager's stop reach both processes; they are
 * the parent's to decide about, who still needs the store to end in order.
 */
const log = logger('store')
const CLOSE_MS = 3000
const PROBE_MS = 5000
const LOST_REQUEST_MS = 2000

const pending = new Pending()
let databases: Databases | undefined
let closing: Promise<void> | undefined
let close = async () => {}
let reopening = false

for (const event of ['SIGINT', 'SIGTERM']) process.on(event, () => {})
process.on('disconnect', () => void shutDown())
process.on('uncaughtException', (error) => void survive(error))
process.on('unhandledRejection', (error) => void survive(error))
process.on('message', (message: ToChild) => {
  if (message.type === 'stop') void shutDown()
  else void open(message)
})

async function open({ folder, port, username, password }: Extract<ToChild, { type: 'open' }>): Promise<void> {
  databases = new Databases(folder)
  onTorn((_, error) => void reopen(folder, error))
  try {
    await databases.open()
    const app = createServer(databases, { username, password }, pending)
    const server = createHttpServer({ requestTimeout: 0, keepAliveTimeout: 65_000 }, app.callback())
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, '127.0.0.1', resolve)
    })
    close = async () => {
      server.close()
      server.closeAllConnections()
      await databases?.close()
    }
    const address = server.address()
    tell({ type: 'listening', port: typeof address === 'object' && address !== null ? address.port : port })
  } catch (error) {
    tell({ type: 'failed', problem: openProblem(error), message: messageOf(error) })
    await shutDown()
  }
}

/**
 * A callback deep in LevelDB may throw past every handler. The request that it belongs to is answered 500; when it
 * has left a database locked too, a new process is the way out, and loses nothing.
 */
async function survive(thrown: unknown): Promise<void> {
  log.error('an exception escaped its request', { reason: messageOf(thrown) })
  void pending.giveUp(LOST_REQUEST_MS)
  const alive = await Promise.race([databases?.probe(), pause(PROBE_MS, false)])
  if (alive || closing) return
  log.error('a database does not answer any more; the store ends, to be started again')
  process.exit(1)
}

/**
 * A database that could not write serves what it has and takes nothing more. A new process opens it again, as soon as
 * there is room for that: without room it could not, and nothing would be served either.
 */
async function reopen(folder: string, error: Error): Promise<void> {
  if (reopening) return
  reopening = true
  log.error('the store cannot write; it only serves until there is room', { reason: messageOf(error) })
  await untilRoom(folder)
  log.warn('there is room again; the store ends, to be started again')
  process.exit(1)
}

function tell(message: FromChild): void {
  if (process.connected) process.send?.(message)
}

function shutDown(): Promise<void> {
  closing ??= Promise.race([close(), pause(CLOSE_MS)])
    .catch((error: unknown) => log.warn('a database did not close', { reason: messageOf(error) }))
    .finally(() => process.exit(0))
  return closing
}
