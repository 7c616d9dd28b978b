import { randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, rmdir, stat, unlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { HyperactiveError, messageOf } from '../../errors.ts'
import { logger } from '../../log.ts'

const log = logger('pages')

/** Says that a folder's files are ours. */
const MARK = '.hyperactive-pages'
const AGAIN_MS = 5000

/**
 * A folder whose files are all ours: each is written under another name and then renamed, and one that is to go is tried
 * again until it is gone.
 */
export class OwnFolder {
  readonly #folder: string
  /** Files that should be gone, and why each is still there. */
  readonly #stuck = new Map<string, string>()
  #isMarked = false
  #again: NodeJS.Timeout | undefined

  constructor(folder: string) {
    this.#folder = folder
  }

  /**
   * Empties the folder; one that is not there is made with the first file.
   *
   * @throws HyperactiveError `pages_folder_taken` for one with files of somebody else's
   */
  async open(): Promise<void> {
    const names = await namesIn(this.#folder)
    if (names.length > 0 && !names.includes(MARK)) {
      const message = `pages cannot be kept in ${this.#folder}: it holds files that are no kept pages; choose another folder by pages.folder`
      throw new HyperactiveError('pages_folder_taken', message, { status: 409 })
    }
    await Promise.all(names.map((name) => this.#removed(name)))
  }

  /** Why files that should be gone are still there. */
  get problem(): string | undefined {
    const [reason] = this.#stuck.values()
    return reason && `${this.#stuck.size} old files cannot be removed: ${reason}`
  }

  /** @throws what the file system says; nothing half is there then */
  async put(path: string, bytes: Buffer): Promise<void> {
    const whole = join(this.#folder, path)
    const half = join(dirname(whole), `.${randomUUID()}.new`)
    try {
      await this.#mark()
      await mkdir(dirname(whole), { recursive: true })
      await writeFile(half, bytes, { mode: 0o644 }).catch(async (error: unknown) => {
        if (codeOf(error) !== 'ENOENT') throw error
        // The folder was empty for a moment, and went.
        await mkdir(dirname(whole), { recursive: true })
        await writeFile(half, bytes, { mode: 0o644 })
      })
      await rename(half, whole)
      this.#stuck.delete(path)
    } catch (error) {
      await rm(half, { force: true }).catch(() => undefined)
      throw error
    }
  }

  /** @throws what the file system says */
  read(path: string): Promise<Buffer> {
    return readFile(join(this.#folder, path))
  }

  /** Removes a file, and the folders that it leaves empty: their names are of what it showed. */
  async remove(path: string): Promise<void> {
    try {
      await unlink(join(this.#folder, path)).catch((error: unknown) => {
        if (!isGone(error)) throw error
      })
      this.#stuck.delete(path)
    } catch (error) {
      this.#keepTrying(path, error)
      return
    }
    for (let folder = dirname(path); folder !== '.'; folder = dirname(folder)) {
      const isEmpty = await rmdir(join(this.#folder, folder)).then(
        () => true,
        () => false,
      )
      if (!isEmpty) return
    }
  }

  /** Whether the folder can be one at all: something else may stand in its place. */
  async isThere(): Promise<boolean> {
    return stat(this.#folder).then(
      (found) => found.isDirectory(),
      () => false,
    )
  }

  close(): void {
    clearTimeout(this.#again)
  }

  async #mark(): Promise<void> {
    if (this.#isMarked) return
    await mkdir(this.#folder, { recursive: true })
    await writeFile(join(this.#folder, MARK), '')
    this.#isMarked = true
  }

  async #removed(name: string): Promise<void> {
    if (name === MARK) return
    await rm(join(this.#folder, name), { recursive: true, force: true }).then(
      () => this.#stuck.delete(name),
      (error: unknown) => this.#keepTrying(name, error),
    )
  }

  #keepTrying(path: string, error: unknown): void {
    if (this.#stuck.size === 0)
      log.error('a page that does not hold any more cannot be removed from disk', { code: codeOf(error) })
    this.#stuck.set(path, messageOf(error))
    clearTimeout(this.#again)
    this.#again = setTimeout(() => {
      for (const each of this.#stuck.keys()) void this.#removed(each)
    }, AGAIN_MS).unref()
  }
}

/** Empties a folder of kept pages that no node uses now; any other folder is left as it is. */
export async function emptyFormer(folder: string): Promise<void> {
  if ((await namesIn(folder)).includes(MARK)) await new OwnFolder(folder).open()
}

/** The names in a folder; none for one that is not there, or cannot be read. */
async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: unknown) => {
    if (codeOf(error) !== 'ENOENT')
      log.warn('the folder of kept pages cannot be read', { code: codeOf(error) })
    return []
  })
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code
}

/** Whether something stands where a file would have to lie, so that others can be written all the same. */
export function isOfPath(error: unknown): boolean {
  return ['ENOTDIR', 'EISDIR', 'EEXIST', 'ENAMETOOLONG'].includes(codeOf(error) ?? '')
}

function isGone(error: unknown): boolean {
  return codeOf(error) === 'ENOENT' || isOfPath(error)
}
