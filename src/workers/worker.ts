import { HyperactiveError, messageOf } from '../errors.ts'
import { listen } from '../web/listen.ts'
import { Front } from './front.ts'
import type { FromWorker, Serve, ToWorker } from './messages.ts'

/**
 * A worker's process: it listens where the node told it to and answers readers. It lives exactly as long as the node wants
 * it; a closed channel, however the node ended, ends it. Ctrl-C and a service manager's stop are the node's to decide about.
 */
let running: AsyncDisposable | undefined

for (const event of ['SIGINT', 'SIGTERM']) process.on(event, () => {})
process.on('message', (message: ToWorker) => {
  if (message.type === 'stop') void stop()
  else void serve(message)
})

async function serve({ host, port, connections, front: options }: Serve): Promise<void> {
  await using stack = new AsyncDisposableStack()
  try {
    const front = stack.use(new Front(options))
    const { address } = stack.use(await listen(front.handler, { host, port, most: connections }))
    running = stack.move()
    tell({ type: 'listening', address })
  } catch (error) {
    const known = error instanceof HyperactiveError ? error : undefined
    const { code = 'cannot_listen', status = 500 } = known ?? {}
    tell({ type: 'failed', code, status, message: messageOf(error) })
  }
}

async function stop(): Promise<void> {
  await running?.[Symbol.asyncDispose]()
  process.disconnect()
}

function tell(message: FromWorker): void {
  process.send?.(message)
}
