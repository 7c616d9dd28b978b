import { createWriteStream } from 'node:fs'
import { mkdir, rm, rmdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { HyperactiveError } from '../errors.ts'
import type { BlobDriver } from '../media/blobs/driver.ts'
import { servedName } from '../media/serve-headers.ts'
import { filesOf } from '../project/media.ts'
import type { ItemFile } from '../project/media.ts'
import type { SiteItem } from '../project/site-item.ts'

/** What front matter says of a file that lies beside the text. */
export interface WrittenFile {
  /** Relative to the text. */
  file: string
  name?: string
  alt?: string
  caption?: string
  credit?: string
  licence?: string
}

/**
 * Writes an item's files into a folder beside its text, as their bytes come.
 *
 * @param text the text's path without its ending, relative to the export's folder
 * @returns what front matter says of them, and the digests of those whose bytes are not on this node
 */
export async function writeFiles(
  item: SiteItem,
  { folder, text, blobs }: { folder: string; text: string; blobs: Pick<BlobDriver, 'read'> },
): Promise<{ files: WrittenFile[]; missing: string[] }> {
  const files: WrittenFile[] = []
  const missing: string[] = []
  for (const [index, file] of filesOf(item.fields, item.media).entries()) {
    const name = `${String(index + 1).padStart(2, '0')}-${plainName(file)}`
    const beside = `${basename(text)}.files`
    if (await writeOne(file, join(folder, `${text}.files`, name), blobs))
      files.push({ file: `${beside}/${name}`, ...saidOf(file) })
    else missing.push(file.sha256)
  }
  return { files, missing }
}

/** Removes files that an earlier export wrote, and their folder when it is empty then. */
export async function removeFiles(folder: string, text: string, names: readonly unknown[]): Promise<void> {
  const own = `${basename(text)}.files/`
  for (const name of names) {
    if (typeof name !== 'string' || !name.startsWith(own) || !/^[^/\\]+$/.test(name.slice(own.length)))
      continue
    await rm(join(folder, `${text}.files`, name.slice(own.length)), { force: true })
  }
  // Whatever else somebody has put there stays.
  await rmdir(join(folder, `${text}.files`)).catch(() => undefined)
}

async function writeOne(file: ItemFile, path: string, blobs: Pick<BlobDriver, 'read'>): Promise<boolean> {
  try {
    const { stream } = await blobs.read(file.sha256)
    await mkdir(dirname(path), { recursive: true })
    await pipeline(stream, createWriteStream(path))
    return true
  } catch (error) {
    if (error instanceof HyperactiveError && error.code.startsWith('blob_')) return false
    throw error
  }
}

/** A name that every file system takes. */
function plainName(file: ItemFile): string {
  const name = servedName(file)
  const short = Array.from(name.slice(0, -file.extension.length - 1))
    .slice(0, 50)
    .join('')
    .trim()
  return `${short.replaceAll(/[^\p{L}\p{N}\p{M} ._()-]/gu, '') || 'file'}.${file.extension}`
}

function saidOf({ name, alt, caption, credit, licence }: ItemFile): Omit<WrittenFile, 'file'> {
  return Object.fromEntries(
    Object.entries({ name, alt, caption, credit, licence }).filter(([, said]) => said !== undefined),
  )
}
