import { createHash } from 'node:crypto'
import { addAbortSignal } from 'node:stream'
import type { Readable } from 'node:stream'
import { MOST_BLOB_BYTES, PIECE_BYTES, sha256Of } from './blob.ts'
import type { BlobManifest } from './blob.ts'
import { empty, mismatch, tooLarge } from './problems.ts'

export interface SplitOptions {
  /** What the whole should be; unknown unless given. */
  sha256?: string | undefined
  /** More is refused. */
  mostBytes?: number | undefined
  signal?: AbortSignal | undefined
}

export interface Piece {
  index: number
  /** They hold until `keep` is done. */
  bytes: Uint8Array
  sha256: string
}

/**
 * Splits a stream into pieces, of which one is in memory at a time. The stream is destroyed when anything fails.
 *
 * @param keep gets each piece in order; the next one is read when it is done
 * @throws whatever the stream or `keep` fails with, the signal's reason, or HyperactiveError `blob_empty`,
 * `blob_too_large`, `blob_mismatch`
 */
export async function split(
  source: Readable,
  keep: (piece: Piece) => Promise<void>,
  { sha256: wanted, mostBytes = MOST_BLOB_BYTES, signal }: SplitOptions = {},
): Promise<BlobManifest> {
  if (signal) addAbortSignal(signal, source)
  const most = Math.min(mostBytes, MOST_BLOB_BYTES)
  const whole = createHash('sha256')
  const pieces: string[] = []
  // Not filled beforehand: a small file does not touch most of it.
  const buffer = new Uint8Array(Buffer.allocUnsafeSlow(PIECE_BYTES).buffer)
  let filled = 0
  let bytes = 0
  const keepPiece = async () => {
    const piece = buffer.subarray(0, filled)
    whole.update(piece)
    const sha256 = sha256Of(piece)
    await keep({ index: pieces.push(sha256) - 1, bytes: piece, sha256 })
    filled = 0
  }
  try {
    for await (const chunk of source as AsyncIterable<Uint8Array>) {
      bytes += chunk.length
      if (bytes > most) throw tooLarge(most)
      for (let at = 0; at < chunk.length;) {
        const part = chunk.subarray(at, at + PIECE_BYTES - filled)
        buffer.set(part, filled)
        filled += part.length
        at += part.length
        if (filled === PIECE_BYTES) await keepPiece()
      }
    }
  } catch (error) {
    if (signal?.aborted) throw signal.reason
    throw error
  }
  if (bytes === 0) throw empty()
  if (filled > 0) await keepPiece()
  const sha256 = whole.digest('hex')
  if (wanted !== undefined && wanted !== sha256)
    throw mismatch(`the bytes are those of ${sha256}, not of ${wanted}`)
  return { sha256, bytes, pieces }
}
