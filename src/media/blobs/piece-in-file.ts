import type { FileHandle } from 'node:fs/promises'
import { bytesOfPiece, isPiece, PIECE_BYTES } from './blob.ts'
import type { BlobManifest } from './blob.ts'
import type { Room } from './driver.ts'
import { isBroken } from './broken.ts'
import { readAll } from './files.ts'

/**
 * A piece of a blob from a file that has all of them in their places; undefined when it is not what the manifest says, or
 * the disk cannot read it.
 *
 * @param room gives memory for them
 */
export async function pieceIn(
  handle: FileHandle,
  manifest: BlobManifest,
  index: number,
  room: Room = (bytes) => new Uint8Array(bytes),
): Promise<Uint8Array | undefined> {
  const size = bytesOfPiece(manifest, index)
  const bytes = room(size)
  try {
    const read = await readAll(handle, bytes, index * PIECE_BYTES)
    return read === size && isPiece(manifest, index, bytes) ? bytes : undefined
  } catch (error) {
    if (isBroken(error)) return undefined
    throw error
  }
}
