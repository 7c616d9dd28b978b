import { z } from 'zod'

/** All pieces of a blob but the last have exactly so many bytes. */
export const PIECE_BYTES = 4 * 1024 * 1024
export const MOST_PIECES = 4096
/** 16 GiB. */
export const MOST_BLOB_BYTES = PIECE_BYTES * MOST_PIECES

const SHA256 = /^[0-9a-f]{64}$/

/** What a blob is made of. Digests are SHA-256, hexadecimal, in lower case. */
export interface BlobManifest {
  /** Of all bytes: the blob's name. */
  readonly sha256: string
  /** At least one. */
  readonly bytes: number
  /** Of each piece, in order. */
  readonly pieces: readonly string[]
}

/** A digest as it stands in documents and names of files. */
export const digest = z.string().regex(SHA256, 'is not a SHA-256 in hexadecimal')

/** The fields of a manifest, wherever they stand. */
export const manifestFields = {
  sha256: digest,
  bytes: z.int().min(1).max(MOST_BLOB_BYTES),
  pieces: z
    .array(digest)
    .min(1)
    // Nothing is looked at one by one in a list that is too long anyway.
    .max(MOST_PIECES, { abort: true, error: `has more than ${MOST_PIECES} entries` }),
} as const

/** What is wrong with a manifest whose fields are right each by itself. */
export function manifestProblem({ sha256, bytes, pieces }: BlobManifest): string | undefined {
  if (pieces.length !== countOfPieces(bytes)) return 'has not as many pieces as its size takes'
  if (pieces.length === 1 && pieces[0] !== sha256) return 'is one piece with another digest than the whole'
  return undefined
}

export function isSha256(text: unknown): text is string {
  return typeof text === 'string' && SHA256.test(text)
}

export function countOfPieces(bytes: number): number {
  return Math.ceil(bytes / PIECE_BYTES)
}
