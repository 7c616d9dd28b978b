import { randomUUID } from 'node:crypto'
import { link, open, rm } from 'node:fs/promises'

/**
 * Makes a file with its whole content, unless there is one: whenever the process ends, the file is there as a whole or
 * not at all. Of several that make it at once one wins.
 *
 * @returns whether it was made
 */
export async function createFile(path: string, text: string, mode: number): Promise<boolean> {
  const half = `${path}.${randomUUID()}.new`
  try {
    const file = await open(half, 'wx', mode)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await link(half, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    await rm(half, { force: true })
  }
}
