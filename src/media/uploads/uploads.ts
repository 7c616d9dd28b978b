import { createHmac, randomBytes } from 'node:crypto'
import { readdir, rm, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { HyperactiveError, messageOf } from '../../errors.ts'
import type { MediaFile } from '../../ledger/media.ts'
import { logger } from '../../log.ts'
import { makeFolder } from '../blobs/files.ts'
import { Keeper, ofDisk, PREVIEW, sizeOf } from './keeper.ts'
import type { KeeperOptions } from './keeper.ts'
import { tidyName } from './names.ts'
import { emptyFile, goneUpload, tooLargeFile } from './problems.ts'
import { Room } from './room.ts'
import { UploadRows } from './rows.ts'
import type { UploadRow } from './rows.ts'
import { spool } from './spool.ts'

const log = logger('media')

const HOUR_MS = 60 * 60_000
const SWEEP_MS = 10 * 60_000

/** `folder` is where uploads are until they are clean, with the list of them; nobody else writes there. */
export interface UploadsOptions extends KeeperOptions {
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
  readonly #settings: UploadsOptions['settings']
  readonly #secret: Uint8Array
  readonly #rows: UploadRows
  readonly #keeper: Keeper
  readonly #stop = new AbortController()
  readonly #working = new Map<string, Promise<void>>()
  #timer: NodeJS.Timeout | undefined

  private constructor(options: UploadsOptions, rows: UploadRows) {
    this.#settings = options.settings
    this.#secret = new Uint8Array(options.secret)
    this.#rows = rows
    this.#keeper = new Keeper(options, rows)
    this.room = new Room(options.settings.waitingBytes)
  }

  /** Opens the folder and goes on with what was under way when the node ended. */
  static async open(options: UploadsOptions): Promise<Uploads> {
    await makeFolder(options.folder)
    const uploads = new Uploads(options, UploadRows.open(join(options.folder, 'uploads.sqlite')))
    await uploads.#resume(options.folder)
    return uploads
  }

  /**
   * Removes from now on what expires, and its blobs.
   *
   * @param isNamed whether any item has a file, as far as this node knows of items
   */
  start(isNamed: (sha256: string) => Promise<boolean>): void {
    this.#keeper.isNamed = isNamed
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
    this.#stop.abort(new Error('the node is stopping'))
    await Promise.allSettled(this.#working.values())
    this.#rows[Symbol.dispose]()
  }

  /** The largest file that is taken. */
  get fileBytes(): number {
    return this.#settings.fileBytes
  }

  /**
   * Writes bytes to the disk as they come. When anything fails nothing is left, and the rest of the stream is dropped.
   *
   * @throws HyperactiveError `upload_empty`, `upload_too_large`, `upload_no_room`, `upload_busy`, `blob_disk_full`; or
   * what the stream fails with
   */
  async receive(source: Readable, name: string): Promise<ReceivedFile> {
    const id = newId()
    const dispose = async () => {
      if (!this.#rows.find(id)) await this.#removeFiles(id)
    }
    try {
      using _ = this.#enter(source)
      const bytes = await spool(source, this.#keeper.path(id), { start: 0, count: this.#counter(id, 0) })
      if (bytes === 0) throw emptyFile()
      return { id, name: tidyName(name), bytes, [Symbol.asyncDispose]: dispose }
    } catch (error) {
      await dispose()
      throw ofDisk(error)
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
    return { size: row.size, received: await sizeOf(this.#keeper.path(id)) }
  }

  /**
   * Takes more bytes of it.
   *
   * @returns how many there are then
   * @throws HyperactiveError `upload_gone`, `upload_no_room`, `upload_busy`, `blob_disk_full`
   */
  async append(id: string, source: Readable, offset: number): Promise<number> {
    const path = this.#keeper.path(id)
    try {
      using _ = this.#enter(source)
      if (this.#rows.find(id)?.state !== 'coming') throw goneUpload()
      return offset + (await spool(source, path, { start: offset, count: this.#counter(id, offset) }))
    } catch (error) {
      throw ofDisk(error)
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
    void this.#work(id)
  }

  /** What has become of an upload. */
  state(id: string): Pick<UploadRow, 'state' | 'name' | 'file' | 'problem'> | undefined {
    const row = this.#rows.find(id)
    // Its small picture is still being made.
    return row?.state === 'ready' && this.#working.has(id) ? { state: 'working', name: row.name } : row
  }

  /** A file that waits for the form at this address; undefined of any other. */
  find(id: string, form: string): WaitingFile | undefined {
    const row = this.#rows.find(id)
    return row?.state === 'ready' && row.form === this.#refOf(form) ? waiting(row) : undefined
  }

  /** The small picture of one, if it has one: where it stands on the disk. */
  async preview(id: string): Promise<string | undefined> {
    const path = this.#keeper.preview(id)
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
    const expired = this.#rows.before(nowMs - this.#settings.hours * HOUR_MS)
    for (const row of expired) if (!this.#working.has(row.id)) await this.#remove(row)
    if (expired.length > 0) this.#rows.scrub()
  }

  async #resume(folder: string): Promise<void> {
    const rows = this.#rows.all()
    const known = new Set(rows.flatMap(({ id, state }) => [id, ...(state === 'ready' ? [id + PREVIEW] : [])]))
    for (const name of await readdir(folder)) {
      if (name.startsWith('uploads.sqlite') || known.has(name)) continue
      await rm(join(folder, name), { recursive: true, force: true })
    }
    for (const row of rows) {
      if (row.state === 'ready') {
        // It may have ended just before the original was removed.
        await rm(this.#keeper.path(row.id), { force: true })
        this.room.set(row.id, row.isUsed ? 0 : (row.file?.bytes ?? 0))
      } else if (row.state !== 'refused') await this.#goOn(row)
    }
  }

  /** Goes on with an upload of an earlier run. */
  async #goOn({ id, state, size }: UploadRow): Promise<void> {
    const path = this.#keeper.path(id)
    const bytes = await sizeOf(path)
    this.room.set(id, bytes)
    if (bytes > size) await truncate(path, size)
    if (bytes >= size) {
      this.#rows.working(id)
      void this.#work(id)
    } else if (state === 'working') await this.drop(id)
  }

  /** Cleans and keeps one file. How it ends stands in its row; it begins anew when the node ends before. */
  #work(id: string): Promise<void> {
    const work = this.#keep(id).finally(() => this.#working.delete(id))
    this.#working.set(id, work)
    return work
  }

  async #keep(id: string): Promise<void> {
    try {
      const file = await this.#keeper.keep(id, this.#stop.signal)
      this.room.set(id, file.bytes)
      if (this.#rows.find(id)) return
      // Whoever took it out meanwhile wants nothing of it to stay.
      await this.#removeFiles(id)
      await this.#keeper.removeBlob(file.sha256)
    } catch (error) {
      if (this.#stop.signal.aborted) return
      const known = error instanceof HyperactiveError ? error : undefined
      const { code = 'upload_failed', status = 500, message = 'this file could not be kept' } = known ?? {}
      if (status >= 500)
        log.error('a file could not be kept', { code, reason: known ? '' : messageOf(error) })
      this.#rows.refused(id, { code, status, message })
      await this.#removeFiles(id)
    }
  }

  async #remove({ id, file, isUsed }: UploadRow): Promise<void> {
    this.#rows.remove(id)
    await this.#removeFiles(id)
    // What an item has is that item's from then on.
    if (file && !isUsed) await this.#keeper.removeBlob(file.sha256)
  }

  async #removeFiles(id: string): Promise<void> {
    await this.#keeper.removeFiles(id)
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

  #counter(id: string, offset: number): (bytes: number) => void {
    let left = this.fileBytes - offset
    return (bytes) => {
      left -= bytes
      if (left < 0) throw tooLargeFile(this.fileBytes)
      this.room.add(id, bytes)
    }
  }

  #refOf(form: string): string {
    return createHmac('sha256', this.#secret).update(form).digest('hex')
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
