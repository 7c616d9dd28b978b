import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { messageOf } from '../../errors.ts'
import { logger } from '../../log.ts'
import { checkPiece, isSameManifest, isSha256 } from './blob.ts'
import type { BlobManifest } from './blob.ts'
import { isBroken, unlessBroken } from './broken.ts'
import { chunksOf } from './chunks.ts'
import { LIST_LIMIT } from './driver.ts'
import type { BlobDriver, BlobPage, BlobReading, ByteRange, FastParts, ListedBlob, Room } from './driver.ts'
import { isAbsent, makeFolder, openFile, syncFolder } from './files.ts'
import { Incoming } from './incoming.ts'
import { OpenFiles } from './open-files.ts'
import { PartialBlobs } from './partial-blobs.ts'
import { pieceIn } from './piece-in-file.ts'
import { damaged, isCode, missing, onDisk, wrongManifest } from './problems.ts'
import { pulled } from './pulled.ts'
import { rangeIn } from './range.ts'
import { spool } from './spool.ts'
import type { SplitOptions } from './split.ts'
import { Turns } from './turns.ts'
import { WholeBlobs } from './whole-blobs.ts'
import type { OpenBlob } from './whole-blobs.ts'

const log = logger('media')

/** A stream that was being written, and was not for so long, belongs to nobody any more. */
const ABANDONED_MS = 60 * 60 * 1000

/**
 * Blobs as plain files:
 *
 *     whole/ab/cd/abcd…        the bytes
 *     whole/ab/cd/abcd….json   the manifest
 *     partial/abcd…-<mark of the manifest>/   "bytes", with holes, and an empty file for each piece that is in them
 *     incoming/                what is being written
 *
 * A blob is there as soon as its bytes are in `whole`: they come there by renaming. Files of other names are left alone.
 * Several processes may use one folder.
 */
export class FolderBlobs implements BlobDriver {
  readonly #folder: string
  readonly #abandonedMs: number
  readonly #turns = new Turns()
  readonly #incoming: Incoming
  readonly #whole: WholeBlobs
  readonly #partials: PartialBlobs
  readonly #sweeper: NodeJS.Timeout
  readonly #openFiles = new OpenFiles()
  readonly parts: FastParts = {
    peek: (sha256) => this.#openFiles.peek(sha256),
    open: (sha256) => this.#openParts(sha256),
    read: (sha256, place, done) => this.#openFiles.read(sha256, place, done),
  }

