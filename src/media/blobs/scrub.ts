import { createHash } from 'node:crypto'
import { Rate } from '../rate.ts'
import { bytesOfPiece } from './blob.ts'
import type { BlobManifest } from './blob.ts'
import { allBlobs } from './driver.ts'
import type { BlobDriver } from './driver.ts'
import { isCode } from './problems.ts'

export interface ScrubOptions {
  /** At most so many bytes are read in a second, counted over a piece. */
  bytesPerSecond: number
  /** Where an earlier run has ended. */
  after?: string | undefined
  signal?: AbortSignal | undefined
}

/** What a look at one blob has shown. */
export interface Scrubbed {
  sha256: string
  /** That were read. */
  bytes: number
  /**
   * `damaged`: what is here is not what it should be. `incomplete`: some pieces are here, which are looked at when the
   * last one comes.
   */
  state: 'sound' | 'damaged' | 'incomplete'
  /** Of a damaged one: its manifest, and which pieces have to come again. Undefined when all of it has to. */
  damage?: { manifest: BlobManifest; pieces: number[] }
}

/**
 * Reads all blobs and compares them with their names, one after the other, at a bounded rate, and tells what it found
 * of each: what to go on after when it is stopped is the last name.
 *
 * @throws HyperactiveError when the driver cannot be used; the signal's reason
 */
export async function* scrub(
  driver: Pick<BlobDriver, 'list' | 'stat' | 'readPiece'>,
  { bytesPerSecond, after, signal }: ScrubOptions,
): AsyncGenerator<Scrubbed> {
  const rate = new Rate(bytesPerSecond)
  for await (const { sha256, isWhole } of allBlobs(driver, after)) {
    signal?.throwIfAborted()
    if (!isWhole) {
      yield { sha256, bytes: 0, state: 'incomplete' }
      continue
    }
    const found = await look(driver, sha256, rate, signal)
    if (found) yield found
  }
}

/** Undefined for one that is gone by now. */
async function look(
  driver: Pick<BlobDriver, 'stat' | 'readPiece'>,
  sha256: string,
  rate: Rate,
  signal: AbortSignal | undefined,
): Promise<Scrubbed | undefined> {
  let manifest: BlobManifest | undefined
  try {
    manifest = await driver.stat(sha256)
  } catch (error) {
    if (!isDamage(error)) throw error
    return { sha256, bytes: 0, state: 'damaged' }
  }
  if (!manifest) return undefined
  const whole = createHash('sha256')
  const pieces: number[] = []
  let bytes = 0
  for (const index of manifest.pieces.keys()) {
    try {
      const piece = await driver.readPiece(manifest, index)
      whole.update(piece)
      bytes += piece.length
    } catch (error) {
      if (!isDamage(error)) throw error
      pieces.push(index)
    }
    await rate.took(bytesOfPiece(manifest, index), signal)
  }
  if (pieces.length > 0) {
    // Nobody looks for what was deleted meanwhile.
    const isThere = await driver.stat(sha256).catch((error: unknown) => isDamage(error))
    return isThere ? { sha256, bytes, state: 'damaged', damage: { manifest, pieces } } : undefined
  }
  return { sha256, bytes, state: whole.digest('hex') === sha256 ? 'sound' : 'damaged' }
}

function isDamage(error: unknown): boolean {
  return isCode(error, 'blob_damaged', 'blob_missing')
}
