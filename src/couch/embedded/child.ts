import { createServer as createHttpServer } from 'node:http'
import { Databases } from './databases.ts'
import { createServer } from './server.ts'
import type { FromChild, ToChild } from './messages.ts'

/**
 * The embedded store's process. It lives exactly as long as its parent wants it: a closed channel, however the parent
 * ended, closes the databases and ends the process. Ctrl-C reaches the whole process group, and is the parent's to
 * decide about.
 */
let closing: Promise<void> | undefined
let close = async () => {}

process.on('SIGINT', () => {})
process.on('SIGTERM', () => void shutDown())
process.on('disconnect', () => void shutDown())
// A callback deep in LevelDB may throw past every handler; the request it belongs to is lost, the store is not.
process.on('uncaughtException', (error) => {
  process.stderr.write(`embedded store: ${error.stack ?? error.message}\n`)
})

process.on('message', (message: ToChild) => {
  if (message.type === 'stop') void shutDown()
  else void open(message)
})

async function open({ folder, port, username, password }: Extract<ToChild, { type: 'open' }>): Promise<void> {
  const databases = new Databases(folder)
  try {
    await databases.open()
    const app = createServer(databases, { username, password })
    const server = createHttpServer({ requestTimeout: 0, keepAliveTimeout: 65_000 }, app.callback())
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, '127.0.0.1', resolve)
    })
    close = async () => {
      server.close()
      server.closeAllConnections()
      await databases.close()
    }
    const address = server.address()
    tell({ type: 'listening', port: typeof address === 'object' && address !== null ? address.port : port })
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException
    tell({ type: 'failed', message, locked: /lock/i.test(message), portTaken: code === 'EADDRINUSE' })
    await shutDown()
  }
}

function tell(message: FromChild): void {
  process.send?.(message)
}

function shutDown(): Promise<void> {
  closing ??= close().finally(() => process.exit(0))
  return closing
}
