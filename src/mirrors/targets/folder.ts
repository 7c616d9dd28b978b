import { randomBytes } from 'node:crypto'
import { chmod, constants, copyFile, lstat, mkdir, opendir, rename, rm, rmdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { FolderMirror } from '../../config/mirrors.ts'
import { HyperactiveError, messageOf } from '../../errors.ts'
import type { ProducedFile } from '../../produce/produced-site.ts'
import { hashFile, isAbsent } from './hash.ts'
import { eachOf, MOST_TAKEN_BYTES, unreachable, unusable } from './target.ts'
import type { Differences, Refusal, Target } from './target.ts'

const AT_ONCE = 8
/** These say something of one file; everything else of the folder or its disk. */
const OF_ONE_FILE = new Set([
  'ENAMETOOLONG',
  'EISDIR',
  'ENOTDIR',
  'ENOTEMPTY',
  'EEXIST',
  'EILSEQ',
  'EINVAL',
  'EFBIG',
])

/** A folder on this machine, such as a stick, a share or what a web server serves. It must be there already. */
export class FolderTarget implements Target {
  readonly #name: string
  readonly #folder: string

  constructor({ name, folder }: FolderMirror) {
    this.#name = name
    this.#folder = folder
  }

  async put(from: string, files: ReadonlyMap<string, ProducedFile>, signal: AbortSignal): Promise<Refusal[]> {
    await this.#look()
    const refused: Refusal[] = []
    const made = new Set<string>()
    await eachOf(files.keys(), AT_ONCE, async (path) => {
      signal.throwIfAborted()
      try {
        await this.#makeFolders(dirname(path), made)
        await this.#putOne(join(from, path), join(this.#folder, path))
      } catch (error) {
        const { code = '' } = error as NodeJS.ErrnoException
        if (!(error instanceof HyperactiveError) && !OF_ONE_FILE.has(code)) throw this.#failed(error)
        refused.push({ path, reason: error instanceof HyperactiveError ? error.message : code })
      }
    })
    return refused
  }

  async #putOne(source: string, place: string): Promise<void> {
    const half = join(dirname(place), `.hyperactive-${randomBytes(8).toString('hex')}.new`)
    try {
      await copyFile(source, half, constants.COPYFILE_FICLONE)
      await chmod(half, 0o644)
      await rename(half, place)
    } catch (error) {
      await rm(half, { force: true })
      // Gone from the site meanwhile.
      if (isAbsent(error) && (await stat(source).catch(() => undefined)) === undefined) return
      throw error
    }
  }

  async remove(paths: readonly string[], signal: AbortSignal): Promise<void> {
    await this.#look()
    const emptied = new Set<string>()
    const real = new Set<string>()
    await eachOf(paths, AT_ONCE, async (path) => {
      signal.throwIfAborted()
      try {
        if (!(await this.#isReal(dirname(path), real))) return
        await rm(join(this.#folder, path), { force: true })
        emptied.add(dirname(path))
      } catch (error) {
        // A folder in the place of a file is none of ours.
        const isFolder = (error as NodeJS.ErrnoException).code === 'ERR_FS_EISDIR'
        if (!isFolder && !isAbsent(error)) throw this.#failed(error)
      }
    })
    for (const path of emptied) await this.#removeEmpty(path)
  }

  async take(paths: readonly string[], into: string): Promise<void> {
    await this.#look()
    await eachOf(paths, AT_ONCE, async (path) => {
      try {
        const there = await lstat(join(this.#folder, path))
        if (!there.isFile() || there.size > MOST_TAKEN_BYTES) return
        await mkdir(dirname(join(into, path)), { recursive: true })
        await copyFile(join(this.#folder, path), join(into, path))
      } catch (error) {
        if (!isAbsent(error)) throw this.#failed(error)
      }
    })
  }

  async check(
    _from: string,
    files: ReadonlyMap<string, ProducedFile>,
    signal: AbortSignal,
  ): Promise<Differences> {
    await this.#look()
    const [missing, wrong]: [string[], string[]] = [[], []]
    const real = new Set<string>()
    await eachOf(files, AT_ONCE, async ([path, { sha256, bytes }]) => {
      signal.throwIfAborted()
      const place = join(this.#folder, path)
      const there = (await this.#isReal(dirname(path), real)) && (await lstat(place).catch(() => undefined))
      if (!there) missing.push(path)
      else if (!there.isFile() || there.size !== bytes || (await hashFile(place)) !== sha256) wrong.push(path)
    })
    return { missing, wrong }
  }

  async names(signal: AbortSignal): Promise<string[]> {
    await this.#look()
    const found: string[] = []
    const walk = async (below: string) => {
      for await (const entry of await opendir(join(this.#folder, below))) {
        signal.throwIfAborted()
        const path = below === '' ? entry.name : `${below}/${entry.name}`
        if (entry.isDirectory()) await walk(path)
        else found.push(path)
      }
    }
    try {
      await walk('')
    } catch (error) {
      throw this.#failed(error)
    }
    return found
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  /** A stick that is not plugged in must not be taken for an empty one: its folder is not made. */
  async #look(): Promise<void> {
    const there = await stat(this.#folder).catch((error: unknown) => error as NodeJS.ErrnoException)
    if (there instanceof Error) {
      if (isAbsent(there)) throw unreachable(this.#name, `there is no folder ${this.#folder}`)
      throw this.#failed(there)
    }
    if (!there.isDirectory()) throw unusable(this.#name, `${this.#folder} is not a folder`)
  }

  /** Makes the folders above a file, one by one: a link among them could lead out of the mirror. */
  async #makeFolders(below: string, made: Set<string>): Promise<void> {
    if (below === '.' || made.has(below)) return
    await this.#makeFolders(dirname(below), made)
    const path = join(this.#folder, below)
    try {
      await mkdir(path, { mode: 0o755 })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      if (!(await lstat(path)).isDirectory())
        throw unusable(this.#name, `${below} is no folder there, but a file or a link`)
    }
    made.add(below)
  }

  async #isReal(below: string, real: Set<string>): Promise<boolean> {
    if (below === '.' || real.has(below)) return true
    if (!(await this.#isReal(dirname(below), real))) return false
    const isFolder = (await lstat(join(this.#folder, below)).catch(() => undefined))?.isDirectory() ?? false
    if (isFolder) real.add(below)
    return isFolder
  }

  async #removeEmpty(below: string): Promise<void> {
    if (below === '.') return
    try {
      await rmdir(join(this.#folder, below))
    } catch {
      return
    }
    await this.#removeEmpty(dirname(below))
  }

  #failed(error: unknown): unknown {
    if (error instanceof HyperactiveError || (error as Error).name === 'AbortError') return error
    return unusable(this.#name, messageOf(error), error)
  }
}
