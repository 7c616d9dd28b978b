import { opendir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { ProducedFile, ProducedSite } from '../produce/produced-site.ts'
import { hashFile, isAbsent } from './targets/hash.ts'

/** What a producer keeps beside the site, and what it has not written to the end. */
const NO_FILE_OF_SITE = /^\.hyperactive|\.part$/

/**
 * The site that is in a folder now, for commands beside the node that produces it: every file is read once, and changes
 * are not followed, but seen when it is looked for them.
 */
export class WalkedSite implements ProducedSite {
  readonly folder: string
  readonly files = new Map<string, ProducedFile>()

  private constructor(folder: string) {
    this.folder = folder
  }

  static async walk(folder: string): Promise<WalkedSite> {
    const site = new WalkedSite(folder)
    const walk = async (below: string) => {
      for await (const entry of await opendir(join(folder, below))) {
        const path = below === '' ? entry.name : `${below}/${entry.name}`
        if (entry.isDirectory()) await walk(path)
        else if (entry.isFile() && !NO_FILE_OF_SITE.test(entry.name)) await site.look([path])
      }
    }
    try {
      await walk('')
    } catch (error) {
      if (!isAbsent(error)) throw error
    }
    return site
  }

  /** Reads these files anew: they may have changed, or gone. */
  async look(paths: readonly string[]): Promise<void> {
    for (const path of paths) {
      const size = await stat(join(this.folder, path)).catch(() => undefined)
      const sha256 = await hashFile(join(this.folder, path))
      if (size && sha256 !== undefined) this.files.set(path, { sha256, bytes: size.size })
      else this.files.delete(path)
    }
  }

  onChanged(): () => void {
    return () => undefined
  }
}
