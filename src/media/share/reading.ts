import { setTimeout as pause } from 'node:timers/promises'
import type { BlobManifest } from '../blobs/blob.ts'
import { PIECE_BYTES } from '../blobs/blob.ts'
import type { BlobDriver, BlobReading, ByteRange } from '../blobs/driver.ts'
import { pulled } from '../blobs/pulled.ts'
import { rangeIn } from '../blobs/range.ts'
import type { Fetch } from './fetch.ts'
import { notHere } from './problems.ts'

export interface ThroughOptions {
  manifest: BlobManifest
  range: ByteRange
  driver: Pick<BlobDriver, 'readPiece'>
  fetch: Fetch
  /** How long is waited for the first bytes, and then for the next ones. */
  patienceMs: { first: number; next: number }
  /** Called when nothing is read any more. */
  leave: () => void
}

/**
 * Reads a file, or a range of it, while it comes. Nothing is answered before the first piece is here; what does not come in
 * time later is an error in the stream.
 *
 * @throws HyperactiveError `blob_not_here_yet`, `blob_bad_range`
 */
export async function readThrough({
  manifest,
  range,
  driver,
  fetch,
  patienceMs,
  leave,
}: ThroughOptions): Promise<BlobReading> {
  try {
    const { first, last } = rangeIn(manifest.bytes, range)
    let at = first
    await inTime(fetch, Math.floor(first / PIECE_BYTES), patienceMs.first)
    const stream = pulled(
      async () => {
        if (at > last) return undefined
        const index = Math.floor(at / PIECE_BYTES)
        await inTime(fetch, index, patienceMs.next)
        const piece = await driver.readPiece(manifest, index)
        const begin = index * PIECE_BYTES
        const part = piece.subarray(at - begin, last + 1 - begin)
        at += part.length
        return part
      },
      async () => leave(),
    )
    return { bytes: manifest.bytes, first, last, stream }
  } catch (error) {
    leave()
    throw error
  }
}

async function inTime(fetch: Fetch, index: number, ms: number): Promise<void> {
  const { sha256 } = fetch.manifest
  const over = new AbortController()
  const late = async () => {
    await pause(ms, undefined, { signal: over.signal, ref: false })
    throw notHere(sha256)
  }
  try {
    await Promise.race([fetch.piece(index), late()])
  } catch (error) {
    throw notHere(sha256, error)
  } finally {
    over.abort()
  }
}
