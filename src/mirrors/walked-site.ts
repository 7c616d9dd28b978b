import { opendir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { ProducedFile, ProducedSite } from '../produce/produced-site.ts'
import { hashFile, isAbsent } from './targets/hash.ts'

/** What a producer keeps beside the site, and what it has not written to the end. */
const NO_FILE_OF_SITE = /^\.hyperactive|\.part$/

/**
 * The site that is in a folder now, for commands beside the node that produces it: every file is read once, and changes
 * are not followed.
 */
export async function walkSite(folder: string): Promise<ProducedSite> {
  const files = new Map<string, ProducedFile>()
  const walk = async (below: string) => {
    for await (const entry of await opendir(join(folder, below))) {
      const path = below === '' ? entry.name : `${below}/${entry.name}`
      if (entry.isDirectory()) await walk(path)
      else if (entry.isFile() && !NO_FILE_OF_SITE.test(entry.name)) {
        // A file may go while it is looked at.
        const size = await stat(join(folder, path)).catch(() => undefined)
        const sha256 = await hashFile(join(folder, path))
        if (size && sha256 !== undefined) files.set(path, { sha256, bytes: size.size })
      }
    }
  }
  try {
    await walk('')
  } catch (error) {
    if (!isAbsent(error)) throw error
  }
  return { folder, files, onChanged: () => () => undefined }
}
