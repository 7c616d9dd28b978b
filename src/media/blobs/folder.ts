import { randomUUID } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { lstat, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { HyperactiveError, messageOf } from '../../errors.ts'
import { logger } from '../../log.ts'
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
import type { BlobDriver, FastParts, BlobPage, BlobReading, ByteRange, ListedBlob } from './driver.ts'
import {
  FILE_MODE,
  isAbsent,
  makeFolder,
  openFile,
  readAll,
  removeFile,
  syncFolder,
  writeAll,
} from './files.ts'
import { OpenFiles } from './open-files.ts'
import { badManifest, damaged, missing, ofFileSystem } from './problems.ts'
import { PartialBlobs } from './partial-blobs.ts'
import { pulled } from './pulled.ts'
import { rangeIn } from './range.ts'
import { split } from './split.ts'
import type { SplitOptions } from './split.ts'
import { Turns } from './turns.ts'

const log = logger('media')

const CHUNK_BYTES = 256 * 1024
/** A stream that was being written, and was not for so long, belongs to nobody any more. */
const ABANDONED_MS = 60 * 60 * 1000

const BLOB = /^[0-9a-f]{64}$/
const SHARD = /^[0-9a-f]{2}$/
const INCOMING = /^[0-9a-f-]{36}\.new$/

/**
 * Blobs as plain files:
 *
 *     whole/ab/cd/abcd…        the bytes
 *     whole/ab/cd/abcd….json   the manifest
 *     partial/abcd…-<mark of the manifest>/   "bytes", with holes, and an empty file for each piece that is in them
 *     incoming/                what is being written
 *
 * A blob is there as soon as its bytes are in `whole`: they come there by renaming. Files of other names are left alone.
 */
export class FolderBlobs implements BlobDriver {
  readonly #folder: string
  readonly #abandonedMs: number
  readonly #turns = new Turns()
  readonly #partials: PartialBlobs
  readonly #sweeper: NodeJS.Timeout
  readonly #open = new OpenFiles()
  readonly parts: FastParts = {
    peek: (sha256) => this.#open.peek(sha256),
    open: (sha256) => this.#openParts(sha256),
    read: (sha256, place, done) => this.#open.read(sha256, place, done),
  }

  private constructor(folder: string, abandonedMs: number) {
    this.#folder = folder
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
        await blobs.#sweep()
      })
    } catch (error) {
      await blobs[Symbol.asyncDispose]()
      throw error
    }
    return blobs
  }

  write(source: Readable, options: SplitOptions = {}): Promise<BlobManifest> {
    return this.#files(async () => {
      const path = this.#incoming()
      try {
        // Without anybody who listens, an error while the file is being made would end the process.
        source.on('error', () => undefined)
        const handle = await open(path, 'wx', FILE_MODE).catch((error: unknown) => {
          source.destroy()
          throw error
        })
        let manifest: BlobManifest
        try {
          const keep = ({ index, bytes }: { index: number; bytes: Uint8Array }) =>
            writeAll(handle, bytes, index * PIECE_BYTES)
          manifest = await split(source, keep, options)
          await handle.sync()
        } finally {
          await handle.close()
        }
        await this.#turns.take(manifest.sha256, () => this.#commit(path, manifest))
        return manifest
      } finally {
        await rm(path, { force: true })
      }
    })
  }

  async writePiece(manifest: BlobManifest, index: number, bytes: Uint8Array): Promise<boolean> {
    checkPiece(manifest, index, bytes)
    return this.#files(() =>
      this.#turns.take(manifest.sha256, async () => {
        if (await this.#isWhole(manifest)) {
          await this.#mend(manifest, index, bytes)
          return true
        }
        return this.#unlessWhole(manifest, async () => {
          const isComplete = await this.#partials.put(manifest, index, bytes)
          if (isComplete) await this.#finish(manifest)
          return isComplete
        })
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
          await this.#unlessWhole(manifest, async () => {
            await this.#finish(manifest)
            return true
          })
          return held
        } catch (error) {
          if (error instanceof HyperactiveError && error.code === 'blob_damaged')
            return this.#partials.held(manifest)
          throw error
        }
      }),
    )
  }

  readPiece(manifest: BlobManifest, index: number): Promise<Uint8Array> {
    return this.#files(async () => {
      const { sha256 } = manifest
      const handle = await this.#turns.take(sha256, async () => {
        if (await this.#isWhole(manifest)) return openFile(this.#whole(sha256))
        const isHeld = (await this.#partials.held(manifest)).has(index)
        return isHeld ? openFile(this.#partials.path(manifest)) : undefined
      })
      if (!handle || manifest.pieces[index] === undefined) {
        await handle?.close()
        throw missing(sha256)
      }
      try {
        const bytes = new Uint8Array(bytesOfPiece(manifest, index))
        const read = await readAll(handle, bytes, index * PIECE_BYTES)
        if (read === bytes.length && isPiece(manifest, index, bytes)) return bytes
        throw damaged(sha256, `piece ${index} has other bytes`)
      } finally {
        await handle.close()
      }
    })
  }

  read(sha256: string, range: ByteRange = {}): Promise<BlobReading> {
    return this.#files(async () => {
      const handle = await openFile(this.#whole(sha256))
      if (!handle) throw missing(sha256)
      try {
        const { bytes } = await this.#manifestOf(sha256, handle)
        const { first, last } = rangeIn(bytes, range)
        let at = first
        const next = () =>
          this.#files(async () => {
            if (at > last) return undefined
            const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, last + 1 - at))
            const { bytesRead } = await handle.read(chunk, 0, chunk.length, at)
            if (bytesRead === 0) throw damaged(sha256, 'it was cut off while it was read')
            at += bytesRead
            return chunk.subarray(0, bytesRead)
          })
        return { bytes, first, last, stream: pulled(next, () => handle.close()) }
      } catch (error) {
        await handle.close()
        throw error
      }
    })
  }

  stat(sha256: string): Promise<BlobManifest | undefined> {
    return this.#files(async () => {
      const handle = isSha256(sha256) ? await openFile(this.#whole(sha256)) : undefined
      try {
        return handle && (await this.#manifestOf(sha256, handle))
      } catch (error) {
        if (error instanceof HyperactiveError && error.code === 'blob_missing') return undefined
        throw error
      } finally {
        await handle?.close()
      }
    })
  }

  delete(sha256: string): Promise<boolean> {
    return this.#files(() =>
      this.#turns.take(sha256, async () => {
        if (!isSha256(sha256)) return false
        const path = this.#whole(sha256)
        this.#open.forget(sha256)
        let found = await removeFile(path)
        found = (await removeFile(`${path}.json`)) || found
        if (found) await syncFolder(dirname(path))
        return (await this.#partials.remove(sha256)) || found
      }),
    )
  }

  list({
    after = '',
    limit = LIST_LIMIT,
  }: { after?: string | undefined; limit?: number } = {}): Promise<BlobPage> {
    return this.#files(async () => {
      const blobs = new Map<string, ListedBlob>()
      for await (const blob of this.#listWhole(after)) {
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
    this.#open[Symbol.dispose]()
    return Promise.resolve()
  }

  async #openParts(sha256: string): Promise<number | undefined> {
    if (!isSha256(sha256)) return undefined
    const check = async (bytes: number) => (await this.#stored(sha256))?.bytes === bytes
    return this.#open.sizeOf(sha256, { path: this.#whole(sha256), check })
  }

  async *#listWhole(after: string): AsyncIterable<ListedBlob> {
    const root = join(this.#folder, 'whole')
    for (const one of await namesIn(root, SHARD, after.slice(0, 2))) {
      const least = after.startsWith(one) ? after.slice(2, 4) : ''
      for (const two of await namesIn(join(root, one), SHARD, least)) {
        const folder = join(root, one, two)
        for (const sha256 of await namesIn(folder, BLOB, after)) {
          if (sha256 === after || !sha256.startsWith(one + two)) continue
          const found = await lstat(join(folder, sha256)).catch(() => undefined)
          if (found?.isFile() === true) yield { sha256, bytes: found.size, isWhole: true }
        }
      }
    }
  }

  /** Puts finished bytes where they belong. They have been synchronised. */
  async #commit(path: string, manifest: BlobManifest): Promise<void> {
    const whole = this.#whole(manifest.sha256)
    const half = this.#incoming()
    await makeFolder(dirname(whole))
    try {
      const handle = await open(half, 'wx', FILE_MODE)
      try {
        await handle.writeFile(JSON.stringify(manifest))
        await handle.sync()
      } finally {
        await handle.close()
      }
      await rename(half, `${whole}.json`)
    } finally {
      await rm(half, { force: true })
    }
    await rename(path, whole)
    await syncFolder(dirname(whole))
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
  async #finish(manifest: BlobManifest): Promise<void> {
    await this.#partials.complete(manifest)
    await this.#commit(this.#partials.path(manifest), manifest)
  }

  /** Writes a piece of a whole blob once more. */
  async #mend(manifest: BlobManifest, index: number, bytes: Uint8Array): Promise<void> {
    const path = this.#whole(manifest.sha256)
    const handle = await open(path, 'r+')
    try {
      await writeAll(handle, bytes, index * PIECE_BYTES)
      if ((await handle.stat()).size > manifest.bytes) await handle.truncate(manifest.bytes)
      await handle.sync()
    } finally {
      await handle.close()
    }
  }

  /**
   * Whether the blob is whole here. Bytes without a manifest are as good as none.
   *
   * @throws HyperactiveError `blob_bad_manifest` when it is, and is described otherwise
   */
  async #isWhole(manifest: BlobManifest): Promise<boolean> {
    const path = this.#whole(manifest.sha256)
    const handle = await openFile(path)
    if (!handle) return false
    await handle.close()
    const stored = await this.#stored(manifest.sha256)
    if (!stored) return false
    if (isSameManifest(stored, manifest)) return true
    throw badManifest(`its pieces are not those of ${manifest.sha256}`)
  }

  async #manifestOf(sha256: string, handle: FileHandle): Promise<BlobManifest> {
    const [manifest, { size }] = [await this.#stored(sha256), await handle.stat()]
    if (!manifest) {
      // Whoever deletes a blob removes its bytes first.
      const left = await openFile(this.#whole(sha256))
      await left?.close()
      throw left ? damaged(sha256, 'the list of its pieces cannot be read') : missing(sha256)
    }
    if (size !== manifest.bytes) throw damaged(sha256, `it has ${size} bytes instead of ${manifest.bytes}`)
    return manifest
  }

  async #stored(sha256: string): Promise<BlobManifest | undefined> {
    try {
      const manifest = checkManifest(JSON.parse(await readFile(`${this.#whole(sha256)}.json`, 'utf8')))
      return manifest.sha256 === sha256 ? manifest : undefined
    } catch (error) {
      const { syscall } = error as NodeJS.ErrnoException
      if (syscall === undefined || isAbsent(error)) return undefined
      throw error
    }
  }

  async #sweep(): Promise<void> {
    const folder = join(this.#folder, 'incoming')
    for (const name of (await readdir(folder)).filter((each) => INCOMING.test(each))) {
      const found = await stat(join(folder, name)).catch(() => undefined)
      if (found && Date.now() - found.mtimeMs > this.#abandonedMs)
        await rm(join(folder, name), { force: true })
    }
  }

  async #files<Result>(act: () => Promise<Result>): Promise<Result> {
    try {
      return await act()
    } catch (error) {
      throw ofFileSystem(this.#folder, error)
    }
  }

  #whole(sha256: string): string {
    // It becomes a path: nothing else may.
    if (!isSha256(sha256)) throw missing(String(sha256).slice(0, 64))
    return join(this.#folder, 'whole', sha256.slice(0, 2), sha256.slice(2, 4), sha256)
  }

  #incoming(): string {
    return join(this.#folder, 'incoming', `${randomUUID()}.new`)
  }
}

/** Names in a folder from one on, in order; none where there is no folder. */
async function namesIn(folder: string, pattern: RegExp, least: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => pattern.test(name) && name >= least).sort()
  } catch (error) {
    if (isAbsent(error)) return []
    throw error
  }
}
