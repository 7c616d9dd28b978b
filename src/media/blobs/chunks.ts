import type { FileHandle } from 'node:fs/promises'
import { unlessBroken } from './broken.ts'
import { damaged } from './problems.ts'

const CHUNK_BYTES = 256 * 1024

/**
 * Gives the bytes of a file from `first` to `last`, chunk by chunk, and undefined behind them.
 *
 * @throws HyperactiveError `blob_damaged` when they end before, or the disk cannot read them
 */
export function chunksOf(
  handle: FileHandle,
  sha256: string,
  { first, last }: { first: number; last: number },
): () => Promise<Uint8Array | undefined> {
  let at = first
  return () =>
    unlessBroken(sha256, async () => {
      if (at > last) return undefined
      const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, last + 1 - at))
      const { bytesRead } = await handle.read(chunk, 0, chunk.length, at)
      if (bytesRead === 0) throw damaged(sha256, 'it was cut off while it was read')
      at += bytesRead
      return chunk.subarray(0, bytesRead)
    })
}
