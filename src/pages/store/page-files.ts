import { createHash } from 'node:crypto'
import { messageOf } from '../../errors.ts'
import { logger } from '../../log.ts'
import { filePath } from './file-path.ts'
import { isOfPath, OwnFolder } from './own-folder.ts'
import type { Encoding, StoredPage } from './stored-page.ts'

const log = logger('pages')

/** After a failure nothing is written for so long. */
const PAUSE_MS = 30_000
const WRITERS = 2
/** Pages that wait to be written; with more, the newest go without a file. */
const MOST_WAITING = 5000
const ENDINGS: Readonly<Record<Encoding, string>> = { identity: '', gzip: '.gz', br: '.br' }

/** Files of one page. */
interface PageFile {
  etag: string
  bytes: number
  /** SHA-256 of each form's bytes. */
  hashes: Partial<Record<Encoding, string>>
}

/** What `hyperactive status` says of the files. */
export interface FilesState {
  files: number
  bytes: number
  /** Why pages are not on disk now, or why files that should be gone are still there. */
  problem?: string
}

/**
 * Kept pages as plain files, with their compressed forms beside them: a web server may answer with them, and the node
 * reads those again that it has no room for in memory. Each is written under another name and then renamed; one that
 * does not hold any more is removed before anything that waits to be written.
 */
export class PageFiles {
  readonly #folder: OwnFolder
  readonly #mostBytes: number
  readonly #onRemoved: (key: string) => void
  /** By key, the oldest first. */
  readonly #files = new Map<string, PageFile & { path: string }>()
  /** By key: what is to be on disk and is not yet. */
  readonly #wanted = new Map<string, StoredPage>()
  readonly #waiting = new Set<StoredPage>()
  /** By path: what is being done to it. */
  readonly #busy = new Map<string, Promise<void>>()
  #writers = 0
  #bytes = 0
  #pausedUntilMs = 0
  #cannotWrite: string | undefined
  #closed = false

  /**
   * @param options.onRemoved told of a page that has no file any more because there is no room for it
   */
  constructor({
    folder,
    mostBytes,
    onRemoved = () => undefined,
  }: {
    folder: string
    mostBytes: number
    onRemoved?: (key: string) => void
  }) {
    this.#folder = new OwnFolder(folder)
    this.#mostBytes = mostBytes
    this.#onRemoved = onRemoved
  }

  /**
   * Removes what an earlier run has left: nobody knows what has changed since.
   *
   * @throws HyperactiveError `pages_folder_taken` for a folder with files of somebody else's
   */
  open(): Promise<void> {
    return this.#folder.open()
  }