  private constructor(folder: string, abandonedMs: number) {
    this.#folder = folder
    this.#incoming = new Incoming(join(folder, 'incoming'))
    this.#whole = new WholeBlobs(join(folder, 'whole'), this.#incoming)
    this.#partials = new PartialBlobs(join(folder, 'partial'))
    this.#abandonedMs = abandonedMs
    this.#sweeper = setInterval(() => {
      this.#sweep().catch((error: unknown) =>
        log.warn('what was left over cannot be removed', { reason: messageOf(error) }),
      )
    }, abandonedMs).unref()
  }

  /**
   * @param folder made when it is not there
   * @param options.abandonedMs after so long without a write, an unfinished stream of a killed process is removed
   */
  static async open(folder: string, { abandonedMs = ABANDONED_MS } = {}): Promise<FolderBlobs> {
    const blobs = new FolderBlobs(folder, abandonedMs)
    try {
      await blobs.#files(async () => {
        for (const name of ['whole', 'partial', 'incoming']) await makeFolder(join(folder, name))
        await syncFolder(folder)
        await blobs.#sweep()
      })
    } catch (error) {
      await blobs[Symbol.asyncDispose]()
      throw error
    }
    return blobs
  }

  async write(source: Readable, options: SplitOptions = {}): Promise<BlobManifest> {
    const path = this.#incoming.path()
    const open = () => this.#incoming.open(path)
    try {
      return await spool(source, { ...options, where: this.#folder, open }, (file, manifest) =>
        this.#files(async () => {
          await file.sync()
          await this.#turns.take(manifest.sha256, () => this.#commit(path, manifest))
        }),
      )
    } finally {
      await this.#incoming.remove(path)
    }
  }

  async writePiece(manifest: BlobManifest, index: number, bytes: Uint8Array): Promise<boolean> {
    checkPiece(manifest, index, bytes)
    return this.#files(() =>
      this.#turns.take(manifest.sha256, async () => {
        if (await this.#isWhole(manifest)) {
          await this.#whole.mend(manifest, index, bytes)
          return true
        }
        return this.#unlessWhole(
          manifest,
          async () => (await this.#partials.put(manifest, index, bytes)) && this.#finish(manifest),
        )
      }),
    )
  }

  pieces(manifest: BlobManifest): Promise<ReadonlySet<number>> {
    return this.#files(() =>
      this.#turns.take(manifest.sha256, async () => {
        if (await this.#isWhole(manifest)) return new Set(manifest.pieces.keys())
        const held = await this.#partials.held(manifest)
        if (held.size < manifest.pieces.length) return held
        try {
          // The process was killed, or the disk full, when the last one had come.
          await this.#unlessWhole(manifest, () => this.#finish(manifest))
          return held
        } catch (error) {
          if (isCode(error, 'blob_damaged')) return this.#partials.held(manifest)
          throw error
        }
      }),
    )
  }

  readPiece(manifest: BlobManifest, index: number, room?: Room): Promise<Uint8Array> {
    const { sha256, pieces } = manifest
    return this.#files(() =>
      unlessBroken(sha256, async () => {
        if (pieces[index] === undefined) throw missing(sha256)
        // In this order: what is no piece any more is in the whole by then. And what is right is given, also of a blob that
        // is damaged elsewhere.
        const places = [() => this.#partials.open(manifest, index), () => openFile(this.#whole.path(sha256))]
        let isHere = false
        for (const open of places) {
          const handle = await open()
          if (!handle) continue
          isHere = true
          try {
            const bytes = await pieceIn(handle, manifest, index, room)
            if (bytes) return bytes
          } finally {
            await handle.close()
          }
        }
        if (!isHere) throw missing(sha256)
        // Where the manifest is a wrong one, nothing is damaged.
        await this.#turns.take(sha256, () => this.#isWhole(manifest))
        throw damaged(sha256, `piece ${index} has other bytes`)
      }),
    )
  }

  read(sha256: string, range: ByteRange = {}): Promise<BlobReading> {
    return this.#files(async () => {
      const opened = await this.#open(sha256)
      if (!opened) throw missing(sha256)
      const { handle, size: bytes } = opened
      try {
        const { first, last } = rangeIn(bytes, range)
        const next = chunksOf(handle, sha256, { first, last })
        const stream = pulled(
          () => this.#files(next),
          () => handle.close(),
        )
        return { bytes, first, last, stream }
      } catch (error) {
        await handle.close()
        throw error
      }
    })
  }

  stat(sha256: string): Promise<BlobManifest | undefined> {
    return this.#files(async () => {
      const opened = isSha256(sha256) ? await this.#open(sha256) : undefined
      await opened?.handle.close()
      return opened?.manifest
    })
  }

  delete(sha256: string): Promise<boolean> {
    return this.#files(() =>
      this.#turns.take(sha256, async () => {
        if (!isSha256(sha256)) return false
        this.#openFiles.forget(sha256)
        const wasWhole = await this.#whole.remove(sha256)
        const wasPartial = await this.#partials.remove(sha256)
        return wasWhole || wasPartial
      }),
    )
  }

  list({
    after = '',
    limit = LIST_LIMIT,
  }: { after?: string | undefined; limit?: number } = {}): Promise<BlobPage> {
    return this.#files(async () => {
      const blobs = new Map<string, ListedBlob>()
      for await (const blob of this.#whole.list(after)) {
        blobs.set(blob.sha256, blob)
        if (blobs.size > limit) break
      }
      for await (const blob of this.#partials.list(after)) {
        const known = blobs.get(blob.sha256)
        if (known?.isWhole !== true)
          blobs.set(blob.sha256, { ...blob, bytes: blob.bytes + (known?.bytes ?? 0) })
      }
      const sorted = [...blobs.values()].sort((one, other) => (one.sha256 < other.sha256 ? -1 : 1))
      const page = sorted.slice(0, limit)
      return { blobs: page, next: sorted.length > limit ? page.at(-1)?.sha256 : undefined }
    })
  }

  [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#sweeper)
    this.#openFiles[Symbol.dispose]()
    return Promise.resolve()
  }

  async #openParts(sha256: string): Promise<number | undefined> {
    if (!isSha256(sha256)) return undefined
    const check = async (bytes: number) => (await this.stat(sha256))?.bytes === bytes
    return this.#openFiles.sizeOf(sha256, { path: this.#whole.path(sha256), check })
  }

  /** Puts finished bytes where they belong. They have been synchronised. */
  async #commit(path: string, manifest: BlobManifest): Promise<void> {
    await this.#whole.put(path, manifest)
    await this.#partials.remove(manifest.sha256)
  }

  /** Does something with the pieces of a blob, which are gone when another process brings the whole meanwhile. */
  async #unlessWhole(manifest: BlobManifest, act: () => Promise<boolean>): Promise<boolean> {
    try {
      return await act()
    } catch (error) {
      if (isAbsent(error) && (await this.#isWhole(manifest))) return true
      throw error
    }
  }

  /** All pieces are said to be here. */
  async #finish(manifest: BlobManifest): Promise<true> {
    await this.#partials.complete(manifest)
    await this.#commit(this.#partials.path(manifest), manifest)
    return true
  }

  /**
   * Whether the blob is whole here. One that was cut off, or has no list and is not what it is called, is as good as none.
   * To be asked by whoever has the turn.
   *
   * @throws HyperactiveError `blob_bad_manifest` when it is, and is described otherwise
   */
  async #isWhole(manifest: BlobManifest): Promise<boolean> {
    const { sha256 } = manifest
    const found = await this.#look(sha256).catch((error: unknown) => {
      if (isBroken(error)) return undefined
      throw error
    })
    await found?.handle.close()
    if (found?.isWhole !== true) return false
    if (!isSameManifest(found.manifest, manifest)) throw wrongManifest(manifest)
    return true
  }

  /** Opens a whole blob, having made its list anew where it has none. To be done by whoever has the turn. */
  async #look(sha256: string): Promise<OpenBlob | undefined> {
    const found = await this.#whole.open(sha256)
    if (!found || found.manifest) return found
    await found.handle.close()
    await this.#whole.relist(sha256)
    return this.#whole.open(sha256)
  }

  /** @throws HyperactiveError `blob_damaged` for what is certainly not the whole */
  async #open(sha256: string): Promise<Extract<OpenBlob, { isWhole: true }> | undefined> {
    return unlessBroken(sha256, async () => {
      let found = await this.#whole.open(sha256)
      if (found && !found.manifest) {
        await found.handle.close()
        // Somebody may just be deleting or writing it.
        found = await this.#turns.take(sha256, () => this.#look(sha256))
      }
      if (!found) return undefined
      if (found.isWhole) return found
      const { manifest, size, handle } = found
      await handle.close()
      const is = manifest ? `it has ${size} bytes instead of ${manifest.bytes}` : 'it has other bytes'
      throw damaged(sha256, is)
    })
  }

  async #sweep(): Promise<void> {
    await this.#incoming.sweep(this.#abandonedMs)
    // A process was killed when it had brought the whole.
    for await (const { sha256 } of this.#partials.list(''))
      await this.#turns.take(sha256, async () => {
        const found = await this.#whole.open(sha256)
        await found?.handle.close()
        if (found?.isWhole === true) await this.#partials.remove(sha256)
      })
  }

  #files<Result>(act: () => Promise<Result>): Promise<Result> {
    return onDisk(this.#folder, act)
  }
}
