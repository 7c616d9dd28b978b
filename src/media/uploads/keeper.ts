import { createReadStream } from 'node:fs'
import { link, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { MediaFile } from '../../ledger/media.ts'
import type { BlobDriver } from '../blobs/driver.ts'
import { diskFull, ofFileSystem } from '../blobs/problems.ts'
import type { Cleaner, CleanFile } from '../clean/cleaner.ts'
import { makePreview } from './preview.ts'
import type { UploadRows } from './rows.ts'

const WORKING = '.work'
export const PREVIEW = '.jpg'

export interface KeeperOptions {
  folder: string
  blobs: Pick<BlobDriver, 'write' | 'stat'>
  /** Removes a blob, and says nowhere that it is here any more. */
  removeBlob: (sha256: string) => Promise<unknown>
  cleaner: Cleaner
}

/** Makes clean blobs of uploads, and takes both away again. */
export class Keeper {
  readonly #options: KeeperOptions
  readonly #rows: UploadRows
  readonly #deleting = new Map<string, Promise<unknown>>()
  /** Whether any item has a file; until that can be told, all are taken for such. */
  isNamed: (sha256: string) => Promise<boolean> = () => Promise.resolve(true)

  constructor(options: KeeperOptions, rows: UploadRows) {
    this.#options = options
    this.#rows = rows
  }

  /** Where the bytes of an upload come to stand as they are sent. */
  path(id: string): string {
    return join(this.#options.folder, id)
  }

  preview(id: string): string {
    return this.path(id) + PREVIEW
  }

  /**
   * Cleans an upload and keeps what comes out of it, which its row says then. What was sent is gone in the end; until
   * then it is there, so that a node which ends meanwhile begins anew.
   *
   * @throws HyperactiveError what the cleaner and the store of blobs throw, `blob_disk_full`
   */
  async keep(id: string, signal: AbortSignal): Promise<MediaFile> {
    const { cleaner, folder } = this.#options
    const path = this.path(id)
    try {
      // The cleaner takes the file that it is given: this is another name of it.
      await rm(path + WORKING, { force: true })
      await link(path, path + WORKING)
      await using clean = await cleaner.clean(path + WORKING, signal)
      const file = await this.#intoBlobs(id, clean, signal)
      await makePreview(clean, this.preview(id), { folder, signal })
      signal.throwIfAborted()
      await rm(path, { force: true })
      return file
    } catch (error) {
      throw ofDisk(error)
    }
  }

  async #intoBlobs(id: string, clean: CleanFile, signal: AbortSignal): Promise<MediaFile> {
    const { blobs } = this.#options
    const { type, extension, width, height, durationMs } = clean
    const write = () => blobs.write(createReadStream(clean.path, { signal }))
    const file: MediaFile = {
      ...(await write()),
      type,
      extension,
      ...(width === undefined ? {} : { width }),
      ...(height === undefined ? {} : { height }),
      ...(durationMs === undefined ? {} : { durationMs: Math.round(durationMs) }),
    }
    this.#rows.ready(id, file)
    // Another upload of the same file may have been removed with its blob just before this one was written down.
    await this.#deleting.get(file.sha256)
    if (!(await blobs.stat(file.sha256))) await write()
    return file
  }

  /** Removes a blob, unless an upload or an item has it. */
  async removeBlob(sha256: string): Promise<void> {
    if (this.#rows.has(sha256) || (await this.isNamed(sha256)) || this.#rows.has(sha256)) return
    const deleting = this.#options.removeBlob(sha256)
    this.#deleting.set(sha256, deleting)
    try {
      await deleting
    } finally {
      this.#deleting.delete(sha256)
    }
  }

  /** Removes what is of an upload on the disk, but its blob. */
  async removeFiles(id: string): Promise<void> {
    for (const ending of ['', WORKING, PREVIEW]) await rm(this.path(id) + ending, { force: true })
  }
}

/** What an error of the disk means to whoever sends a file. */
export function ofDisk(error: unknown): unknown {
  const where = 'the folder of uploads'
  return (error as NodeJS.ErrnoException).code === 'EFBIG'
    ? diskFull(where, error)
    : ofFileSystem(where, error)
}

/** The bytes of a file; none of one that is not there. */
export async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  )
}
