import type { Readable } from 'node:stream'
import type { BlobManifest } from './blob.ts'
import type { SplitOptions } from './split.ts'

/** Which bytes, by their positions; both are included. A `last` behind the end means the end. */
export interface ByteRange {
  first?: number | undefined
  last?: number | undefined
}

/** Bytes of a blob on their way to a reader. */
export interface BlobReading {
  /** Of the whole blob. */
  bytes: number
  first: number
  last: number
  /** Gives exactly the bytes asked for, or fails; to be destroyed by who does not read to its end. */
  stream: Readable
}

export interface ListedBlob {
  sha256: string
  /** That it takes up. */
  bytes: number
  /** Whether all of it is here; else there are some pieces. */
  isWhole: boolean
}

export interface BlobPage {
  /** In the order of their names. */
  blobs: ListedBlob[]
  /** What to go on after; undefined at the end. */
  next: string | undefined
}

/** Gives memory for so many bytes. */
export type Room = (bytes: number) => Uint8Array

/**
 * Where blobs are kept. What is given is checked before it is kept, and a blob is either whole, and then read, listed
 * and told of as such, or it is some pieces on the way to it. Manifests are taken as checked (`checkManifest`).
 *
 * Apart from what is said below, each throws HyperactiveError `blob_disk_full`, `blob_store_unreachable` or
 * `blob_store_unusable`, or the signal's reason.
 */
export interface BlobDriver extends AsyncDisposable {
  /**
   * Keeps what a stream holds: all of it, or nothing when anything fails. A damaged blob is mended by that.
   *
   * @throws whatever the stream fails with, or HyperactiveError `blob_empty`, `blob_too_large`, `blob_mismatch`
   */
  write(source: Readable, options?: SplitOptions): Promise<BlobManifest>

  /**
   * Keeps one piece; pieces may come in any order, from several sources, and over any time. In order is cheapest. With
   * the last one the whole is compared with its name: where that does not fit, the manifest is wrong and all its pieces
   * go. A piece of a whole blob is written over, which mends a damaged one.
   *
   * @returns whether the blob is whole now
   * @throws HyperactiveError `blob_mismatch` for a piece that is not what the manifest says; `blob_bad_manifest` for a
   * manifest that is proven wrong; `blob_damaged` when pieces that were kept have been lost: ask which are there
   */
  writePiece(manifest: BlobManifest, index: number, bytes: Uint8Array): Promise<boolean>

  /**
   * Which pieces are here.
   *
   * @throws HyperactiveError `blob_bad_manifest` when the whole blob is here and is described otherwise
   */
  pieces(manifest: BlobManifest): Promise<ReadonlySet<number>>

  /**
   * One piece, compared with its digest, also of a blob that is not whole yet.
   *
   * @param room where its bytes may go, for a place that does not bring them along
   * @throws HyperactiveError `blob_missing`, `blob_damaged`
   */
  readPiece(manifest: BlobManifest, index: number, room?: Room): Promise<Uint8Array>

  /**
   * Reads a whole blob, or a range of it, as fast as the reader takes it. Of a blob that is deleted meanwhile, the
   * reader gets the rest or an error, and never other bytes.
   *
   * @throws HyperactiveError `blob_missing`, `blob_damaged`, `blob_bad_range`
   */
  read(sha256: string, range?: ByteRange): Promise<BlobReading>

  /**
   * What a whole blob is made of; undefined for one that is not here, or not whole.
   *
   * @throws HyperactiveError `blob_damaged`
   */
  stat(sha256: string): Promise<BlobManifest | undefined>

  /**
   * Removes a blob, and pieces on the way to one. Whoever still writes pieces has to be stopped before.
   *
   * @returns whether there was anything
   */
  delete(sha256: string): Promise<boolean>

  /**
   * Takes what was deleted off the disk where that takes more than deleting it; resolves when no byte of it is left in the
   * files of the place.
   *
   * @throws what the place answers to somebody who may not
   */
  compact?(signal: AbortSignal): Promise<void>

  /** A faster way to read parts, where there is one. */
  readonly parts?: FastParts

  /** What is here, at most so many at once (1,000 unless told). */
  list(options?: { after?: string | undefined; limit?: number }): Promise<BlobPage>
}

/**
 * Parts of whole blobs for who asks for many: what is asked for stays open for a while, and bytes come into a buffer
 * that is the caller's.
 */
export interface FastParts {
  /** How large a blob is if it is open. */
  peek(sha256: string): number | undefined
  /** Opens it; gives how large it is, or undefined when it is not here or is damaged. Never fails. */
  open(sha256: string): Promise<number | undefined>
  /** Reads; calls back with how many bytes there were, undefined when it is not open any more. */
  read(
    sha256: string,
    place: { into: Buffer; position: number; length: number },
    done: (error: Error | null, bytesRead: number | undefined) => void,
  ): void
}

export const LIST_LIMIT = 1000

/** Everything that is here, one after the other. */
export async function* allBlobs(
  driver: Pick<BlobDriver, 'list'>,
  after?: string,
): AsyncGenerator<ListedBlob> {
  for (let next = after, more = true; more; more = next !== undefined) {
    const page = await driver.list({ after: next })
    yield* page.blobs
    next = page.next
  }
}

/** How much is here: blobs that are whole, and what takes up room besides. */
export async function usageOf(
  driver: Pick<BlobDriver, 'list'>,
): Promise<{ blobs: number; bytes: number; incomplete: number; incompleteBytes: number }> {
  const usage = { blobs: 0, bytes: 0, incomplete: 0, incompleteBytes: 0 }
  for await (const { bytes, isWhole } of allBlobs(driver)) {
    usage[isWhole ? 'blobs' : 'incomplete'] += 1
    usage[isWhole ? 'bytes' : 'incompleteBytes'] += bytes
  }
  return usage
}
