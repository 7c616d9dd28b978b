import { hash } from 'node:crypto'
import { closeSync, openSync, writeSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { HyperactiveError, messageOf } from '../errors.ts'
import { fileWriter } from './file-writer.ts'
import type { ProducedFile } from './produced-site.ts'

/** Tells the folder of a produced site from any other, and lists its files. */
export const MANIFEST = '.hyperactive-site.json'
/** Files that were touched since the manifest was written: after a crash nothing is known of what they hold. */
const JOURNAL = '.hyperactive-site.journal'
const FORMAT = 1
/** What a file is called until it is whole. */
const HALF = '.part'

const manifest = z.object({
  format: z.literal(FORMAT),
  files: z.record(
    z.string(),
    z.object({ sha256: z.string().regex(/^[0-9a-f]{64}$/), bytes: z.int().min(0) }),
  ),
})

/**
 * The folder of a produced site. Files appear whole, by renaming; what is the same already is not written. It never
 * touches a file that it has not written itself, and goes on after a crash.
 */
export class SiteFolder {
  readonly path: string
  readonly #files: Map<string, ProducedFile>
  /** Files of ours of which it is not known what they hold. */
  readonly #unsure: Set<string>
  readonly #journaled = new Set<string>()
  /** The journal's file, while it is open. */
  #journal: number | undefined
  #changed = false

  private constructor(path: string, files: Map<string, ProducedFile>, unsure: Set<string>) {
    this.path = path
    this.#files = files
    this.#unsure = unsure
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
      const known = new Map(files)
      const unsure = new Set<string>()
      if (names.includes(JOURNAL)) {
        for (const file of (await readFile(join(path, JOURNAL), 'utf8')).split('\n')) {
          // The last line may have been cut off.
          if (!isInside(file)) continue
          known.delete(file)
          unsure.add(file)
          await rm(join(path, file + HALF), { force: true })
        }
      }
      const folder = new SiteFolder(path, known, unsure)
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
    const sha256 = hash('sha256', bytes)
    const path = join(this.path, file)
    try {
      const isKnown = this.#files.get(file)?.sha256 === sha256
      if (isKnown && (await fileWriter.sizeOf(path)) === bytes.length) return false
      this.#note(file)
      await fileWriter.write(path, path + HALF, bytes)
    } catch (error) {
      throw unwritable(path, error)
    }
    this.#unsure.delete(file)
    this.#files.set(file, { sha256, bytes: bytes.length })
    return true
  }

  /** Removes a file of ours, and the folders that are empty without it. */
  async remove(file: string): Promise<void> {
    try {
      this.#note(file)
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

  /** Says which files there are, for the next time. */
  async save(): Promise<void> {
    if (!this.#changed) return
    try {
      await this.#writeManifest()
      this.#closeJournal()
      await rm(join(this.path, JOURNAL), { force: true })
    } catch (error) {
      throw unwritable(this.path, error)
    }
    this.#journaled.clear()
    for (const file of this.#unsure) this.#note(file)
    this.#changed = this.#unsure.size > 0
  }

  async #writeManifest(): Promise<void> {
    const names = [...this.#files.keys()].sort()
    const lines = names.map((name) => `${JSON.stringify(name)}:${JSON.stringify(this.#files.get(name))}`)
    const text = `{"format":${FORMAT},"files":{\n${lines.join(',\n')}\n}}\n`
    const path = join(this.path, MANIFEST)
    await writeFile(path + HALF, text)
    await rename(path + HALF, path)
  }

  /** Lines of a few bytes, for thousands of files: waiting for each would take longer than everything else. */
  #note(file: string): void {
    this.#changed = true
    if (this.#journaled.has(file)) return
    this.#journaled.add(file)
    this.#journal ??= openSync(join(this.path, JOURNAL), 'a')
    writeSync(this.#journal, `${file}\n`)
  }

  #closeJournal(): void {
    if (this.#journal !== undefined) closeSync(this.#journal)
    this.#journal = undefined
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
