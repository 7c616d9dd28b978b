import { constants } from 'node:fs'
import type { Hash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { open, readdir, rm, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { Arrivals, markOf } from './arrivals.ts'
import { bytesOfPiece, isPiece, PIECE_BYTES } from './blob.ts'
import type { BlobManifest } from './blob.ts'
import type { ListedBlob } from './driver.ts'
import { FILE_MODE, isAbsent, makeFolder, readAll, removeFile, writeAll } from './files.ts'
import { badManifest, damaged } from './problems.ts'

const CHUNK_BYTES = 256 * 1024
const PARTIAL = /^([0-9a-f]{64})-[0-9a-f]{32}$/
const PIECE = /^(0|[1-9]\d{0,4})$/

/**
 * Blobs of which some pieces are on the disk. Each has a folder with a file of the pieces, each in its place, with holes
 * between, and an empty file for each piece that is there: one that was half written when the process was killed has
 * none. After a power cut there may be such a file without the piece; that shows when the whole is compared.
 */
export class PartialBlobs {
  readonly #folder: string
  readonly #arrivals = new Arrivals()

  constructor(folder: string) {
    this.#folder = folder
  }

  async held(manifest: BlobManifest): Promise<Set<number>> {
    const names = await readdir(this.#place(manifest)).catch((error: unknown): string[] => {
      if (isAbsent(error)) return []
      throw error
    })
    const indexes = names.filter((name) => PIECE.test(name)).map(Number)
    return new Set(indexes.filter((index) => index < manifest.pieces.length))
  }

  /** Keeps a piece that has been checked; gives whether all are here now. */
  async put(manifest: BlobManifest, index: number, bytes: Uint8Array): Promise<boolean> {
    const place = this.#place(manifest)
    await makeFolder(place)
    try {
      const handle = await open(this.path(manifest), constants.O_RDWR | constants.O_CREAT, FILE_MODE)
      try {
        await writeAll(handle, bytes, index * PIECE_BYTES)
      } finally {
        await handle.close()
      }
      await (await open(join(place, String(index)), 'w', FILE_MODE)).close()
    } catch (error) {
      await this.#tidy(manifest)
      throw error
    }
    this.#arrivals.add(manifest, index, bytes)
    return (await this.held(manifest)).size === manifest.pieces.length
  }

  /** The file of the pieces. */
  path(manifest: BlobManifest): string {
    return join(this.#place(manifest), 'bytes')
  }

  /**
   * Compares the whole with its name, once all pieces are here, and brings it to the disk.
   *
   * @throws HyperactiveError `blob_damaged` when pieces were lost, `blob_bad_manifest`
   */
  async complete(manifest: BlobManifest): Promise<void> {
    const { hash, next } = this.#arrivals.of(manifest)
    this.#arrivals.forget(manifest.sha256)
    const handle = await open(this.path(manifest), 'r+')
    try {
      const found = await hashFrom(handle, hash, next * PIECE_BYTES)
      const { size } = await handle.stat()
      if (found !== manifest.sha256 || size !== manifest.bytes) await this.#settle(manifest, handle)
      await handle.sync()
    } finally {
      await handle.close()
    }
  }

  /** Removes all pieces of a blob, by whichever manifest they came; gives whether there were any. */
  async remove(sha256: string): Promise<boolean> {
    this.#arrivals.forget(sha256)
    const names = (await readdir(this.#folder)).filter((name) => PARTIAL.exec(name)?.[1] === sha256)
    for (const name of names) await rm(join(this.#folder, name), { recursive: true, force: true })
    return names.length > 0
  }

  /** In no order; one blob may come by several manifests. */
  async *list(after: string): AsyncIterable<ListedBlob> {
    for (const name of await readdir(this.#folder)) {
      const sha256 = PARTIAL.exec(name)?.[1]
      if (sha256 === undefined || sha256 <= after) continue
      const found = await stat(join(this.#folder, name, 'bytes')).catch(() => undefined)
      // Holes take up nothing; the system counts in blocks of 512 bytes.
      yield { sha256, bytes: (found?.blocks ?? 0) * 512, isWhole: false }
    }
  }

  /** Takes back what a full disk has left of a piece, unless it is between others: there the next try goes over it. */
  async #tidy(manifest: BlobManifest): Promise<void> {
    const held = await this.held(manifest)
    if (held.size === 0) {
      await rm(this.#place(manifest), { recursive: true, force: true })
      return
    }
    const end = (Math.max(...held) + 1) * PIECE_BYTES
    if ((await stat(this.path(manifest))).size > end) await truncate(this.path(manifest), end)
  }

  /** The whole is not what it should be: either pieces were lost, or the manifest is wrong. */
  async #settle(manifest: BlobManifest, handle: FileHandle): Promise<never> {
    let lost = 0
    const buffer = new Uint8Array(PIECE_BYTES)
    for (const index of manifest.pieces.keys()) {
      const piece = buffer.subarray(0, bytesOfPiece(manifest, index))
      const read = await readAll(handle, piece, index * PIECE_BYTES)
      if (read === piece.length && isPiece(manifest, index, piece)) continue
      await removeFile(join(this.#place(manifest), String(index)))
      lost += 1
    }
    if (lost > 0) throw damaged(manifest.sha256, `${lost} pieces that were kept have other bytes now`)
    await rm(this.#place(manifest), { recursive: true, force: true })
    throw badManifest(`its pieces are not those of ${manifest.sha256}`)
  }

  #place(manifest: BlobManifest): string {
    return join(this.#folder, `${manifest.sha256}-${markOf(manifest)}`)
  }
}

/** The digest of a file from a position on, behind what went into the hash before. */
async function hashFrom(handle: FileHandle, hash: Hash, from: number): Promise<string> {
  const chunk = new Uint8Array(CHUNK_BYTES)
  for (let at = from; ;) {
    const { bytesRead } = await handle.read(chunk, 0, chunk.length, at)
    if (bytesRead === 0) return hash.digest('hex')
    hash.update(chunk.subarray(0, bytesRead))
    at += bytesRead
  }
}
