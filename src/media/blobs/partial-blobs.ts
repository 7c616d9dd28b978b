import { constants } from 'node:fs'
import type { Hash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { open, readdir, rm, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { Arrivals, markOf } from './arrivals.ts'
import { PIECE_BYTES } from './blob.ts'
import type { BlobManifest } from './blob.ts'
import { isBroken } from './broken.ts'
import type { ListedBlob } from './driver.ts'
import { FILE_MODE, makeFolder, openFile, removeFile, syncFolder, unlessAbsent, writeAll } from './files.ts'
import { pieceIn } from './piece-in-file.ts'
import { damaged, wrongManifest } from './problems.ts'

const { O_CREAT, O_NOFOLLOW, O_RDWR, O_WRONLY } = constants
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
    const names = (await unlessAbsent(readdir(this.#place(manifest)))) ?? []
    const indexes = names.filter((name) => PIECE.test(name)).map(Number)
    return new Set(indexes.filter((index) => index < manifest.pieces.length))
  }

  /** Keeps a piece that has been checked; gives whether all are here now. */
  async put(manifest: BlobManifest, index: number, bytes: Uint8Array): Promise<boolean> {
    const place = this.#place(manifest)
    await makeFolder(place)
    try {
      const handle = await open(this.path(manifest), O_RDWR | O_CREAT | O_NOFOLLOW, FILE_MODE)
      try {
        await writeAll(handle, bytes, index * PIECE_BYTES)
      } finally {
        await handle.close()
      }
      await (await open(join(place, String(index)), O_WRONLY | O_CREAT | O_NOFOLLOW, FILE_MODE)).close()
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

  /** The file of the pieces, to read one that has come; undefined when it has not. */
  async open(manifest: BlobManifest, index: number): Promise<FileHandle | undefined> {
    return (await this.held(manifest)).has(index) ? openFile(this.path(manifest)) : undefined
  }

  /**
   * Compares the whole with its name, once all pieces are here, and brings it to the disk.
   *
   * @throws HyperactiveError `blob_damaged` when pieces were lost, `blob_bad_manifest`
   */
  async complete(manifest: BlobManifest): Promise<void> {
    const { hash, next } = this.#arrivals.take(manifest)
    const handle = await open(this.path(manifest), O_RDWR | O_NOFOLLOW)
    try {
      const { size } = await handle.stat()
      if (size > manifest.bytes) await handle.truncate(manifest.bytes)
      const found = await hashFrom(handle, hash, next * PIECE_BYTES)
      if (found !== manifest.sha256 || size < manifest.bytes) await this.#settle(manifest, handle)
      await handle.sync().catch(async (error: unknown) => {
        // The system tells of what it could not write once, and then holds it for written.
        await this.#clear(manifest)
        throw error
      })
    } finally {
      await handle.close()
    }
  }

  /** Removes all pieces of a blob, by whichever manifest they came; gives whether there were any. */
  async remove(sha256: string): Promise<boolean> {
    this.#arrivals.forget(sha256)
    const names = (await readdir(this.#folder)).filter((name) => PARTIAL.exec(name)?.[1] === sha256)
    for (const name of names) await removeFolder(join(this.#folder, name))
    if (names.length > 0) await syncFolder(this.#folder)
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
      await this.#clear(manifest)
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
      if (await pieceIn(handle, manifest, index, (bytes) => buffer.subarray(0, bytes))) continue
      await removeFile(join(this.#place(manifest), String(index)))
      lost += 1
    }
    if (lost > 0) throw damaged(manifest.sha256, `${lost} pieces that were kept have other bytes now`)
    await this.#clear(manifest)
    throw wrongManifest(manifest)
  }

  #clear(manifest: BlobManifest): Promise<void> {
    return removeFolder(this.#place(manifest))
  }

  #place(manifest: BlobManifest): string {
    return join(this.#folder, `${manifest.sha256}-${markOf(manifest)}`)
  }
}

/** Another process may put something into it at the same time. */
function removeFolder(path: string): Promise<void> {
  return rm(path, { recursive: true, force: true, maxRetries: 3 })
}

/** The digest of a file from a position on, behind what went into the hash before; undefined for a broken disk. */
async function hashFrom(handle: FileHandle, hash: Hash, from: number): Promise<string | undefined> {
  const chunk = new Uint8Array(CHUNK_BYTES)
  try {
    for (let at = from; ;) {
      const { bytesRead } = await handle.read(chunk, 0, chunk.length, at)
      if (bytesRead === 0) return hash.digest('hex')
      hash.update(chunk.subarray(0, bytesRead))
      at += bytesRead
    }
  } catch (error) {
    if (isBroken(error)) return undefined
    throw error
  }
}
