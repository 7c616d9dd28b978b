const MIB = 1024 * 1024

/** How much one file may be and take. */
export interface CleanLimits {
  imageBytes: number
  /** Sound and video together; their cleaning is a copy, so size costs time, not memory. */
  streamBytes: number
  documentBytes: number
  textBytes: number
  /** Captions and SVG, which are read as a whole. */
  markupBytes: number
  /** Width or height of a picture. */
  imageSide: number
  /** Pixels of a picture, all its frames together. */
  imagePixels: number
  /** Frames of an animation. */
  imageFrames: number
  /** Entries of an office document, and the bytes that they inflate to. */
  entries: number
  inflatedBytes: number
  /** Time for anything but sound and video. */
  timeoutMs: number
  /** Time for sound and video that are copied; for each 10 MiB another second is added. */
  streamTimeoutMs: number
  /** Time for video and sound that have to be encoded anew. */
  encodeTimeoutMs: number
  /** Writable memory of the program that reads the file. */
  memoryBytes: number
}

export const CLEAN_LIMITS: Readonly<CleanLimits> = {
  imageBytes: 100 * MIB,
  streamBytes: 4096 * MIB,
  documentBytes: 100 * MIB,
  textBytes: 20 * MIB,
  markupBytes: 4 * MIB,
  imageSide: 30_000,
  imagePixels: 150_000_000,
  imageFrames: 500,
  entries: 5000,
  inflatedBytes: 300 * MIB,
  timeoutMs: 60_000,
  streamTimeoutMs: 60_000,
  encodeTimeoutMs: 30 * 60_000,
  memoryBytes: 768 * MIB,
}
