import type { BlobManifest } from '../blobs/blob.ts'
import { bytesOfPiece, checkPiece } from '../blobs/blob.ts'
import type { BlobDriver } from '../blobs/driver.ts'
import type { Fetch } from './fetch.ts'
import type { Line, PieceAsk, Source } from './line.ts'
import type { Manifests } from './manifests.ts'
import { codeOf, peerLacks } from './problems.ts'

/** So many peers are tried, one after the other, for somebody who cannot ask them. */
const MOST_TRIED = 3
const MOST_REMEMBERED = 10_000

export interface RoadsOptions {
  own: string
  lines: () => readonly Line[]
  /** The keys of all who say that they hold a file. */
  holders: (sha256: string) => readonly string[]
  /** Whether a node keeps every file, by its own policy. */
  keepsAll: (node: string) => boolean
  manifests: Manifests
  driver: Pick<BlobDriver, 'readPiece'>
  fetchOf: (sha256: string) => Fetch | undefined
  relayMs: number
}

/** Finds by whom a file can come: a peer that holds it, or, where none does, through peers. */
export class Roads {
  readonly #options: RoadsOptions
  /** Since when files are waited for that no peer has. */
  readonly #waiting = new Map<string, number>()

  constructor(options: RoadsOptions) {
    this.#options = options
  }

  /** Who can be asked for a file now. Peers that do not hold it are asked to ask others only if none does. */
  sources(sha256: string): Source[] {
    const { own } = this.#options
    const usable = this.#usable()
    const direct = this.#direct(sha256, usable)
    if (direct.length > 0) return direct.map((line) => ({ line, via: [] }))
    return usable.map((line) => ({ line, via: [own] }))
  }

  /**
   * How long a file is to be waited for, in milliseconds, before it is asked for: a peer that keeps everything is given time
   * to fetch it for itself first. Undefined while nobody can be asked.
   */
  waitMs(sha256: string): number | undefined {
    const { relayMs, keepsAll } = this.#options
    const usable = this.#usable()
    if (usable.length === 0) return undefined
    if (this.#direct(sha256, usable).length > 0) {
      this.#waiting.delete(sha256)
      return 0
    }
    const sinceMs = this.#waiting.get(sha256) ?? performance.now()
    if (this.#waiting.size > MOST_REMEMBERED) this.#waiting.clear()
    this.#waiting.set(sha256, sinceMs)
    const isComing = usable.some(({ key }) => key !== undefined && keepsAll(key))
    return Math.max(sinceMs + (isComing ? 6 * relayMs : relayMs) - performance.now(), 0)
  }

  /**
   * Gets a piece for somebody whose peers do not have it.
   *
   * @throws HyperactiveError `peer_lacks` when nobody gives it
   */
  async relay(ask: PieceAsk, signal: AbortSignal): Promise<Uint8Array> {
    const { own, manifests, fetchOf, driver } = this.#options
    const { sha256, index, via } = ask
    const manifest = await manifests.of(sha256)
    const lacking = peerLacks('of this node', `piece ${index} of ${sha256}`)
    if (!manifest || index >= manifest.pieces.length) throw lacking
    const fetch = fetchOf(sha256)
    if (fetch) {
      await fetch.piece(index)
      return driver.readPiece(manifest, index)
    }
    const usable = this.#usable().filter(({ key }) => key === undefined || !via.includes(key))
    const direct = this.#direct(sha256, usable)
    const further = [...new Set([...via, own])]
    const tried = direct.length > 0 ? direct : usable
    for (const line of tried.slice(0, MOST_TRIED)) {
      try {
        return await askWhole(line, { ...ask, via: direct.length > 0 ? [] : further }, manifest, signal)
      } catch (error) {
        signal.throwIfAborted()
        if (codeOf(error) === 'blob_mismatch' || codeOf(error) === 'peer_wrong_answer')
          line.health.lied('it passed on a piece with other bytes')
      }
    }
    throw lacking
  }

  #usable(): Line[] {
    return this.#options.lines().filter(({ isUp, health }) => isUp && !health.isDistrusted)
  }

  #direct(sha256: string, lines: readonly Line[]): Line[] {
    const holders = new Set(this.#options.holders(sha256))
    return lines.filter(({ key }) => key !== undefined && holders.has(key))
  }
}

async function askWhole(
  line: Line,
  ask: PieceAsk,
  manifest: BlobManifest,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafeSlow(bytesOfPiece(manifest, ask.index))
  let filled = 0
  const onBytes = (chunk: Uint8Array) => {
    bytes.set(chunk, filled)
    filled += chunk.length
  }
  await line.ask(ask, { signal, mostBytes: bytes.length, onBytes })
  checkPiece(manifest, ask.index, bytes.subarray(0, filled))
  return bytes
}
