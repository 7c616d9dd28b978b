import { join } from 'node:path'
import type { Config } from '../../config/config.ts'
import { HyperactiveError, messageOf } from '../../errors.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import { logger } from '../../log.ts'
import type { Site } from '../../project/site.ts'
import type { Written } from '../../project/site-writer.ts'
import type { BlobDriver } from '../blobs/driver.ts'
import type { Tools } from '../clean/tools.ts'
import { derive } from './derive.ts'
import type { Said } from './derive.ts'
import { JOB_STATES, JobFile } from './jobs.ts'
import type { Job, JobCounts, JobState } from './jobs.ts'
import { lookThrough } from './look-through.ts'
import { Maker } from './maker.ts'
import { gaveUp, isPassing, unknownJob, why } from './problems.ts'
import type { Sort } from './sorts.ts'
import { hasMedia, wantedBy } from './wanted.ts'
import type { Wanted } from './wanted.ts'
import { patienceMs } from './whose-turn.ts'

const log = logger('media')

/** A file that the node ended over so often is left alone. */
const MOST_CRASHES = 3
/** What could not be done for now is tried again after a minute, then after two, and so on up to an hour. */
const [LEAST_DELAY_MS, MOST_DELAY_MS] = [60_000, 60 * 60_000]
/** Timers cannot wait longer than 24 days. */
const MOST_WAIT_MS = 60 * 60_000
const LISTED = 200

export interface DerivationsOptions {
  /** The node's data folder. */
  data: string
  settings: Config['media']['derive']
  tools: Pick<Tools, 'ffmpeg'>
  blobs: BlobDriver
  site: Pick<Site, 'anyItem' | 'items' | 'files'>
  ledger: Pick<Ledger, 'append' | 'readMany' | 'node'>
  /** The keys of the network's members. */
  members: () => readonly string[]
  /** Milliseconds since 1970. */
  nowMs?: () => number
  /** Told when there is more or less to do. */
  onChange?: () => void
  /** Told of files that were kept for work which has come to nothing: they are to go unless something names them. */
  onLeft?: (digests: readonly string[]) => void
}

/** Where the work of a node is noted, in its data folder. */
export function derivationsFile(data: string): string {
  return join(data, 'derivations.sqlite')
}

interface Running {
  isPicture: boolean
  abort: AbortController
  ended: Promise<void>
}

/** Why work on a file ends when nobody needs it any more. */
const NOT_WANTED = new Error('the file is not to be shown any more')

/**
 * Makes smaller pictures, and films and sound that browsers play, of what items show, and says so in the ledger. What
 * is to be done is noted in a file: a node that ends goes on with it.
 */
export class Derivations implements AsyncDisposable {
  readonly #options: DerivationsOptions
  readonly #nowMs: () => number
  readonly #jobs: JobFile
  readonly #maker: Maker
  readonly #running = new Map<string, Running>()
  readonly #stop = new AbortController()
  #looking: Promise<void> = Promise.resolve()
  #isStarted = false
  #timer: NodeJS.Timeout | undefined
  #looksLater: NodeJS.Timeout | undefined

  private constructor(options: DerivationsOptions, jobs: JobFile, maker: Maker) {
    this.#options = options
    this.#nowMs = options.nowMs ?? Date.now
    this.#jobs = jobs
    this.#maker = maker
  }

  static async open(options: DerivationsOptions): Promise<Derivations> {
    const { data, settings, tools, blobs } = options
    const maker = await Maker.open({
      blobs,
      tools,
      folder: join(data, 'media-deriving'),
      mostMs: settings.hours * 60 * 60_000,
    })
    const derivations = new Derivations(options, JobFile.open(derivationsFile(data)), maker)
    derivations.#takeUp()
    return derivations
  }

  /** The version of ffmpeg that makes films and sound; without one only pictures are made. */
  get ffmpeg(): string | undefined {
    return this.#maker.ffmpeg?.version
  }

  /** Begins to work, and looks once through the site, as the node may have been away. */
  start(projected: Promise<void> = Promise.resolve()): void {
    this.#isStarted = true
    this.#next()
    this.#look(projected)
  }

