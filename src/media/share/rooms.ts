import { PIECE_BYTES } from '../blobs/blob.ts'

/** So much room for pieces is kept while none is needed. */
const MOST_KEPT = 3

/** Memory for pieces, used again: making room for a whole piece each time has all memory looked through all the time. */
export class Rooms {
  readonly #spare: ArrayBufferLike[] = []

  /** Room for a piece of so many bytes. */
  take(bytes: number): Uint8Array {
    // A small one is cheap.
    if (bytes < PIECE_BYTES / 4) return Buffer.allocUnsafeSlow(bytes)
    const room = this.#spare.pop() ?? Buffer.allocUnsafeSlow(PIECE_BYTES).buffer
    return new Uint8Array(room, 0, bytes)
  }

  /** Nobody reads it any more: it may be filled by somebody else. */
  free({ buffer }: Uint8Array): void {
    if (buffer.byteLength !== PIECE_BYTES || this.#spare.length >= MOST_KEPT) return
    if (!this.#spare.includes(buffer)) this.#spare.push(buffer)
  }
}