  get state(): FilesState {
    const problem = this.#folder.problem ?? this.#cannotWrite
    return { files: this.#files.size, bytes: this.#bytes, ...(problem === undefined ? {} : { problem }) }
  }

  /** Whether this very content of a page is on disk. */
  has({ key, etag }: Pick<StoredPage, 'key' | 'etag'>): boolean {
    return this.#files.get(key)?.etag === etag
  }

  /** Writes a page when its turn comes. */
  write(page: StoredPage): void {
    if (this.#closed || Date.now() < this.#pausedUntilMs) return
    if (this.#waiting.size >= MOST_WAITING) return
    this.#wanted.set(page.key, page)
    this.#waiting.add(page)
    if (this.#writers < WRITERS) void this.#work()
  }

  /** Removes pages that do not hold any more. */
  remove(keys: Iterable<string>): void {
    for (const key of keys) {
      this.#wanted.delete(key)
      const file = this.#files.get(key)
      if (!file) continue
      this.#forget(key, file)
      void this.#do(file.path, () => this.#unlink(file.path))
    }
  }

  /** Removes everything. */
  async clear(): Promise<void> {
    this.remove([...this.#wanted.keys(), ...this.#files.keys()])
    await this.written()
  }

  /**
   * Fills in a page's bytes from its files.
   *
   * @returns whether they are what was written: somebody may have changed them
   */
  async read(page: Omit<StoredPage, 'body' | 'forms'>): Promise<StoredPage | undefined> {
    const file = this.#files.get(page.key)
    if (file?.etag !== page.etag) return undefined
    const forms: StoredPage['forms'] = {}
    try {
      for (const [encoding, hash] of Object.entries(file.hashes) as [Encoding, string][]) {
        const bytes = await this.#folder.read(file.path + ENDINGS[encoding])
        if (hashOf(bytes) !== hash) throw new Error('its bytes were changed')
        forms[encoding] = bytes
      }
    } catch (error) {
      if (this.#files.get(page.key) !== file) return undefined
      log.warn('the file of a page is damaged; it is made anew', {
        path: file.path,
        reason: messageOf(error),
      })
      this.remove([page.key])
      return undefined
    }
    const { identity, ...others } = forms
    return identity && { ...page, body: identity, forms: others }
  }

  /** Resolves when everything has been done that was asked for before. */
  async written(): Promise<void> {
    while (this.#busy.size > 0 || this.#writers > 0) {
      await Promise.all(this.#busy.values())
      await new Promise(setImmediate)
    }
  }

  /** Ends; the files stay, so that a web server answers with them while the node is away. */
  async close(): Promise<void> {
    this.#closed = true
    this.#wanted.clear()
    await this.written()
    this.#folder.close()
  }

  async #work(): Promise<void> {
    this.#writers += 1
    for (const page of this.#waiting) {
      this.#waiting.delete(page)
      const path = filePath(page)
      await this.#do(path, () => this.#writeOne(page, path))
    }
    this.#writers -= 1
  }

  async #writeOne(page: StoredPage, path: string): Promise<void> {
    const { key, etag, body, forms } = page
    const isWanted = () => this.#wanted.get(key) === page
    if (!isWanted()) return
    const known = this.#files.get(key)
    const file = { etag, path, bytes: 0, hashes: {} as Partial<Record<Encoding, string>> }
    try {
      // The page itself last: a server that looks for a compressed form beside it finds the one of the same content.
      for (const [encoding, bytes] of Object.entries({ ...forms, identity: body }) as [Encoding, Buffer][]) {
        if (!isWanted()) break
        await this.#folder.put(path + ENDINGS[encoding], bytes)
        file.hashes[encoding] = hashOf(bytes)
        file.bytes += bytes.length
      }
      for (const encoding of Object.keys(known?.hashes ?? {}) as Encoding[])
        if (!(encoding in file.hashes)) await this.#folder.remove(path + ENDINGS[encoding])
      this.#cannotWrite = undefined
    } catch (error) {
      if (!isOfPath(error) || !(await this.#folder.isThere())) this.#failed(error)
      this.#wanted.delete(key)
      if (known && this.#files.get(key) === known) this.#forget(key, known)
      await this.#unlink(path)
      return
    }
    if (known && this.#files.get(key) === known) this.#forget(key, known)
    if (!isWanted()) {
      await this.#unlink(path)
      return
    }
    this.#wanted.delete(key)
    this.#files.set(key, file)
    this.#bytes += file.bytes
    this.#shrink()
  }

  /** Compressed forms go first, so that none of another content stands beside a page. */
  async #unlink(path: string): Promise<void> {
    for (const ending of ['.br', '.gz', '']) await this.#folder.remove(path + ending)
  }

  /** One thing after the other is done to a path. */
  #do(path: string, work: () => Promise<void>): Promise<void> {
    const done = (this.#busy.get(path) ?? Promise.resolve()).then(work).finally(() => {
      if (this.#busy.get(path) === done) this.#busy.delete(path)
    })
    this.#busy.set(path, done)
    return done
  }

  #shrink(): void {
    for (const key of this.#files.keys()) {
      if (this.#bytes <= this.#mostBytes) return
      this.remove([key])
      this.#onRemoved(key)
    }
  }

  #forget(key: string, { bytes }: PageFile): void {
    this.#files.delete(key)
    this.#bytes -= bytes
  }

  #failed(error: unknown): void {
    this.#pausedUntilMs = Date.now() + PAUSE_MS
    this.#wanted.clear()
    if (this.#cannotWrite === undefined)
      log.warn('pages cannot be written to disk; they are served from memory', { reason: messageOf(error) })
    this.#cannotWrite = messageOf(error)
  }
}

function hashOf(bytes: Buffer): string {
  return createHash('sha256').update(new Uint8Array(bytes)).digest('base64url')
}
