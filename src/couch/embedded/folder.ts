import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { createFile } from '../../files.ts'
import { FolderError } from './open-problem.ts'

/** The version of the folder's layout and of what PouchDB keeps in it. */
const FORMAT = '1'

/** Where a database's LevelDB lies in the store's folder. */
export function databasePath(folder: string, name: string): string {
  return join(folder, 'databases', encodeURIComponent(name))
}

/** Where the index of a design document's views lies: beside the database, under a name that no database can have. */
export function indexPath(database: string, signature: string): string {
  return `${database}.views-${signature}`
}

/** The signatures of the design documents that the database at `path` has an index for. */
export async function indexesOf(path: string): Promise<string[]> {
  const beginning = basename(indexPath(path, ''))
  const entries = await readdir(dirname(path))
  return entries.filter((entry) => entry.startsWith(beginning)).map((entry) => entry.slice(beginning.length))
}

/**
 * Makes sure that a folder is a store of this version; an empty or absent one becomes one.
 *
 * @throws FolderError `store_wrong_version`, or `store_unreadable` for a folder that holds something else
 */
export async function claimFolder(folder: string): Promise<void> {
  await mkdir(join(folder), { recursive: true, mode: 0o700 })
  const entries = (await readdir(folder)).filter((name) => !name.endsWith('.new'))
  if (entries.length === 0) {
    await createFile(join(folder, 'format'), `${FORMAT}\n`, 0o600)
  } else if (!entries.includes('format')) {
    throw new FolderError('store_unreadable', 'it holds files, but no store (no file named "format")')
  }
  const format = (await readFile(join(folder, 'format'), 'utf8')).trim()
  if (format !== FORMAT) {
    const text = `it has format ${JSON.stringify(format.slice(0, 20))}, and this version reads ${FORMAT}`
    throw new FolderError('store_wrong_version', text)
  }
  await mkdir(join(folder, 'databases'), { recursive: true, mode: 0o700 })
}

/** Removes what a deletion that was cut short left behind: files of databases, and their views', not in `names`. */
export async function removeLeftovers(folder: string, names: readonly string[]): Promise<void> {
  const kept = new Set(names.map((name) => encodeURIComponent(name)))
  for (const entry of await readdir(join(folder, 'databases'))) {
    const owner = entry.replace(/(-mrview-|\.views-)[0-9a-f]{32}$/, '')
    if (!kept.has(owner) && !kept.has(entry))
      await rm(join(folder, 'databases', entry), { recursive: true, force: true })
  }
}

/** Bytes on disk of the database at `path`, without its views'. */
export async function folderSize(path: string): Promise<number> {
  const sizes = (await readdir(path)).map(async (entry) => {
    try {
      return (await stat(join(path, entry))).size
    } catch {
      // LevelDB removes files at any time.
      return 0
    }
  })
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
}
