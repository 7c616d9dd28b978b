import type { FileHandle } from 'node:fs/promises'
import { bytesOfPiece, isPiece, PIECE_BYTES } from './blob.ts'
import type { BlobManifest } from './blob.ts'
import { isBroken } from './broken.ts'
import { readAll } from './files.ts'

/**
 * A piece of a blob from a file that has all of them in their places; undefined when it is not what the manifest says, or
 * the disk cannot read it.
 *
 * @param buffer where its bytes go, and what the answer is a part of
 */
export async function pieceIn(
  handle: FileHandle,
  manifest: BlobManifest,
  index: number,
  buffer?: Uint8Array,
): Promise<Uint8Array | undefined> {
  const size = bytesOfPiece(manifest, index)
  const bytes = buffer?.subarray(0, size) ?? new Uint8Array(size)
  try {
    const read = await readAll(handle, bytes, index * PIECE_BYTES)
    return read === size && isPiece(manifest, index, bytes) ? bytes : undefined
  } catch (error) {
    if (isBroken(error)) return undefined
    throw error
  }
}
