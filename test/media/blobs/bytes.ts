import { Readable } from 'node:stream'
import { PIECE_BYTES, sha256Of } from '../../../src/media/blobs/blob.ts'
import type { BlobManifest } from '../../../src/media/blobs/blob.ts'

/** What a file is made of, worked out without the code that is tested. */
export function manifestOf(bytes: Uint8Array): BlobManifest {
  const count = Math.ceil(bytes.length / PIECE_BYTES)
  const pieces = Array.from({ length: count }, (_, index) => sha256Of(pieceOf(bytes, index)))
  return { sha256: sha256Of(bytes), bytes: bytes.length, pieces }
}

export function pieceOf(bytes: Uint8Array, index: number): Uint8Array {
  return bytes.subarray(index * PIECE_BYTES, (index + 1) * PIECE_BYTES)
}

/** A stream of bytes in chunks of a size that fits nothing. */
export function streamOf(bytes: Uint8Array, chunkBytes = 333_333): Readable {
  const chunks = function* () {
    for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes)
  }
  return Readable.from(chunks(), { objectMode: false })
}

/** A file of four pieces that follows from a number. */
export function numbered(number: number): Buffer {
  const bytes = Buffer.alloc(3 * PIECE_BYTES + 99_999, `file ${number} `)
  for (let at = 0; at < bytes.length; at += PIECE_BYTES / 2) bytes.writeUInt32LE(at, at)
  return bytes
}
