import { createHash } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Database } from '../../couch/database.ts'
import { HyperactiveError, messageOf } from '../../errors.ts'
import { logger } from '../../log.ts'
import type { Counts, Queue } from '../queue.ts'

const log = logger('notices')

/** Remembers over a restart when notices were sent, and of what. */
const SENT = '_local/notices'
const LOOK_MS = 20_000
const FIRST_PAUSE_MS = 30_000
const LONGEST_PAUSE_MS = 60 * 60_000

/** What a notice says: numbers alone, because mail travels open. */
export type Notice = Counts

/** A way by which moderators get notices. */
export interface Channel {
  name: string
  /** Resolves when the other side has taken it; it gives up by itself. */
  send(notice: Notice, signal: AbortSignal): Promise<void>
}

export interface NoticesOptions {
  queue: Pick<Queue, 'open'>
  office: Database
  channels: readonly Channel[]
  /** At most one notice by each channel in that time. */
  everyMs: number
  lookMs?: number
  firstPauseMs?: number
  /** Milliseconds since 1970. */
  now?: () => number
}

/** When a channel last sent something, and what all that waited then comes to. */
interface Sent {
  sentMs: number
  digest: string
}

interface ChannelState extends Sent {
  channel: Channel
  /** What the last notice by it was about; empty after a restart. */
  told: ReadonlySet<string>
  failures: number
  notBeforeMs: number
}

/**
 * Tells moderators by mail and the like that something waits for them. A notice is made of what there is when it is
 * sent, so one that could not be sent loses nothing: the next one says it.
 */
export class Notices implements AsyncDisposable {
  readonly #options: Required<NoticesOptions>
  readonly #states: ChannelState[]
  readonly #stop = new AbortController()
  #running: Promise<void> | undefined
  #isRead = false

  constructor(options: NoticesOptions) {
    this.#options = { lookMs: LOOK_MS, firstPauseMs: FIRST_PAUSE_MS, now: Date.now, ...options }
    this.#states = options.channels.map((channel) => ({
      channel,
      told: new Set(),
      sentMs: 0,
      digest: '',
      failures: 0,
      notBeforeMs: 0,
    }))
  }

  /** Looks now and then, until disposed. */
  start(): void {
    if (this.#states.length > 0) this.#running = this.#run()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  /** Looks once, and tells what is new by every channel that may. */
  async look(): Promise<void> {
    const { everyMs, now } = this.#options
    if (!this.#isRead) await this.#read()
    const due = this.#states.filter(
      ({ sentMs, notBeforeMs }) => sentMs + everyMs <= now() && notBeforeMs <= now(),
    )
    if (due.length === 0) return
    const open = await this.#options.queue.open()
    const notice = {
      waiting: open.waiting.length,
      reported: open.reported.length,
      matched: open.matched.length,
    }
    const all = Object.entries(open).flatMap(([part, targets]) =>
      targets.map((target) => `${part} ${target}`),
    )
    const digest = createHash('sha256').update(all.sort().join('\n')).digest('hex')
    const isNew = ({ told, digest: before }: ChannelState) =>
      digest !== before && all.some((one) => !told.has(one))
    const telling = due.filter(isNew)
    const sent = await Promise.all(telling.map((state) => this.#tell(state, notice)))
    for (const state of due) {
      if (telling.includes(state) && sent[telling.indexOf(state)] !== true) continue
      // What is done with and comes again is new again.
      state.told = new Set(all)
      state.digest = digest
    }
    if (sent.includes(true)) await this.#write()
  }

  /** Sends a notice; gives whether it was taken. */
  async #tell(state: ChannelState, notice: Notice): Promise<boolean> {
    const { firstPauseMs, now } = this.#options
    try {
      await state.channel.send(notice, this.#stop.signal)
      state.sentMs = now()
      state.failures = 0
      return true
    } catch (error) {
      if (this.#stop.signal.aborted) return false
      const pauseMs = Math.min(firstPauseMs * 2 ** state.failures, LONGEST_PAUSE_MS)
      state.failures += 1
      state.notBeforeMs = now() + pauseMs
      const code = error instanceof HyperactiveError ? error.code : 'notice_failed'
      log.warn('a notice was not taken; it is tried again', { by: state.channel.name, code, pauseMs })
      return false
    }
  }

  async #read(): Promise<void> {
    const { sent = {} } = ((await this.#options.office.get(SENT)) ?? {}) as { sent?: Record<string, Sent> }
    for (const state of this.#states) Object.assign(state, sent[state.channel.name])
    this.#isRead = true
  }

  async #write(): Promise<void> {
    const before = await this.#options.office.get(SENT)
    const sent: Record<string, Sent> = {}
    for (const { channel, sentMs, digest } of this.#states) sent[channel.name] = { sentMs, digest }
    const document = { _id: SENT, ...(before ? { _rev: before._rev } : {}), sent }
    await this.#options.office.put(document)
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      try {
        await this.look()
      } catch (error) {
        if (signal.aborted) return
        log.warn('what waits for moderators cannot be counted', { reason: messageOf(error) })
      }
      await pause(this.#options.lookMs, undefined, { signal }).catch(() => undefined)
    }
  }
}
