import { setTimeout as pause } from 'node:timers/promises'
import { HyperactiveError, messageOf } from '../errors.ts'
import { logger } from '../log.ts'
import type { ProducedSite } from '../produce/produced-site.ts'
import { pauseBefore } from '../replication/pause.ts'
import { Changes } from './changes.ts'
import { Delivery } from './delivery.ts'
import { lockMirror } from './lock.ts'
import type { ChangedFacts, MirrorRecord } from './record.ts'
import type { Target } from './targets/target.ts'

const log = logger('mirrors')

/** For as long a command may have the mirror to itself. */
const LONGEST_LOCK_MS = 24 * 60 * 60_000
const SAVE_MS = 500

export interface CourierOptions {
  name: string
  data: string
  site: ProducedSite
  target: Target
  record: MirrorRecord
  longestPauseMs: number
}

/**
 * Keeps one mirror like the site, on its own: what changes is queued and sent at once, and when the target fails it is
 * tried again after ever longer pauses, while everything that changes meanwhile is gathered.
 */
export class Courier implements AsyncDisposable {
  readonly #options: CourierOptions
  readonly #changes = new Changes()
  readonly #delivery: Delivery
  readonly #stop = new AbortController()
  #wake = Promise.withResolvers<void>()
  #running: Promise<void> | undefined
  #saving: NodeJS.Timeout | undefined
  #facts: ChangedFacts = {}
  #refusedBefore = 0

  constructor(options: CourierOptions) {
    this.#options = options
    this.#delivery = new Delivery({
      ...options,
      changes: this.#changes,
      lock: () => this.#lock(),
      signal: this.#stop.signal,
    })
  }

  start(): void {
    this.#running ??= this.#run()
  }

  changed(paths: readonly string[]): void {
    this.#changes.add(paths)
    this.#wake.resolve()
    this.#say({})
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    this.#wake.resolve()
    await this.#running
    clearTimeout(this.#saving)
    this.#save({ ...this.#facts, state: 'stopped', nextRetry: undefined })
  }

  async #run(): Promise<void> {
    const { name, longestPauseMs } = this.#options
    const { signal } = this.#stop
    let failures = 0
    let isBegun = false
    while (!signal.aborted) {
      try {
        this.#wake = Promise.withResolvers()
        let mayBeMore = true
        while (mayBeMore && !signal.aborted) {
          if (this.#changes.size > 0) this.#say({ state: 'active' })
          if (!isBegun) await this.#delivery.begin()
          isBegun = true
          mayBeMore = await this.#delivery.step()
        }
        if (failures > 0) log.info('a mirror is back', { mirror: name })
        failures = 0
        this.#succeeded()
        await this.#wake.promise
      } catch (error) {
        if (signal.aborted) return
        failures += 1
        isBegun = false
        await this.#failed(error, failures, pauseBefore(failures, longestPauseMs))
      }
    }
  }

  #lock(): Promise<Disposable> {
    const { data, name } = this.#options
    return lockMirror(data, name, { mostMs: LONGEST_LOCK_MS, signal: this.#stop.signal })
  }

  #succeeded(): void {
    const { count, reason } = this.#delivery.refused
    if (count > this.#refusedBefore)
      log.warn('a mirror does not take some files', { mirror: this.#options.name, files: count })
    this.#refusedBefore = count
    this.#say({
      state: 'idle',
      lastSuccess: new Date().toISOString(),
      lastError: undefined,
      nextRetry: undefined,
      refused: count === 0 ? undefined : count,
      refusal: reason,
    })
  }

  /** Says so once, when an outage begins. */
  async #failed(failure: unknown, failures: number, pauseMs: number): Promise<void> {
    const code = failure instanceof HyperactiveError ? failure.code : undefined
    if (failures === 1)
      log.warn('a mirror cannot be brought up to date; it is tried again and again', {
        mirror: this.#options.name,
        code,
        reason: messageOf(failure),
      })
    const nextRetry = new Date(Date.now() + pauseMs).toISOString()
    this.#say({ state: 'backing-off', lastError: messageOf(failure), nextRetry })
    await pause(pauseMs, undefined, { signal: this.#stop.signal }).catch(() => undefined)
  }

  /** Keeps what commands show; not for each of many changes. */
  #say(facts: ChangedFacts): void {
    this.#facts = { ...this.#facts, ...facts }
    this.#saving ??= setTimeout(() => {
      this.#saving = undefined
      this.#save(this.#facts)
    }, SAVE_MS)
  }

  #save(facts: ChangedFacts): void {
    this.#facts = {}
    try {
      this.#options.record.note({ ...facts, behind: this.#changes.size })
    } catch (error) {
      log.warn('the state of a mirror cannot be saved', {
        mirror: this.#options.name,
        reason: messageOf(error),
      })
    }
  }
}
