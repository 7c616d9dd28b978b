import { randomUUID } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { open, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { Arrivals } from './arrivals.ts'
import {
  bytesOfPiece,
  checkManifest,
  checkPiece,
  isPiece,
  isSameManifest,
  isSha256,
  PIECE_BYTES,
} from './blob.ts'
import type { BlobManifest } from './blob.ts'
import { LIST_LIMIT } from './driver.ts'
import type { BlobDriver, BlobPage, BlobReading, ByteRange, ListedBlob } from './driver.ts'
import { FILE_MODE, makeFolder } from './files.ts'
import type { Objects } from './objects.ts'
import { patiently } from './patiently.ts'
import { pieceIn } from './piece-in-file.ts'
import { damaged, isCode, missing, onDisk, wrongManifest } from './problems.ts'
import { pulled } from './pulled.ts'
import { rangeIn } from './range.ts'
import { spool } from './spool.ts'
import type { SplitOptions } from './split.ts'
import { Turns } from './turns.ts'

const MANIFEST = 'manifest'
const KEY = /^([0-9a-f]{64})\/(?:manifest|\d{5}-[0-9a-f]{64})$/
/** Comes behind every name below a blob. */
const BEHIND = '~'

/**
 * Blobs as objects, one for each piece and one that says that the blob is whole:
 *
 *     abcd…/00000-<SHA-256 of the piece>
 *     abcd…/manifest
 *
 * What is read is compared with its digest, piece by piece. The name of a stream is known only at its end, so it goes
 * through a file of the node's own, which has no name: it is gone with the process.
 */
export class ObjectBlobs implements BlobDriver {
  readonly #objects: Objects
  readonly #spool: string
  readonly #turns = new Turns()
  readonly #arrivals = new Arrivals()

  /** @param spool folder for streams that are being taken; it needs room for them */
  constructor(objects: Objects, spool: string) {
    this.#objects = objects
    this.#spool = spool
  }

  write(source: Readable, options: SplitOptions = {}): Promise<BlobManifest> {
    return spool(source, { ...options, where: this.#spool, open: () => this.#open() }, (file, manifest) =>
      this.#turns.take(manifest.sha256, () => this.#send(manifest, file, options.signal)),
    )
  }

  async writePiece(manifest: BlobManifest, index: number, bytes: Uint8Array): Promise<boolean> {
    checkPiece(manifest, index, bytes)
    if (!this.#arrivals.of(manifest).held) await this.pieces(manifest)
    await this.#put(keyOf(manifest, index), bytes)
    return this.#turns.take(manifest.sha256, async () => {
      const { held: known } = this.#arrivals.add(manifest, index, bytes)
      if (known && known.size < manifest.pieces.length) return false
      const { held, isWhole } = await this.#look(manifest)
      if (isWhole) return true
      if (held.size === manifest.pieces.length) {
        await this.#finish(manifest)
        return true
      }
      if (known) throw damaged(manifest.sha256, 'pieces that were kept are gone')
      return false
    })
  }

  async pieces(manifest: BlobManifest): Promise<ReadonlySet<number>> {
    return this.#turns.take(manifest.sha256, async () => {
      const { held, isWhole } = await this.#look(manifest)
      if (isWhole || held.size < manifest.pieces.length) return held
      try {
        // The process was killed, or the server away, when the last one had come.
        await this.#finish(manifest)
        return held
      } catch (error) {
        if (!isCode(error, 'blob_damaged')) throw error
        return (await this.#look(manifest)).held
      }
    })
  }

  readPiece(manifest: BlobManifest, index: number): Promise<Uint8Array> {
    return this.#piece(manifest, index)
  }

  async #piece(manifest: BlobManifest, index: number, signal?: AbortSignal): Promise<Uint8Array> {
    const bytes = await patiently(() => this.#objects.get(keyOf(manifest, index), signal), signal)
    if (!bytes) throw missing(manifest.sha256)
    if (isPiece(manifest, index, bytes)) return bytes
    throw damaged(manifest.sha256, `piece ${index} has other bytes`)
  }

  async read(sha256: string, range: ByteRange = {}): Promise<BlobReading> {
    const manifest = await this.stat(sha256)
    if (!manifest) throw missing(sha256)
    const { first, last } = rangeIn(manifest.bytes, range)
    let at = first
    const stream = pulled(async (signal) => {
      if (at > last) return undefined
      const index = Math.floor(at / PIECE_BYTES)
      const begin = index * PIECE_BYTES
      const piece = await this.#piece(manifest, index, signal)
      const part = piece.subarray(at - begin, last + 1 - begin)
      at += part.length
      return part
    })
    return { bytes: manifest.bytes, first, last, stream }
  }

  async stat(sha256: string): Promise<BlobManifest | undefined> {
    if (!isSha256(sha256)) return undefined
    const bytes = await patiently(() => this.#objects.get(`${sha256}/${MANIFEST}`))
    if (!bytes) return undefined
    const manifest = parse(bytes)
    if (manifest?.sha256 === sha256) return manifest
    throw damaged(sha256, 'the list of its pieces cannot be read')
  }

  async delete(sha256: string): Promise<boolean> {
    if (!isSha256(sha256)) return false
    return this.#turns.take(sha256, async () => {
      this.#arrivals.forget(sha256)
      const keys = await this.#keys(sha256)
      // First nobody begins to read it any more.
      if (keys.has(`${sha256}/${MANIFEST}`)) await this.#remove([`${sha256}/${MANIFEST}`])
      await this.#remove([...keys.keys()].filter((key) => !key.endsWith(MANIFEST)))
      return keys.size > 0
    })
  }

  async compact(signal: AbortSignal): Promise<void> {
    await this.#objects.compact?.(signal)
  }

  async list({
    after,
    limit = LIST_LIMIT,
  }: { after?: string | undefined; limit?: number } = {}): Promise<BlobPage> {
    return patiently(async () => {
      const blobs: ListedBlob[] = []
      const range = after === undefined ? {} : { after: `${after}/${BEHIND}` }
      for await (const { key, bytes } of this.#objects.list(range)) {
        const sha256 = KEY.exec(key)?.[1]
        if (sha256 === undefined) continue
        let last = blobs.at(-1)
        if (last?.sha256 !== sha256) {
          if (blobs.length === limit) return { blobs, next: last?.sha256 }
          last = { sha256, bytes: 0, isWhole: false }
          blobs.push(last)
        }
        if (key.endsWith(MANIFEST)) last.isWhole = true
        else last.bytes += bytes
      }
      return { blobs, next: undefined }
    })
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#objects[Symbol.asyncDispose]()
  }

  /** A file without a name: nobody finds it, and it goes with whoever holds it. */
  async #open(): Promise<FileHandle> {
    await makeFolder(this.#spool)
    const path = join(this.#spool, `${randomUUID()}.new`)
    const file = await open(path, 'wx+', FILE_MODE)
    await unlink(path)
    return file
  }

  async #send(manifest: BlobManifest, file: FileHandle, signal: AbortSignal | undefined): Promise<void> {
    const { sha256, pieces } = manifest
    const before = await this.#keys(sha256)
    const buffer = new Uint8Array(PIECE_BYTES)
    try {
      for (const index of pieces.keys()) {
        signal?.throwIfAborted()
        const bytes = await onDisk(this.#spool, () =>
          pieceIn(file, manifest, index, (bytes) => buffer.subarray(0, bytes)),
        )
        if (!bytes) throw damaged(sha256, `piece ${index} has changed in ${this.#spool}`)
        await this.#put(keyOf(manifest, index), bytes)
      }
      await this.#seal(manifest)
    } catch (error) {
      const sent = keysOf(manifest).filter((key) => !before.has(key))
      // Where that fails too, they stay as pieces of a blob that is not whole, and can be told and removed.
      await this.#takeBack(sha256, sent).catch(() => undefined)
      throw error
    }
  }

  /** Removes pieces that were sent in vain, unless another process has brought the whole meanwhile. */
  async #takeBack(sha256: string, keys: readonly string[]): Promise<void> {
    this.#arrivals.forget(sha256)
    if (!(await this.#stored(sha256))) await this.#remove(keys)
  }

  /** All pieces are said to be here: compares the whole with its name. */
  async #finish(manifest: BlobManifest): Promise<void> {
    const { sha256, pieces } = manifest
    const { hash, next } = this.#arrivals.take(manifest)
    for (let index = next; index < pieces.length; index += 1) {
      const bytes = await this.readPiece(manifest, index).catch(async (error: unknown) => {
        if (isCode(error, 'blob_damaged')) await this.#remove([keyOf(manifest, index)])
        if (isCode(error, 'blob_missing')) throw damaged(sha256, `piece ${index} that was kept is gone`)
        throw error
      })
      hash.update(bytes)
    }
    if (hash.digest('hex') !== sha256) {
      // Pieces that other manifests have as well may be true ones.
      const others = new Set(this.#arrivals.named(sha256).flatMap(keysOf))
      await this.#remove(keysOf(manifest).filter((key) => !others.has(key)))
      throw wrongManifest(manifest)
    }
    await this.#seal(manifest)
  }

  /** Says that a blob is whole, and removes pieces that came by other manifests. */
  async #seal(manifest: BlobManifest): Promise<void> {
    const { sha256, pieces } = manifest
    const keys = await this.#keys(sha256)
    const own = new Map(pieces.map((_, index) => [keyOf(manifest, index), bytesOfPiece(manifest, index)]))
    for (const [key, bytes] of own)
      if (keys.get(key) !== bytes) throw damaged(sha256, 'a piece that was kept is gone')
    await this.#put(`${sha256}/${MANIFEST}`, Buffer.from(JSON.stringify(manifest)))
    this.#arrivals.forget(sha256)
    await this.#remove([...keys.keys()].filter((key) => !own.has(key) && !key.endsWith(MANIFEST)))
  }

  /** The manifest of a whole blob; one that cannot be read is as good as none, and is written over. */
  async #stored(sha256: string): Promise<BlobManifest | undefined> {
    return this.stat(sha256).catch((error: unknown) => {
      if (isCode(error, 'blob_damaged')) return undefined
      throw error
    })
  }

  /** Looks which pieces are there, and keeps that in mind. */
  async #look(manifest: BlobManifest): Promise<{ held: ReadonlySet<number>; isWhole: boolean }> {
    const { sha256, pieces } = manifest
    const stored = await this.#stored(sha256)
    if (stored && !isSameManifest(stored, manifest)) throw wrongManifest(manifest)
    const keys = await this.#keys(sha256)
    const isHeld = (index: number) => keys.get(keyOf(manifest, index)) === bytesOfPiece(manifest, index)
    const held = new Set([...pieces.keys()].filter(isHeld))
    this.#arrivals.of(manifest).held = held
    return { held: new Set(held), isWhole: stored !== undefined }
  }

  /** What there is of a blob: keys, with sizes. */
  #keys(sha256: string): Promise<Map<string, number>> {
    return patiently(async () => {
      const keys = new Map<string, number>()
      for await (const { key, bytes } of this.#objects.list({ prefix: `${sha256}/` }))
        if (KEY.test(key)) keys.set(key, bytes)
      return keys
    })
  }

  #put(key: string, bytes: Uint8Array): Promise<void> {
    return patiently(() => this.#objects.put(key, bytes))
  }

  #remove(keys: readonly string[]): Promise<void> {
    return patiently(() => this.#objects.remove(keys))
  }
}

function keyOf({ sha256, pieces }: BlobManifest, index: number): string {
  return `${sha256}/${String(index).padStart(5, '0')}-${pieces[index] ?? ''}`
}

function keysOf(manifest: BlobManifest): string[] {
  return manifest.pieces.map((_, index) => keyOf(manifest, index))
}

function parse(bytes: Uint8Array): BlobManifest | undefined {
  try {
    return checkManifest(JSON.parse(Buffer.from(bytes).toString()))
  } catch {
    return undefined
  }
}
