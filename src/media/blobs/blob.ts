import { createHash } from 'node:crypto'
import { z } from 'zod'
import { manifestFields, manifestProblem, PIECE_BYTES } from '../../ledger/manifest.ts'
import type { BlobManifest } from '../../ledger/manifest.ts'
import { badManifest, mismatch } from './problems.ts'

export { isSha256, MOST_BLOB_BYTES, MOST_PIECES, PIECE_BYTES } from '../../ledger/manifest.ts'
export type { BlobManifest } from '../../ledger/manifest.ts'

const shape = z.strictObject(manifestFields).check(({ value, issues }) => {
  const problem = manifestProblem(value)
  if (problem) issues.push({ code: 'custom', message: problem, input: value })
})

/**
 * Checks a manifest from outside. That its pieces make up what `sha256` names shows only once they are all there.
 *
 * @throws HyperactiveError `blob_bad_manifest`
 */
export function checkManifest(value: unknown): BlobManifest {
  const parsed = shape.safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw badManifest(`${issue?.path.join('.') ?? ''} ${issue?.message ?? 'is not valid'}`.trim())
}

export function isSameManifest(one: BlobManifest, other: BlobManifest): boolean {
  return (
    one.sha256 === other.sha256 &&
    one.bytes === other.bytes &&
    one.pieces.length === other.pieces.length &&
    one.pieces.every((piece, index) => piece === other.pieces[index])
  )
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
