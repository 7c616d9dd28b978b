import { constants } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { lstat, mkdir, open, readdir, readFile, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { HyperactiveError } from '../../errors.ts'
import { checkManifest, isSha256, PIECE_BYTES } from './blob.ts'
import type { BlobManifest } from './blob.ts'
import { isBroken } from './broken.ts'
import type { ListedBlob } from './driver.ts'
import { FOLDER_MODE, isAbsent, openFile, removeFile, syncFolder, unlessAbsent, writeAll } from './files.ts'
import type { Incoming } from './incoming.ts'
import { missing } from './problems.ts'
import { split } from './split.ts'

const BLOB = /^[0-9a-f]{64}$/
const SHARD = /^[0-9a-f]{2}$/

/** Bytes under a blob's name, open, and the list of the pieces: undefined when it is gone, or cannot be read. */
export type OpenBlob = { handle: FileHandle; size: number } & (
  { isWhole: true; manifest: BlobManifest } | { isWhole: false; manifest: BlobManifest | undefined }
)

/**
 * Whole blobs on the disk, `ab/cd/abcd…`, each with the list of its pieces beside it, `ab/cd/abcd….json`. The list tells
 * nothing that the bytes do not: where it is gone, because two processes or a power cut came between, it is made anew.
 */
export class WholeBlobs {
  readonly #folder: string
  readonly #incoming: Incoming
  /** Folders that are known to outlast a power cut. */
  readonly #lasting = new Set<string>()
  /** Names of bytes that have no list and are not what they are called. */
  readonly #hopeless = new Set<string>()

  constructor(folder: string, incoming: Incoming) {
    this.#folder = folder
    this.#incoming = incoming
  }

  /** @throws HyperactiveError `blob_missing` for what is no digest: it becomes a path */
  path(sha256: string): string {
    if (!isSha256(sha256)) throw missing(String(sha256).slice(0, 64))
    return join(this.#folder, sha256.slice(0, 2), sha256.slice(2, 4), sha256)
  }

  /** Undefined when there are no bytes. Whoever gets them closes them. */
  async open(sha256: string): Promise<OpenBlob | undefined> {
    const handle = await openFile(this.path(sha256))
    if (!handle) return undefined
    try {
      const { size } = await handle.stat()
      const manifest = await this.#listed(sha256)
      if (manifest?.bytes === size) return { handle, size, manifest, isWhole: true }
      return { handle, size, manifest, isWhole: false }
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  /** Puts finished bytes in their place. They have been synchronised. */
  async put(path: string, manifest: BlobManifest): Promise<void> {
    const whole = this.path(manifest.sha256)
    await this.#makeLasting(dirname(whole))
    await this.#list(manifest)
    await rename(path, whole)
    await syncFolder(dirname(whole))
  }

  /** Makes the list of a blob anew from its bytes, unless they are not what they are called. */
  async relist(sha256: string): Promise<void> {
    if (this.#hopeless.has(sha256)) return
    const handle = await openFile(this.path(sha256))
    if (!handle) return
    try {
      const bytes = handle.createReadStream({ autoClose: false })
      const manifest = await split(bytes, async () => undefined, { sha256 }).catch((error: unknown) => {
        if (error instanceof HyperactiveError || isBroken(error)) return undefined
        throw error
      })
      if (manifest) await this.#list(manifest)
      else this.#hopeless.add(sha256)
    } finally {
      await handle.close()
    }
  }

  /** Writes a piece of a whole blob over. */
  async mend({ sha256 }: BlobManifest, index: number, bytes: Uint8Array): Promise<void> {
    const handle = await open(this.path(sha256), constants.O_RDWR | constants.O_NOFOLLOW)
    try {
      await writeAll(handle, bytes, index * PIECE_BYTES)
      await handle.sync()
    } finally {
      await handle.close()
    }
  }

  /** Gives whether there was anything. */
  async remove(sha256: string): Promise<boolean> {
    const path = this.path(sha256)
    this.#hopeless.delete(sha256)
    // The bytes go first: then nobody takes them for a blob without a list.
    const hadBytes = await removeFile(path)
    const hadList = await removeFile(`${path}.json`)
    // Also when there was nothing: whoever removed it may have been killed before this.
    await unlessAbsent(syncFolder(dirname(path)))
    return hadBytes || hadList
  }

  /** In the order of their names. */
  async *list(after: string): AsyncIterable<ListedBlob> {
    for (const one of await namesIn(this.#folder, SHARD, after.slice(0, 2))) {
      const least = after.startsWith(one) ? after.slice(2, 4) : ''
      for (const two of await namesIn(join(this.#folder, one), SHARD, least)) {
        const folder = join(this.#folder, one, two)
        for (const sha256 of await namesIn(folder, BLOB, after)) {
          if (sha256 === after || !sha256.startsWith(one + two)) continue
          const bytes = await sizeOf(join(folder, sha256))
          if (bytes !== undefined) yield { sha256, bytes, isWhole: true }
        }
      }
    }
  }

  async #listed(sha256: string): Promise<BlobManifest | undefined> {
    try {
      const flag = constants.O_RDONLY | constants.O_NOFOLLOW
      const text = await readFile(`${this.path(sha256)}.json`, { encoding: 'utf8', flag })
      const manifest = checkManifest(JSON.parse(text))
      return manifest.sha256 === sha256 ? manifest : undefined
    } catch (error) {
      const { syscall, code } = error as NodeJS.ErrnoException
      const isUseless = syscall === undefined || isAbsent(error) || isBroken(error) || code === 'ELOOP'
      if (isUseless) return undefined
      throw error
    }
  }

  async #list(manifest: BlobManifest): Promise<void> {
    await this.#incoming.put(JSON.stringify(manifest), `${this.path(manifest.sha256)}.json`)
    this.#hopeless.delete(manifest.sha256)
  }

  /** A folder that is there may have been made by somebody who was killed before it was synchronised. */
  async #makeLasting(folder: string): Promise<void> {
    const made = await mkdir(folder, { recursive: true, mode: FOLDER_MODE })
    if (made === undefined && this.#lasting.has(folder)) return
    for (const above of [dirname(folder), this.#folder]) await syncFolder(above)
    this.#lasting.add(folder)
  }
}

/** How large a file is; undefined for what is none. One that the disk cannot read is told of, so that it is looked at. */
async function sizeOf(path: string): Promise<number | undefined> {
  try {
    const found = await lstat(path)
    return found.isFile() ? found.size : undefined
  } catch (error) {
    return isBroken(error) ? 0 : undefined
  }
}

/** Names in a folder from one on, in order; none where there is no folder. */
async function namesIn(folder: string, pattern: RegExp, least: string): Promise<string[]> {
  const names = (await unlessAbsent(readdir(folder))) ?? []
  return names.filter((name) => pattern.test(name) && name >= least).sort()
}
