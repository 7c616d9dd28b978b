import { createHash } from 'node:crypto'
import { z } from 'zod'
import { badManifest, mismatch } from './problems.ts'

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

const digest = z.string().regex(SHA256, 'is not a SHA-256 in hexadecimal')

const shape = z
  .strictObject({
    sha256: digest,
    bytes: z.int().min(1).max(MOST_BLOB_BYTES),
    pieces: z.array(digest).min(1).max(MOST_PIECES),
  })
  .refine(
    ({ bytes, pieces }) => pieces.length === countOfPieces(bytes),
    'has not as many pieces as its size takes',
  )
  .refine(
    ({ sha256, pieces }) => pieces.length > 1 || pieces[0] === sha256,
    'is one piece with another digest than the whole',
  )

/**
 * Checks a manifest from outside. That its pieces make up what `sha256` names shows only once they are all there.
 *
 * @throws HyperactiveError `blob_bad_manifest`
 */
export function checkManifest(value: unknown): BlobManifest {
  // Nothing is looked at one by one in a list that is too long anyway.
  const { pieces } = (value ?? {}) as { pieces?: unknown }
  if (Array.isArray(pieces) && pieces.length > MOST_PIECES)
    throw badManifest(`has more than ${MOST_PIECES} pieces`)
  const parsed = shape.safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw badManifest(`${issue?.path.join('.') ?? ''} ${issue?.message ?? 'is not valid'}`.trim())
}

export function isSha256(text: unknown): text is string {
  return typeof text === 'string' && SHA256.test(text)
}

export function isSameManifest(one: BlobManifest, other: BlobManifest): boolean {
  return (
    one.sha256 === other.sha256 &&
    one.bytes === other.bytes &&
    one.pieces.length === other.pieces.length &&
    one.pieces.every((piece, index) => piece === other.pieces[index])
  )
}

export function countOfPieces(bytes: number): number {
  return Math.ceil(bytes / PIECE_BYTES)
}

/** How many bytes a blob's piece has. */
export function bytesOfPiece({ bytes, pieces }: BlobManifest, index: number): number {
  return index < pieces.length - 1 ? PIECE_BYTES : bytes - index * PIECE_BYTES
}

/**
 * Compares a piece with what its manifest says of it.
 *
 * @throws HyperactiveError `blob_mismatch`
 */
export function checkPiece(manifest: BlobManifest, index: number, bytes: Uint8Array): void {
  const name = `piece ${index} of ${manifest.sha256}`
  const wanted = manifest.pieces[index]
  if (wanted === undefined) throw mismatch(`there is no ${name}`)
  const size = bytesOfPiece(manifest, index)
  if (bytes.length !== size) throw mismatch(`${name} has ${bytes.length} bytes instead of ${size}`)
  const found = sha256Of(bytes)
  if (found !== wanted) throw mismatch(`${name} has the digest ${found} instead of ${wanted}`)
}

/** Whether a piece is what its manifest says. */
export function isPiece(manifest: BlobManifest, index: number, bytes: Uint8Array): boolean {
  return bytes.length === bytesOfPiece(manifest, index) && sha256Of(bytes) === manifest.pieces[index]
}

export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
