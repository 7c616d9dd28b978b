import { opendir, readFile, stat } from 'node:fs/promises'
import { dirname, extname, join, relative, sep } from 'node:path'
import { HyperactiveError, messageOf } from '../errors.ts'
import { readFeed } from './feed.ts'
import { readMarkdown } from './markdown.ts'
import { COMMENTS_BESIDE, readComments } from './comments.ts'
import { isWxr, readWxr } from './wxr.ts'
import { skip } from './piece.ts'
import type { Read } from './piece.ts'

const MARKDOWN = new Set(['.md', '.markdown'])
const FEEDS = new Set(['.xml', '.rss', '.atom'])
const LARGEST_FILE_BYTES = 64 * 1024 * 1024

/** The files that an import of `path` would read, sorted; folders are walked, hidden ones and links left out. */
export async function listSources(path: string): Promise<string[]> {
  const found = await stat(path).catch((error: unknown) => {
    throw new HyperactiveError('import_unreadable', `${path} cannot be read: ${messageOf(error)}`, {
      status: 400,
    })
  })
  if (found.isFile()) {
    if (isSource(path)) return [path]
    const text = `${path} is neither Markdown (.md) nor a feed (.xml, .rss, .atom)`
    throw new HyperactiveError('import_unknown_type', text, { status: 400 })
  }
  const files: string[] = []
  const folders = [path]
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for await (const entry of await opendir(folder)) {
      const full = join(folder, entry.name)
      if (entry.name.startsWith('.')) continue
      if (entry.isDirectory()) folders.push(full)
      else if (entry.isFile() && isSource(entry.name) && entry.name !== 'README.md') files.push(full)
    }
  }
  return files.sort()
}

/** The pieces of one file. Whatever is wrong with it becomes a skipped entry. */
export async function readSource(root: string, file: string): Promise<Read[]> {
  const source = relative(root, file).split(sep).join('/') || (file.split(sep).at(-1) ?? file)
  try {
    const { size } = await stat(file)
    if (size > LARGEST_FILE_BYTES) return [skip(source, `is larger than ${LARGEST_FILE_BYTES} bytes`)]
    const bytes = await readFile(file)
    if (!MARKDOWN.has(extname(file))) return isWxr(bytes) ? readWxr(source, bytes) : readFeed(source, bytes)
    return [withComments(withFiles(readMarkdown(source, bytes), root, file), await readBeside(file))]
  } catch (error) {
    return [skip(source, messageOf(error))]
  }
}

/** The comments on a piece stand in a file beside it, where there are any. */
async function readBeside(file: string): Promise<Uint8Array | undefined> {
  const beside = file.replace(/\.[^.]+$/, COMMENTS_BESIDE)
  const size = await stat(beside).then(
    (found) => found.size,
    () => undefined,
  )
  if (size === undefined) return undefined
  if (size > LARGEST_FILE_BYTES)
    throw new Error(`${COMMENTS_BESIDE} beside it is larger than ${LARGEST_FILE_BYTES} bytes`)
  return readFile(beside)
}

/** Where the files of a piece lie: beside its text. */
function withFiles(read: Read, root: string, text: string): Read {
  if (!('piece' in read) || !read.piece.files) return read
  const files = read.piece.files.map((one) => ({ ...one, root, path: join(dirname(text), one.file) }))
  return { piece: { ...read.piece, files } }
}

function withComments(read: Read, bytes: Uint8Array | undefined): Read {
  if (!('piece' in read) || bytes === undefined) return read
  const comments = readComments(bytes)
  return typeof comments === 'string'
    ? skip(read.piece.source, comments)
    : { piece: { ...read.piece, comments } }
}

function isSource(name: string): boolean {
  return MARKDOWN.has(extname(name)) || FEEDS.has(extname(name))
}
