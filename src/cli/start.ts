import { once } from 'node:events'
import { Command } from 'commander'
import { messageOf } from '../errors.ts'
import { logger } from '../log.ts'
import { startNode } from '../node.ts'
import { settingsOf, withExamples, withSettings } from './context.ts'

const log = logger('node')

/** `hyperactive start` */
export function startCommand(): Command {
  const command = withSettings(new Command('start'))
    .description('run a node until it is told to stop (Ctrl-C)')
    .action(async () => {
      const stop = new AbortController()
      const stopped = untilStopped().then(() => stop.abort())
      keepRunning()
      const starting = startNode(settingsOf(command), { waiting, signal: stop.signal })
      await using node = await starting.catch((error: unknown) => {
        if (!stop.signal.aborted) throw error
        return undefined
      })
      if (!node) return
      const { config, address } = node
      const { mirror } = config
      const publish = mirror ? mirror.publishAt.join(', ') : `${address}/publish`
      process.stdout.write(`${config.site.name} is ready${mirror ? ' as a mirror, for reading only' : ''}\n`)
      process.stdout.write(`  read     ${address}/\n  publish  ${publish}\n  data     ${config.data}\n`)
      if (node.setUp !== undefined) {
        const url = config.url ?? address
        process.stdout.write(
          `  set up   ${url}/set-up/${node.setUp}\n           makes the first administrator, once\n`,
        )
      }
      const { lost } = node
      // A signal that has aborted says so to nobody any more.
      lost?.throwIfAborted()
      await Promise.race([stopped, ...(lost ? [once(lost, 'abort')] : [])])
      lost?.throwIfAborted()
    })
  return withExamples(
    command,
    'start',
    'start --data /srv/hyperactive --port 8080 --url https://news.example.org',
  )
}

/** What is said while another process on the same CouchDB writes. */
function waiting(address: string): void {
  process.stdout.write(`another process writes on this CouchDB; this one answers readers until it ends\n`)
  process.stdout.write(`  read     ${address}/\n`)
}

/**
 * PouchDB's replication asks for a database's info without catching a failure, so that any cut connection would end
 * the process. What nobody caught is logged, and the node goes on.
 */
function keepRunning(): void {
  process.on('unhandledRejection', (error) => {
    const where = error instanceof Error ? (error.stack ?? '').split('\n')[1]?.trim() : undefined
    log.warn('something failed without anybody waiting for it', { reason: messageOf(error), where })
  })
}

/** Resolves at the first SIGINT or SIGTERM, or when the process that started this one by fork goes away. */
function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    for (const event of ['SIGINT', 'SIGTERM', 'disconnect']) process.once(event, () => resolve())
  })
}