  /** To be called after documents of the site database were written. */
  written({ documents }: Pick<Written, 'documents'>): void {
    const concerned = documents.filter(({ before, after }) => hasMedia(before) || hasMedia(after))
    if (concerned.length === 0) return
    this.#note(() => {
      for (const { id, after } of concerned) this.#take(id, after)
    })
    this.#changed()
  }

  /** What is done, is to be done, or could not be, the latest change first. */
  list({
    states = JOB_STATES,
    limit = LISTED,
  }: { states?: readonly JobState[]; limit?: number } = {}): Job[] {
    return this.#jobs.list(states, limit)
  }

  /** Whether a file was made of something, and no document says so yet. */
  isWaiting(sha256: string): boolean {
    return this.#jobs.isKept(sha256)
  }

  /** Ends the work for an item that is not to exist any more; resolves when nothing is made for it. */
  async leaveItem(item: string): Promise<void> {
    this.#note(() => this.#take(item, undefined))
    const ending = [...this.#running.values()].filter(({ abort }) => abort.signal.aborted)
    await Promise.all(ending.map(({ ended }) => ended))
    this.#sweep()
  }

  counts(): JobCounts {
    return this.#jobs.counts()
  }

  /**
   * Has a file worked on again that failed, or that waits.
   *
   * @throws HyperactiveError `derive_unknown`
   */
  retry(id: string): void {
    const job = this.#jobs.get(id)
    if (!job || (job.state !== 'failed' && job.state !== 'waiting')) throw unknownJob()
    const nowMs = this.#nowMs()
    this.#jobs.set(job, { state: 'waiting', changedMs: nowMs, dueMs: nowMs, crashes: 0, delays: 0 })
    this.#changed()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    clearTimeout(this.#timer)
    clearTimeout(this.#looksLater)
    await Promise.all([this.#looking, ...[...this.#running.values()].map(({ ended }) => ended)])
    this.#jobs[Symbol.dispose]()
  }

  /** The process before this one may have been killed. */
  #takeUp(): void {
    const changedMs = this.#nowMs()
    for (const job of this.#jobs.interrupted()) {
      const crashes = job.crashes + 1
      if (crashes < MOST_CRASHES) this.#jobs.set(job, { state: 'waiting', changedMs, crashes })
      else this.#fail(job, gaveUp(crashes), crashes)
    }
    if (!this.ffmpeg) this.#jobs.removeStreams()
  }

  #look(projected?: Promise<void>): void {
    const look = async () => {
      await projected
      await lookThrough(this.#options.site, (item) => this.#take(item._id, item), this.#stop.signal)
      // Whose end could not be noted.
      const stuck = this.#jobs.interrupted().filter(({ id }) => !this.#running.has(id))
      for (const job of stuck) this.#jobs.set(job, { state: 'waiting', changedMs: this.#nowMs() })
      this.#sweep()
      this.#changed()
    }
    this.#looking = look().catch((error: unknown) => {
      if (this.#stop.signal.aborted) return
      log.warn('the site was not looked through for files', { reason: messageOf(error) })
      this.#lookLater()
    })
  }

  /** Lets go of what was kept for work that has come to nothing. */
  #sweep(): void {
    if (!this.#isStarted) return
    this.#note(() => {
      const idle = this.#jobs.leftBehind().filter((id) => !this.#running.has(id))
      const left = idle.flatMap((id) => this.#jobs.takeKept(id))
      if (left.length > 0) this.#options.onLeft?.(left)
    })
  }

  #lookLater(): void {
    if (this.#stop.signal.aborted) return
    clearTimeout(this.#looksLater)
    this.#looksLater = setTimeout(() => this.#look(), LEAST_DELAY_MS).unref()
  }

  /**
   * Writes into the list. Where that fails, as on a full disk, nobody else is to be kept from anything: what is missing
   * is found in the site later.
   */
  #note(write: () => void): boolean {
    try {
      write()
      return true
    } catch (error) {
      log.warn('what is to be made of files cannot be noted', { reason: messageOf(error) })
      this.#lookLater()
      return false
    }
  }

  /** Notes what is to be made for an item as it is now, and forgets what is not any more. */
  #take(item: string, document: object | undefined): void {
    const wanted = wantedBy(document)
    const known = new Map(this.#jobs.ofItem(item).map((job) => [job.sha256, job]))
    for (const [sha256, job] of known) {
      const still = wanted.get(sha256)
      // What works on it looks itself whether another node was faster.
      if (still && (!still.isMade || job.state === 'working' || job.state === 'done')) continue
      this.#running.get(job.id)?.abort.abort(NOT_WANTED)
      this.#jobs.remove(job)
    }
    for (const [sha256, one] of wanted) if (!known.has(sha256) && !one.isMade) this.#add(item, sha256, one)
  }

  #add(item: string, sha256: string, { sort, file, signer }: Wanted): void {
    if (!this.#makes(sort)) return
    const { ledger, members } = this.#options
    const changedMs = this.#nowMs()
    const asked = { own: ledger.node, signer, members: members(), sha256, durationMs: file.durationMs }
    this.#jobs.add({ item, sha256, sort, file, changedMs, dueMs: changedMs + patienceMs(asked) })
  }

  #makes(sort: Sort): boolean {
    return sort === 'picture' || this.#maker.ffmpeg !== undefined
  }

  #changed(): void {
    if (this.#stop.signal.aborted) return
    this.#options.onChange?.()
    this.#next()
  }

  /** Works on what is due: pictures do not wait for films, which may take hours. */
  #next(): void {
    if (!this.#isStarted || this.#stop.signal.aborted) return
    const nowMs = this.#nowMs()
    for (const isPicture of [true, false]) {
      const busy = [...this.#running.values()].filter((one) => one.isPicture === isPicture).length
      for (let free = this.#options.settings.atOnce - busy; free > 0; free -= 1) {
        const job = this.#jobs.due(isPicture, nowMs)
        const isBegun = job && this.#note(() => this.#jobs.set(job, { state: 'working', changedMs: nowMs }))
        if (!job || !isBegun) break
        this.#begin(job, isPicture)
      }
    }
    clearTimeout(this.#timer)
    const dueMs = this.#jobs.nextDueMs(nowMs)
    if (dueMs !== undefined)
      this.#timer = setTimeout(() => this.#next(), Math.min(dueMs - nowMs, MOST_WAIT_MS)).unref()
  }

  #begin(job: Job, isPicture: boolean): void {
    const abort = new AbortController()
    const running = { isPicture, abort, ended: Promise.resolve() }
    running.ended = this.#work(job, AbortSignal.any([abort.signal, this.#stop.signal])).then(() => {
      if (this.#running.get(job.id) === running) this.#running.delete(job.id)
      this.#sweep()
      this.#changed()
    })
    this.#running.set(job.id, running)
  }

  async #work(job: Job, signal: AbortSignal): Promise<void> {
    try {
      const said = await derive(job, signal, { ...this.#options, jobs: this.#jobs, maker: this.#maker })
      this.#note(() => {
        if (said) this.#done(job, said)
        else this.#jobs.remove(job)
      })
    } catch (error) {
      this.#note(() => {
        if (this.#stop.signal.aborted) this.#jobs.set(job, { state: 'waiting', changedMs: this.#nowMs() })
        // When it is not wanted any more, it is off the list already.
        else if (!signal.aborted) this.#failed(job, error)
      })
    }
  }

  /** What was kept in an earlier try, and is not among it, is named by nobody. */
  #done(job: Job, { document, files }: Said): void {
    this.#jobs.done(job, document, this.#nowMs())
    const named = new Set(files.map(({ sha256 }) => sha256))
    const left = this.#jobs.takeKept(job.id).filter((sha256) => !named.has(sha256))
    if (left.length > 0) this.#options.onLeft?.(left)
  }

  #failed(job: Job, error: unknown): void {
    if (isPassing(error)) this.#delay(job, error)
    else if (error instanceof HyperactiveError) this.#fail(job, error, job.crashes)
    else if (job.crashes + 1 < MOST_CRASHES) this.#delay({ ...job, crashes: job.crashes + 1 }, error)
    else this.#fail(job, error, job.crashes + 1)
  }

  /** It is this node's state that is in the way: a full disk, a store that is away, a file that is not here. */
  #delay(job: Job, error: unknown): void {
    const nowMs = this.#nowMs()
    const delayMs = Math.min(MOST_DELAY_MS, LEAST_DELAY_MS * 2 ** Math.min(job.delays, 10))
    const { code, reason } = why(error)
    log.info('something is made of a file later', { sort: job.sort, code })
    const to = { state: 'waiting', changedMs: nowMs, dueMs: nowMs + delayMs, code, reason } as const
    this.#jobs.set(job, { ...to, delays: job.delays + 1, crashes: job.crashes })
  }

  #fail(job: Job, error: unknown, crashes: number): void {
    const { code, reason } = why(error)
    log.warn('nothing could be made of a file', { sort: job.sort, code })
    this.#jobs.set(job, { state: 'failed', changedMs: this.#nowMs(), crashes, code, reason })
  }
}
