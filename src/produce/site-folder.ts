import { createHash, hash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { z } from 'zod'
import { HyperactiveError, messageOf } from '../errors.ts'
import { damaged } from '../media/blobs/problems.ts'
import { fileWriter } from './file-writer.ts'
import type { ProducedFile } from './produced-site.ts'
import { producedFile, SiteJournal } from './site-journal.ts'

/** Tells the folder of a produced site from any other, and lists its files. */
const MANIFEST = '.hyperactive-site.json'
const FORMAT = 1
/** What a file is called until it is whole. */
const HALF = '.part'
/** A journal of so many lines is not too long, however small the site. */
const FEW_LINES = 1000

const manifest = z.object({
  format: z.literal(FORMAT),
  files: z.record(z.string(), producedFile),
})

/**
 * The folder of a produced site. Files appear whole, by renaming; what is the same already is not written. It never
 * touches a file that it has not written itself, and goes on after a crash.
 */
export class SiteFolder {
  readonly path: string
  readonly #files: Map<string, ProducedFile>
  /** Files of ours of which it is not known what they hold. */
  readonly #unsure = new Set<string>()
  readonly #journal: SiteJournal
  /** What is being done with files, by their names: one thing after the other. */
  readonly #turns = new Map<string, Promise<unknown>>()

  private constructor(path: string, files: Map<string, ProducedFile>, journal: SiteJournal) {
    this.path = path
    this.#files = files
    this.#journal = journal
  }

  /**
   * Opens a folder, which is made where there is none.
   *
   * @throws HyperactiveError `produce_folder` for one with other things in it; `produce_unwritable`
   */
  static async open(path: string): Promise<SiteFolder> {
    try {
      await mkdir(path, { recursive: true })
      const names = await readdir(path)
      if (!names.includes(MANIFEST) && names.some((name) => name !== `${MANIFEST}${HALF}`))
        throw foreign(path)
      const files = names.includes(MANIFEST)
        ? readManifest(await readFile(join(path, MANIFEST), 'utf8'), path)
        : []
      const folder = new SiteFolder(path, new Map(files), new SiteJournal(path))
      await folder.#readJournal()
      if (!names.includes(MANIFEST)) await folder.#writeManifest()
      return folder
    } catch (error) {
      throw error instanceof HyperactiveError ? error : unwritable(path, error)
    }
  }

  get files(): ReadonlyMap<string, ProducedFile> {
    return this.#files
  }

  /** All files that were ever written here and not removed. */
  get names(): string[] {
    return [...this.#files.keys(), ...this.#unsure]
  }

  /**
   * Writes a file, unless it is there with these bytes.
   *
   * @returns whether it was written
   * @throws HyperactiveError `produce_unwritable`
   */
  async write(file: string, bytes: Buffer): Promise<boolean> {
    return await this.#inTurn(file, () => this.#write(file, bytes))
  }

  async #inTurn(file: string, write: () => Promise<boolean>): Promise<boolean> {
    const turn = (this.#turns.get(file) ?? Promise.resolve()).catch(() => undefined).then(write)
    this.#turns.set(file, turn)
    try {
      return await turn
    } finally {
      if (this.#turns.get(file) === turn) this.#turns.delete(file)
    }
  }

  async #write(file: string, bytes: Buffer): Promise<boolean> {
    const sha256 = hash('sha256', bytes)
    const path = join(this.path, file)
    try {
      const isKnown = this.#files.get(file)?.sha256 === sha256
      if (isKnown && (await fileWriter.sizeOf(path)) === bytes.length) return false
      this.#journal.touch(file)
      const { problem, isAsBefore } = await fileWriter.write(path, path + HALF, bytes)
      if (problem !== undefined) {
        if (!isAsBefore) this.#forget(file)
        throw new Error(problem)
      }
    } catch (error) {
      throw unwritable(path, error)
    }
    this.#unsure.delete(file)
    this.#files.set(file, { sha256, bytes: bytes.length })
    return true
  }

  /**
   * Writes a large file as its bytes come, unless it is there. It appears when it is whole and is what its digest says.
   *
   * @returns whether it was written
   * @throws HyperactiveError `produce_unwritable`, or whatever reading fails with
   */
  async writeFrom(file: string, what: ProducedFile, read: () => Promise<Readable>): Promise<boolean> {
    return await this.#inTurn(file, () => this.#writeFrom(file, what, read))
  }

  async #writeFrom(
    file: string,
    { sha256, bytes }: ProducedFile,
    read: () => Promise<Readable>,
  ): Promise<boolean> {
    const path = join(this.path, file)
    if (this.#files.get(file)?.sha256 === sha256 && (await fileWriter.sizeOf(path)) === bytes) return false
    const source = await read()
    try {
      this.#journal.touch(file)
      await mkdir(dirname(path), { recursive: true })
      const digest = createHash('sha256')
      await pipeline(
        source,
        async function* hashed(chunks: AsyncIterable<Uint8Array>) {
          for await (const chunk of chunks) {
            digest.update(chunk)
            yield chunk
          }
        },
        createWriteStream(path + HALF),
      )
      if (digest.digest('hex') !== sha256) throw damaged(sha256, 'it has other bytes')
      await rename(path + HALF, path)
    } catch (error) {
      await rm(path + HALF, { force: true }).catch(() => undefined)
      throw error instanceof HyperactiveError ? error : unwritable(path, error)
    } finally {
      source.destroy()
    }
    this.#unsure.delete(file)
    this.#files.set(file, { sha256, bytes })
    return true
  }

  /** Removes a file of ours, and the folders that are empty without it. */
  async remove(file: string): Promise<void> {
    try {
      this.#journal.touch(file)
      await rm(join(this.path, file), { force: true })
      this.#files.delete(file)
      this.#unsure.delete(file)
      for (let folder = dirname(file); folder !== '.'; folder = dirname(folder)) {
        await rmdir(join(this.path, folder))
      }
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException
      if (!['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(code)) throw unwritable(join(this.path, file), error)
    }
  }

  /** Lists all files, for the next time. */
  async save(): Promise<void> {
    if (this.#journal.lines === 0) return
    try {
      await this.#writeManifest()
      await this.#journal.clear()
      for (const file of this.#unsure) this.#journal.touch(file)
    } catch (error) {
      throw unwritable(this.path, error)
    }
  }

  /**
   * Says what has changed, for the next time, at a cost that does not grow with the site: all files are listed only when
   * what was said since is as long as the list. To be called when nothing is being written.
   */
  async keep(): Promise<void> {
    if (this.#journal.lines > Math.max(FEW_LINES, this.#files.size)) return await this.save()
    try {
      this.#journal.settle((file) => this.#files.get(file) ?? (this.#unsure.has(file) ? 'touched' : 'gone'))
    } catch (error) {
      throw unwritable(this.path, error)
    }
  }

  async #readJournal(): Promise<void> {
    for (const [file, said] of await this.#journal.read()) {
      // The last line may have been cut off.
      if (!isInside(file)) continue
      this.#files.delete(file)
      this.#unsure.delete(file)
      if (said === 'touched') this.#unsure.add(file)
      else if (said !== 'gone') this.#files.set(file, said)
    }
    for (const file of this.#unsure) await rm(join(this.path, file + HALF), { force: true })
  }

  /** From here on nobody knows what it holds. */
  #forget(file: string): void {
    this.#files.delete(file)
    this.#unsure.add(file)
  }

  async #writeManifest(): Promise<void> {
    const names = [...this.#files.keys()].sort()
    const lines = names.map((name) => `${JSON.stringify(name)}:${JSON.stringify(this.#files.get(name))}`)
    const text = `{"format":${FORMAT},"files":{\n${lines.join(',\n')}\n}}\n`
    const path = join(this.path, MANIFEST)
    await writeFile(path + HALF, text)
    await rename(path + HALF, path)
  }
}

function readManifest(text: string, path: string): [string, ProducedFile][] {
  try {
    return Object.entries(manifest.parse(JSON.parse(text)).files).filter(([file]) => isInside(file))
  } catch (error) {
    const message = `${join(path, MANIFEST)} is not the list of files that hyperactive produce writes; remove the folder, or choose another`
    throw new HyperactiveError('produce_folder', message, { status: 400, cause: error })
  }
}

/** Whether it is a file as this program names them, and in the folder. */
function isInside(file: string): boolean {
  return /^(?:[a-z0-9_~-]+\/)*[a-z0-9_~-][a-z0-9._~-]*$/.test(file)
}

function foreign(path: string): HyperactiveError {
  const message = `${path} holds other files. A site is produced into an empty folder, or into that of an earlier one.`
  return new HyperactiveError('produce_folder', message, { status: 400 })
}

function unwritable(path: string, cause: unknown): HyperactiveError {
  return new HyperactiveError('produce_unwritable', `${path} cannot be written: ${messageOf(cause)}`, {
    cause,
  })
}
