import cluster from 'node:cluster'
import type { Worker } from 'node:cluster'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { HyperactiveError, messageOf } from '../errors.ts'
import { logger } from '../log.ts'
import { cannotListen } from '../web/listen.ts'
import type { Listening } from '../web/listen.ts'
import type { FromWorker, Serve, ToWorker } from './messages.ts'

const log = logger('workers')

const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 5000
/** A worker that lived this long did not die of its start. */
const HEALTHY_MS = 10_000
/** After the two seconds that requests under way have to end. */
const STOP_MS = 5000

export interface CrewOptions extends Omit<Serve, 'type'> {
  count: number
}

/**
 * Starts processes that share one listening socket and answer readers in front of the node. One that dies is started
 * again, after a pause that doubles from 100 ms to 5 s.
 *
 * @throws HyperactiveError `port_taken` or `cannot_listen`
 */
export async function startCrew({ count, ...serve }: CrewOptions): Promise<Listening> {
  const port = await freePort(serve)
  // Each worker takes connections itself; in turns, the node's process would have to hand each of them on.
  cluster.schedulingPolicy = cluster.SCHED_NONE
  cluster.setupPrimary({
    exec: join(import.meta.dirname, 'worker.ts'),
    args: [],
    execArgv: ['--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const stopping = new AbortController()
  const places = Array.from({ length: count }, () => new Place({ type: 'serve', ...serve, port }))
  const stop = async () => {
    stopping.abort()
    await Promise.all(places.map((place) => place.stop()))
  }
  try {
    const [address = ''] = await Promise.all(places.map((place) => place.start()))
    const kept = places.map((place) => place.keep(stopping.signal))
    return {
      address,
      async [Symbol.asyncDispose]() {
        await stop()
        await Promise.all(kept)
      },
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** One of the processes, and those that take its place when it dies. */
class Place {
  readonly #serve: Serve
  #worker: Worker | undefined

  constructor(serve: Serve) {
    this.#serve = serve
  }

  /** Starts it and gives the address at which it listens. */
  async start(): Promise<string> {
    const worker = cluster.fork()
    this.#worker = worker
    // A channel that breaks is seen by the end of the process.
    worker.on('error', () => undefined)
    const answered = Promise.race([once(worker, 'message'), once(worker, 'exit').then(() => undefined)])
    send(worker, this.#serve)
    const [answer] = ((await answered) ?? []) as [FromWorker?]
    if (answer?.type === 'listening') return answer.address
    worker.process.kill('SIGKILL')
    if (!answer)
      throw new HyperactiveError('cannot_listen', 'a worker ended while it started; start the node again')
    throw new HyperactiveError(answer.code, answer.message, { status: answer.status })
  }

  /** Starts another one whenever one dies. */
  async keep(signal: AbortSignal): Promise<void> {
    let pauseMs = FIRST_PAUSE_MS
    while (!signal.aborted) {
      const since = Date.now()
      await this.#ended()
      if (signal.aborted) return
      if (Date.now() - since >= HEALTHY_MS) pauseMs = FIRST_PAUSE_MS
      log.warn('a worker ended; starting another one', { pauseMs })
      await pause(pauseMs, undefined, { signal }).catch(() => undefined)
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)
      if (signal.aborted) return
      try {
        await this.start()
      } catch (error) {
        log.error('a worker does not start', { reason: messageOf(error) })
      }
    }
  }

  async stop(): Promise<void> {
    const worker = this.#worker
    if (!worker || hasEnded(worker)) return
    const timer = setTimeout(() => worker.process.kill('SIGKILL'), STOP_MS)
    send(worker, { type: 'stop' })
    await this.#ended()
    clearTimeout(timer)
  }

  async #ended(): Promise<void> {
    const worker = this.#worker
    if (worker && !hasEnded(worker)) await once(worker, 'exit')
  }
}

function hasEnded({ process: child }: Worker): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

function send(worker: Worker, message: ToWorker): void {
  if (worker.isConnected()) worker.send(message, () => undefined)
}

/** Finds out before any worker starts whether the port can be had, and which one it is where any will do. */
async function freePort({ host, port }: { host: string; port: number }): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve, reject) => {
    probe.once('error', reject)
    probe.listen(port, host, resolve)
  }).catch((error: unknown) => {
    throw cannotListen(error, { host, port })
  })
  const bound = probe.address()
  probe.close()
  await once(probe, 'close')
  return typeof bound === 'object' && bound !== null ? bound.port : port
}
