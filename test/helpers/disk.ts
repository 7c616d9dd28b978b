import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Files below a folder that hold any of these texts, as they are on the disk at this moment. */
export async function filesWith(folder: string, ...texts: (string | Buffer)[]): Promise<string[]> {
  const names = await readdir(folder, { recursive: true })
  const found = await Promise.all(
    names.map(async (name) => {
      // A folder, or a file that is gone by now, holds nothing.
      const bytes = await readFile(join(folder, name)).catch(() => Buffer.alloc(0))
      return texts.some((text) => bytes.includes(text)) ? [name] : []
    }),
  )
  return found.flat().sort()
}
