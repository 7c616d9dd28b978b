import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Database } from '../couch/database.ts'
import { isCouchError } from '../couch/request.ts'
import { HyperactiveError, messageOf } from '../errors.ts'
import { logger } from '../log.ts'

const log = logger('lease')

/** In the database of sessions, which is this node's alone. CouchDB does not compare revisions of `_local` documents. */
const ID = 'writer'
const WRITER_LOST =
  'another process has begun to write on this CouchDB, which this one did not reach for a while; start it again'

interface LeaseDocument {
  _id: string
  _rev?: string
  type: 'writer'
  /** The data folder of the process that writes, */
  holder: string
  /** and this very process. */
  process: string
  /** Where others reach it; absent while it starts. */
  address?: string
  /** So that each renewal is another revision. */
  renewed: number
}

export interface LeaseOptions {
  database: Database
  /** Names this process, also after a restart. */
  holder: string
  /** How often the holder says that it lives, and others look. */
  everyMs?: number
  /** A lease that has not been renewed for so long has ended. Nobody's clock is compared with another's. */
  endsAfterMs?: number
}

/**
 * Which of the processes on one CouchDB writes: the one that a document names. It renews it; the others look, and one of
 * them takes it over when it was not renewed for long enough, or was given back.
 */
export class Lease implements AsyncDisposable {
  readonly #database: Database
  readonly #holder: string
  readonly #process = randomUUID()
  readonly #everyMs: number
  readonly #endsAfterMs: number
  readonly #stop = new AbortController()
  readonly #lost = new AbortController()
  #held: LeaseDocument | undefined
  #address: string | undefined
  #seen: { rev: string; sinceMs: number } | undefined
  #renewing: Promise<void> | undefined

  constructor({ database, holder, everyMs = 3000, endsAfterMs = 15_000 }: LeaseOptions) {
    this.#database = database
    this.#holder = holder
    this.#everyMs = everyMs
    this.#endsAfterMs = endsAfterMs
  }

  /** Aborts with `writer_lost` when this process held the lease and another one has it now: it is to stop writing at once. */
  get lost(): AbortSignal {
    return this.#lost.signal
  }

  /** Takes the lease if nobody else has it. From then on it is renewed until this is disposed. */
  async take(): Promise<boolean> {
    const found = (await this.#database.get(ID)) as LeaseDocument | undefined
    if (found && found.holder !== this.#holder && !this.#hasEnded(found)) return false
    const renewed = (found?.renewed ?? 0) + 1
    const wanted = { type: 'writer', holder: this.#holder, process: this.#process, renewed } as const
    const taken = await this.#put({ _id: ID, ...(found?._rev ? { _rev: found._rev } : {}), ...wanted })
    if (!taken) return false
    this.#held = taken
    this.#renewing = this.#renew()
    return true
  }

  /** Where the process is reached that writes, by HTTP; undefined while nobody does, or nobody knows. */
  async writer(): Promise<string | undefined> {
    const found = (await this.#database.get(ID)) as LeaseDocument | undefined
    const { address, holder } = found ?? {}
    if (holder === this.#holder || typeof address !== 'string') return undefined
    return URL.parse(address)?.protocol === 'http:' ? address : undefined
  }

  /** Tells the others where this process is reached, at once or with the next renewal. */
  async announce(address: string): Promise<void> {
    this.#address = address
    const put = this.#held && (await this.#put(this.#next(this.#held)))
    if (put) this.#held = put
  }

  /** Resolves when this process has the lease, or the signal says that it is not wanted any more. */
  async awaited(signal: AbortSignal, looked: () => Promise<void>): Promise<boolean> {
    while (!signal.aborted) {
      try {
        if (await this.take()) return true
        await looked()
      } catch (error) {
        log.warn('the store does not say who writes; looking again', { reason: messageOf(error) })
      }
      await pause(this.#everyMs, undefined, { signal }).catch(() => undefined)
    }
    return false
  }

  /** Gives the lease back, so that another process takes over without waiting. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#renewing
    const held = this.#held
    if (!held?._rev || this.#lost.signal.aborted) return
    await this.#database.delete(ID, held._rev).catch(() => undefined)
  }

  #hasEnded({ _rev: rev = '' }: LeaseDocument): boolean {
    const now = performance.now()
    if (this.#seen?.rev !== rev) this.#seen = { rev, sinceMs: now }
    return now - this.#seen.sinceMs >= this.#endsAfterMs
  }

  /** Without its store this process writes nothing either, so that only another holder ends the lease. */
  async #renew(): Promise<void> {
    for (;;) {
      await pause(this.#everyMs, undefined, { signal: this.#stop.signal }).catch(() => undefined)
      if (this.#stop.signal.aborted || !this.#held) return
      try {
        const put = await withinMs(this.#endsAfterMs, this.#put(this.#next(this.#held)))
        this.#held = put ?? (await this.#stillHeld())
      } catch (error) {
        log.warn('the lease cannot be renewed; trying again', { reason: messageOf(error) })
        continue
      }
      if (this.#held) continue
      this.#lost.abort(new HyperactiveError('writer_lost', WRITER_LOST))
      return
    }
  }

  #next(held: LeaseDocument): LeaseDocument {
    const address = this.#address === undefined ? {} : { address: this.#address }
    return { ...held, ...address, renewed: held.renewed + 1 }
  }

  /** The document when this process wrote it last, without having heard that it did. */
  async #stillHeld(): Promise<LeaseDocument | undefined> {
    const found = await withinMs(this.#endsAfterMs, this.#database.get(ID))
    const document = found as LeaseDocument | undefined
    return document?.process === this.#process ? document : undefined
  }

  /** Writes the document unless somebody else did; gives it as it stands then. */
  async #put(document: LeaseDocument): Promise<LeaseDocument | undefined> {
    try {
      const { rev } = await this.#database.put(document)
      return { ...document, _rev: rev }
    } catch (error) {
      if (isCouchError(error, 409)) return undefined
      throw error
    }
  }
}

/** A store that says nothing is as good as none. */
async function withinMs<Value>(boundMs: number, work: Promise<Value>): Promise<Value> {
  const bound = new AbortController()
  const tooLate = pause(boundMs, undefined, { signal: bound.signal }).then(() => {
    throw new Error('the store did not answer')
  })
  try {
    return await Promise.race([work, tooLate])
  } finally {
    bound.abort()
    tooLate.catch(() => undefined)
    work.catch(() => undefined)
  }
}
