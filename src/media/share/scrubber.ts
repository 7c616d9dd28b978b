import { setTimeout as pause } from 'node:timers/promises'
import { messageOf } from '../../errors.ts'
import { logger } from '../../log.ts'
import type { BlobManifest } from '../blobs/blob.ts'
import type { BlobDriver } from '../blobs/driver.ts'
import { scrub } from '../blobs/scrub.ts'
import type { Scrubbed } from '../blobs/scrub.ts'
import type { Files } from './files.ts'

const log = logger('media')

/** When everything has been looked at, it is begun again after so long. */
const REST_MS = 60 * 60_000
/** What could not be mended is tried again after so long. */
const AGAIN_MS = 60_000
const FAILED_MS = 30_000
/** Where a look has ended is written down this often, and at the end. */
const NOTE_MS = 5000
const PLACE = 'scrubbed'
const MOST = 1000

/** A file that is not what it should be, and has not been mended. */
export interface Damage {
  sha256: string
  /** ISO 8601. */
  since: string
  /** The pieces that have other bytes; unknown where all of it has to come again. */
  manifest?: BlobManifest
  pieces?: number[]
  /** Why it is not mended yet. */
  problem?: string
}

/** How far the look at all files has come. */
export interface ScrubState {
  /** How many were looked at since the start, and how many of these were damaged. */
  looked: number
  found: number
  mended: number
  /** When the last look at everything ended, ISO 8601. */
  lastWhole?: string
}

export interface ScrubberOptions {
  driver: BlobDriver
  files: Files
  bytesPerSecond: number
  /** Reads one file and compares it with its name. */
  lookAt: (sha256: string) => Promise<Scrubbed | undefined>
  /** Fetches what is damaged from peers; resolves when it is sound again. */
  mend: (damage: Damage) => Promise<void>
  onDamage: (damage: Damage, isMended: boolean) => void
}

/** Looks at all files again and again, slowly, and has mended what is damaged. */
export class Scrubber {
  readonly #options: ScrubberOptions
  readonly damaged = new Map<string, Damage>()
  readonly state: ScrubState = { looked: 0, found: 0, mended: 0 }

  constructor(options: ScrubberOptions) {
    this.#options = options
  }

  /** Goes on until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const mending = this.#mendAll(signal)
    while (!signal.aborted) {
      try {
        await this.once(signal)
        await rest(REST_MS, signal)
      } catch (error) {
        if (signal.aborted) break
        log.warn('files cannot be looked at', { reason: messageOf(error) })
        await rest(FAILED_MS, signal)
      }
    }
    await mending
  }

  /** Looks at everything, from where the last look has ended. */
  async once(signal: AbortSignal): Promise<void> {
    const { driver, files, bytesPerSecond } = this.#options
    let after = files.meta(PLACE)
    let notedMs = performance.now()
    try {
      for await (const { sha256, state, damage } of scrub(driver, { bytesPerSecond, after, signal })) {
        after = sha256
        if (state !== 'incomplete') this.state.looked += 1
        if (state === 'damaged') await this.found(sha256, damage)
        if (performance.now() - notedMs < NOTE_MS) continue
        notedMs = performance.now()
        files.setMeta(PLACE, after)
      }
      after = ''
      this.state.lastWhole = new Date().toISOString()
    } finally {
      files.setMeta(PLACE, after ?? '')
    }
  }

  /** Somebody has seen that a file is damaged: it is looked at. */
  async lookAt(sha256: string): Promise<void> {
    try {
      const found = this.damaged.has(sha256) ? undefined : await this.#options.lookAt(sha256)
      if (found?.state === 'damaged') await this.found(sha256, found.damage)
    } catch (error) {
      log.warn('a file cannot be looked at', { file: sha256, reason: messageOf(error) })
    }
  }

  /** A file is damaged: whoever has found out. It is mended if a peer has it. */
  async found(sha256: string, damage?: { manifest: BlobManifest; pieces: number[] }): Promise<void> {
    if (this.damaged.has(sha256) || this.damaged.size >= MOST) return
    this.state.found += 1
    const known = { sha256, since: new Date().toISOString(), ...damage }
    this.damaged.set(sha256, known)
    this.#options.onDamage(known, false)
    log.warn('a file is damaged here', { file: sha256, pieces: damage?.pieces.length })
    await this.#mend(known)
  }

  async #mend(damage: Damage): Promise<void> {
    const { mend, onDamage } = this.#options
    try {
      await mend(damage)
      this.damaged.delete(damage.sha256)
      this.state.mended += 1
      onDamage(damage, true)
      log.info('a file was mended', { file: damage.sha256 })
    } catch (error) {
      damage.problem = messageOf(error)
    }
  }

  async #mendAll(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await rest(AGAIN_MS, signal)
      for (const damage of this.damaged.values()) {
        if (signal.aborted) return
        await this.#mend(damage)
      }
    }
  }
}

async function rest(ms: number, signal: AbortSignal): Promise<void> {
  await pause(ms, undefined, { signal }).catch(() => undefined)
}
