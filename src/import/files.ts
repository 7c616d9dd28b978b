import { createReadStream } from 'node:fs'
import { copyFile, mkdtemp, realpath, rm, stat } from 'node:fs/promises'
import { dirname, join, sep } from 'node:path'
import { tmpdir } from 'node:os'
import { messageOf } from '../errors.ts'
import { hashInId } from '../ledger/document.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { mediaShape } from '../ledger/media.ts'
import type { BlobDriver } from '../media/blobs/driver.ts'
import { Cleaner } from '../media/clean/cleaner.ts'
import type { Tools } from '../media/clean/tools.ts'
import type { PieceFile } from './piece.ts'

/** What files of pieces go through, and where they are kept. */
export interface ImportMedia extends AsyncDisposable {
  cleaner: Pick<Cleaner, 'clean'>
  blobs: Pick<BlobDriver, 'write'>
}

/**
 * A cleaner of the command's own, beside that of a node that runs.
 *
 * @param stack what its folder goes with
 */
export async function cleanerForImport(stack: AsyncDisposableStack, tools: Tools): Promise<Cleaner> {
  const folder = await mkdtemp(join(tmpdir(), 'hyperactive-import-'))
  stack.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }))
  return await Cleaner.open({ folder, tools })
}

/** An entry of an edit's files. */
interface NamedFile {
  file: string
  media: string
  caption?: string
}

/**
 * Takes in a piece's files: each is written anew as an upload is, kept, and said to belong to the item.
 *
 * @returns what the item's fields name, and what is wrong with those that were left out
 */
export async function takeFiles(
  files: readonly PieceFile[],
  { item, ledger, media }: { item: string; ledger: Ledger; media: Pick<ImportMedia, 'cleaner' | 'blobs'> },
): Promise<{ files: NamedFile[]; problems: string[] }> {
  const taken: NamedFile[] = []
  const problems: string[] = []
  for (const given of files) {
    try {
      const named = await takeOne(given, { item, ledger, media })
      if (taken.some(({ file }) => file === named.file)) problems.push(`${given.file}: is there twice`)
      else taken.push(named)
    } catch (error) {
      problems.push(`${given.file}: ${messageOf(error)}`)
    }
  }
  return { files: taken, problems }
}

async function takeOne(
  { path, root, file: called, caption, ...said }: PieceFile,
  { item, ledger, media }: { item: string; ledger: Ledger; media: Pick<ImportMedia, 'cleaner' | 'blobs'> },
): Promise<NamedFile> {
  const folder = await mkdtemp(join(tmpdir(), 'hyperactive-import-'))
  try {
    // What is cleaned is moved away, and the imported folder is not to lose anything.
    const copy = join(folder, 'file')
    await copyFile(await insideOf(root, path), copy)
    await using clean = await media.cleaner.clean(copy)
    const manifest = await media.blobs.write(createReadStream(clean.path))
    const { type, extension, width, height, durationMs } = clean
    const facts = Object.entries({ width, height, durationMs }).filter(([, value]) => value !== undefined)
    const texts = { ...said, name: said.name ?? called.split('/').at(-1) ?? '' }
    const fields = {
      files: [{ ...manifest, type, extension, ...(Object.fromEntries(facts) as Record<string, number>) }],
      ...Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== undefined && text !== '')),
    }
    const checked = mediaShape.safeParse(fields)
    if (!checked.success) {
      const [issue] = checked.error.issues
      throw new Error(`${issue?.path.join('.') ?? ''} ${issue?.message ?? 'is not valid'}`)
    }
    const [document] = await ledger.append([{ draft: { type: 'media', item, ...fields } }])
    return {
      file: manifest.sha256,
      media: hashInId(document?._id ?? ''),
      ...(caption === undefined ? {} : { caption }),
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** The path of a plain file in the imported folder; nothing leads out of it, links among it. */
async function insideOf(root: string, path: string): Promise<string> {
  const real = await realpath(path).catch(() => undefined)
  if (real === undefined) throw new Error('is not there')
  const own = await realpath(root)
  const base = (await stat(own)).isDirectory() ? own : dirname(own)
  if (!real.startsWith(base + sep)) throw new Error('is outside of the imported folder')
  if (!(await stat(real)).isFile()) throw new Error('is no file')
  return real
}
