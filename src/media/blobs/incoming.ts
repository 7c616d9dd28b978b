import { randomUUID } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { FILE_MODE } from './files.ts'

const INCOMING = /^[0-9a-f-]{36}\.new$/

/** Where files are written before they get the name that they are found under. */
export class Incoming {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  path(): string {
    return join(this.#folder, `${randomUUID()}.new`)
  }

  open(path: string): Promise<FileHandle> {
    return open(path, 'wx', FILE_MODE)
  }

  /** Makes a small file, or puts it in the place of another: whenever the process ends, there is one or the other. */
  async put(text: string, at: string): Promise<void> {
    const path = this.path()
    try {
      const handle = await this.open(path)
      try {
        await handle.writeFile(text)
        await handle.sync()
      } finally {
        await handle.close()
      }
      await rename(path, at)
    } finally {
      await this.remove(path)
    }
  }

  /** Removes what did not get its name, if anything; where that fails, it is swept when nobody has written to it for long. */
  async remove(path: string): Promise<void> {
    await rm(path, { force: true }).catch(() => undefined)
  }

  /** Removes what nobody has written to for so long: it belongs to a process that was killed. */
  async sweep(abandonedMs: number): Promise<void> {
    for (const name of (await readdir(this.#folder)).filter((each) => INCOMING.test(each))) {
      const path = join(this.#folder, name)
      const found = await stat(path).catch(() => undefined)
      if (found && Date.now() - found.mtimeMs > abandonedMs) await rm(path, { force: true })
    }
  }
}
