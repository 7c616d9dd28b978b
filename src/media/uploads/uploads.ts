import { createHmac, randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { link, readdir, rm, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { HyperactiveError, messageOf } from '../../errors.ts'
import type { MediaFile } from '../../ledger/media.ts'
import { logger } from '../../log.ts'
import type { BlobDriver } from '../blobs/driver.ts'
import { makeFolder } from '../blobs/files.ts'
import { diskFull, ofFileSystem } from '../blobs/problems.ts'
import type { Cleaner, CleanFile } from '../clean/cleaner.ts'
import { tidyName } from './names.ts'
import { makePreview } from './preview.ts'
import { emptyFile, goneUpload, tooLargeFile } from './problems.ts'
import { Room } from './room.ts'
import { UploadRows } from './rows.ts'
import type { UploadRow } from './rows.ts'
import { spool } from './spool.ts'

const log = logger('media')

const HOUR_MS = 60 * 60_000
const SWEEP_MS = 10 * 60_000
const WORKING = '.work'
const PREVIEW = '.jpg'

export interface UploadsOptions {
  /** Where uploads are until they are clean, and the list of them; nobody else writes there. */
  folder: string
  blobs: BlobDriver
  cleaner: Cleaner
  settings: { fileBytes: number; waitingBytes: number; hours: number }
  /** Known to this node alone: what uploads are bound to is stored under it. */
  secret: Buffer
}

/** Bytes that came with a form, on the disk as they came. Disposing removes them, unless they have been taken. */
export interface ReceivedFile extends AsyncDisposable {
  id: string
  name: string
  bytes: number
}

/** A file that is clean and kept, and waits for its form to be sent. */
export interface WaitingFile {
  id: string
  /** As the browser called it; a name like that can tell when a picture was taken. */
  name: string
  file: MediaFile
}

/**
 * Files between the browser and the ledger. What comes goes to the disk, through the cleaner, and into the store of
 * blobs; the original is gone then. It waits there for its form, for some hours. Each is known by a random name of 128
 * bits, which only the form that it was sent for holds.
 */
export class Uploads implements AsyncDisposable {
  readonly room: Room
  readonly #options: UploadsOptions
  readonly #rows: UploadRows
  readonly #stop = new AbortController()
  readonly #working = new Map<string, Promise<void>>()
  readonly #deleting = new Map<string, Promise<unknown>>()
  #timer: NodeJS.Timeout | undefined
  #isNamed: (sha256: string) => Promise<boolean> = () => Promise.resolve(true)

  private constructor(options: UploadsOptions, rows: UploadRows) {
    this.#options = options
    this.#rows = rows
    this.room = new Room(options.settings.waitingBytes)
  }

  /** Opens the folder and goes on with what was under way when the node ended. */
  static async open(options: UploadsOptions): Promise<Uploads> {
    await makeFolder(options.folder)
    const uploads = new Uploads(options, UploadRows.open(join(options.folder, 'uploads.sqlite')))
    await uploads.#resume()
    return uploads
  }

  /**
   * Removes from now on what expires, and its blobs.
   *
   * @param isNamed whether any item has a file, as far as this node knows of items
   */
  start(isNamed: (sha256: string) => Promise<boolean>): void {
    this.#isNamed = isNamed
    const sweep = () => {
      this.sweep().catch((error: unknown) => {
        if (!this.#stop.signal.aborted)
          log.warn('expired uploads could not be removed', { reason: messageOf(error) })
      })
    }
    this.#timer = setInterval(sweep, SWEEP_MS).unref()
    sweep()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    this.#stop.abort(new HyperactiveError('closed', 'the node is stopping'))
    await Promise.allSettled([...this.#working.values(), ...this.#deleting.values()])
    this.#rows[Symbol.dispose]()
  }

  /** The largest file that is taken. */
  get fileBytes(): number {
    return this.#options.settings.fileBytes
  }

  /**
   * Writes bytes to the disk as they come. When anything fails nothing is left, and the rest of the stream is dropped.
   *
   * @throws HyperactiveError `upload_empty`, `upload_too_large`, `upload_no_room`, `upload_busy`, `blob_disk_full`; or
   * what the stream fails with
   */
  async receive(source: Readable, name: string): Promise<ReceivedFile> {
    const id = newId()
    const path = this.#path(id)
    const dispose = async () => {
      if (this.#rows.find(id)) return
      await rm(path, { force: true })
      this.room.free(id)
    }
    try {
      using _ = this.#enter(source)
      const bytes = await spool(source, path, { start: 0, count: this.#counter(id) })
      if (bytes === 0) throw emptyFile()
      return { id, name: tidyName(name), bytes, [Symbol.asyncDispose]: dispose }
    } catch (error) {
      await dispose()
      throw this.#ofDisk(error)
    }
  }

  /**
   * Cleans and keeps what was received, for the form at an address.
   *
   * @throws HyperactiveError what the cleaner and the store of blobs throw; nothing is left of the file then
   */
  async take({ id, name, bytes }: ReceivedFile, form: string): Promise<WaitingFile> {
    this.#rows.add({ id, form: this.#refOf(form), name, state: 'working', size: bytes, madeMs: Date.now() })
    await this.#work(id)
    const row = this.#rows.find(id)
    if (row?.state === 'ready') return waiting(row)
    this.#rows.remove(id)
    throw problemOf(row)
  }

  /**
   * Begins a file that comes in several requests.
   *
   * @returns what it is known by
   * @throws HyperactiveError `upload_empty`, `upload_too_large`
   */
  begin(form: string, { name, size }: { name: string; size: number }): string {
    if (size === 0) throw emptyFile()
    if (size > this.fileBytes) throw tooLargeFile(this.fileBytes)
    const id = newId()
    const row = { id, form: this.#refOf(form), name: tidyName(name), size, madeMs: Date.now() }
    this.#rows.add({ ...row, state: 'coming' })
    return id
  }

  /** How much of a file has come that comes in several requests; undefined of one that is not here. */
  async progress(id: string): Promise<{ size: number; received: number } | undefined> {
    const row = this.#rows.find(id)
    if (!row) return undefined
    if (row.state !== 'coming') return { size: row.size, received: row.size }
    return { size: row.size, received: await sizeOf(this.#path(id)) }
  }

  /**
   * Takes more bytes of it.
   *
   * @returns how many there are then
   * @throws HyperactiveError `upload_gone`, `upload_no_room`, `upload_busy`, `blob_disk_full`
   */
  async append(id: string, source: Readable, offset: number): Promise<number> {
    const path = this.#path(id)
    try {
      using _ = this.#enter(source)
      if (this.#rows.find(id)?.state !== 'coming') throw goneUpload()
      return offset + (await spool(source, path, { start: offset, count: this.#counter(id) }))
    } catch (error) {
      throw this.#ofDisk(error)
    } finally {
      // It may have been taken out meanwhile.
      if (this.#rows.find(id)) this.room.set(id, await sizeOf(path))
      else await this.#removeFiles(id)
    }
  }

  /** When the last byte of it has come: what follows goes on by itself, and {@link state} tells how it ends. */
  finish(id: string): void {
    if (this.#rows.find(id)?.state !== 'coming') return
    this.#rows.working(id)
    this.#work(id).catch(() => undefined)
  }

  /** What has become of an upload. */
  state(id: string): Pick<UploadRow, 'state' | 'name' | 'file' | 'problem'> | undefined {
    return this.#rows.find(id)
  }

  /** A file that waits for the form at this address; undefined of any other. */
  find(id: string, form: string): WaitingFile | undefined {
    const row = this.#rows.find(id)
    return row?.state === 'ready' && row.form === this.#refOf(form) ? waiting(row) : undefined
  }

  /** The small picture of one, if it has one: where it stands on the disk. */
  async preview(id: string): Promise<string | undefined> {
    const path = this.#path(id) + PREVIEW
    return this.#rows.find(id)?.state === 'ready' && (await sizeOf(path)) > 0 ? path : undefined
  }

  /** Whether a file waits here, so that it is not an orphan. */
  holds(sha256: string): boolean {
    return this.#rows.has(sha256)
  }

  /** Likewise, for whoever looks after files that nothing names. */
  isWaiting(sha256: string): boolean {
    return this.holds(sha256)
  }

  /** Forgets uploads that are this file, with their small pictures: it is not to exist any more. */
  async letGo(sha256: string): Promise<void> {
    for (const id of this.#rows.withDigest(sha256)) {
      this.#rows.remove(id)
      await this.#removeFiles(id)
    }
    this.#rows.scrub()
  }

  /** An item has them now. They stay known for as long as the others, so that a form which is sent twice finds them. */
  used(ids: readonly string[]): void {
    for (const id of ids) {
      this.#rows.used(id)
      this.room.free(id)
    }
  }

  /** Removes those that no item has. */
  async release(ids: readonly string[]): Promise<void> {
    for (const id of ids) if (this.#rows.find(id)?.isUsed === false) await this.drop(id)
  }

  /** Removes one, with its blob if nothing else has it. */
  async drop(id: string): Promise<void> {
    const row = this.#rows.find(id)
    if (row) await this.#remove(row)
  }

  /** Removes what has waited for too long. */
  async sweep(nowMs = Date.now()): Promise<void> {
    const expired = this.#rows.before(nowMs - this.#options.settings.hours * HOUR_MS)
    for (const row of expired) {
      if (!this.#working.has(row.id)) await this.#remove(row)
    }
    if (expired.length > 0) this.#rows.scrub()
  }

  async #resume(): Promise<void> {
    const rows = this.#rows.all()
    const known = new Set(rows.flatMap(({ id, state }) => [id, ...(state === 'ready' ? [id + PREVIEW] : [])]))
    for (const name of await readdir(this.#options.folder)) {
      if (name.startsWith('uploads.sqlite') || known.has(name)) continue
      await rm(join(this.#options.folder, name), { recursive: true, force: true })
    }
    for (const row of rows) {
      const { id, state, file, isUsed } = row
      if (state === 'ready' && file) this.room.set(id, isUsed ? 0 : file.bytes)
      if (state !== 'coming' && state !== 'working') continue
      const bytes = await sizeOf(this.#path(id))
      this.room.set(id, bytes)
      if (bytes > row.size) await truncate(this.#path(id), row.size)
      if (bytes < row.size && state === 'working') this.#rows.remove(id)
      if (bytes >= row.size) {
        this.#rows.working(id)
        this.#work(id).catch(() => undefined)
      }
    }
  }

  /** Cleans and keeps one file. How it ends stands in its row; it begins anew when the node ends before. */
  #work(id: string): Promise<void> {
    const work = this.#keep(id)
      .catch(async (error: unknown) => {
        if (this.#stop.signal.aborted) return
        const known = error instanceof HyperactiveError ? error : undefined
        if (!known || known.status >= 500)
          log.error('a file could not be kept', { code: known?.code ?? messageOf(error) })
        const { code = 'upload_failed', status = 500 } = known ?? {}
        this.#rows.refused(id, { code, status, message: known?.message ?? 'this file could not be kept' })
        await this.#removeFiles(id)
      })
      .finally(() => this.#working.delete(id))
    this.#working.set(id, work)
    return work
  }

  async #keep(id: string): Promise<void> {
    const { cleaner, folder } = this.#options
    const { signal } = this.#stop
    const path = this.#path(id)
    try {
      // The cleaner takes the file that it is given; this name of it is there until the clean one is kept.
      await rm(path + WORKING, { force: true })
      await link(path, path + WORKING)
      await using clean = await cleaner.clean(path + WORKING, signal)
      const file = await this.#intoBlobs(id, clean, signal)
      await makePreview(clean, path + PREVIEW, { folder, signal })
      signal.throwIfAborted()
      // Whoever took it out meanwhile wants nothing of it to stay.
      if (!this.#rows.find(id)) {
        await this.#removeBlob(file.sha256)
        await rm(path + PREVIEW, { force: true })
      } else this.room.set(id, file.bytes)
      await rm(path, { force: true })
    } catch (error) {
      throw this.#ofDisk(error)
    }
  }

  async #intoBlobs(id: string, clean: CleanFile, signal: AbortSignal): Promise<MediaFile> {
    const { blobs } = this.#options
    const { type, extension, width, height, durationMs } = clean
    const write = () => blobs.write(createReadStream(clean.path, { signal }))
    let file: MediaFile = {
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
    if (!(await blobs.stat(file.sha256))) file = { ...file, ...(await write()) }
    return file
  }

  async #remove({ id, file, isUsed }: UploadRow): Promise<void> {
    this.#rows.remove(id)
    await this.#removeFiles(id)
    // What an item has is that item's from then on.
    if (file && !isUsed) await this.#removeBlob(file.sha256)
  }

  async #removeBlob(sha256: string): Promise<void> {
    if (this.#rows.has(sha256) || (await this.#isNamed(sha256)) || this.#rows.has(sha256)) return
    const deleting = this.#options.blobs.delete(sha256)
    this.#deleting.set(sha256, deleting)
    try {
      await deleting
    } finally {
      this.#deleting.delete(sha256)
    }
  }

  async #removeFiles(id: string): Promise<void> {
    for (const ending of ['', WORKING, PREVIEW]) await rm(this.#path(id) + ending, { force: true })
    this.room.free(id)
  }

  /** Takes a place for a stream, which is read on where there is none. */
  #enter(source: Readable): Disposable {
    try {
      return this.room.enter()
    } catch (error) {
      source.on('error', () => undefined)
      source.resume()
      throw error
    }
  }

  #counter(id: string): (bytes: number) => void {
    let left = this.fileBytes
    return (bytes) => {
      left -= bytes
      if (left < 0) throw tooLargeFile(this.fileBytes)
      this.room.add(id, bytes)
    }
  }

  #ofDisk(error: unknown): unknown {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EFBIG') return diskFull('the folder of uploads', error)
    return ofFileSystem('the folder of uploads', error)
  }

  #path(id: string): string {
    return join(this.#options.folder, id)
  }

  #refOf(form: string): string {
    return createHmac('sha256', new Uint8Array(this.#options.secret)).update(form).digest('hex')
  }
}

/** What an upload is known by, as it stands in forms and addresses. */
export function isUploadId(text: string): boolean {
  return /^[0-9a-f]{32}$/.test(text)
}

function newId(): string {
  return randomBytes(16).toString('hex')
}

function waiting({ id, name, file }: UploadRow): WaitingFile {
  if (!file) throw goneUpload()
  return { id, name, file }
}

/** Why an upload was refused, as the error that it was refused with. */
export function problemOf(row: Pick<UploadRow, 'problem'> | undefined): HyperactiveError {
  if (!row?.problem) return goneUpload()
  const { code, message, status } = row.problem
  return new HyperactiveError(code, message, { status, expose: true })
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  )
}
