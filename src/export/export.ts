import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stringify } from 'yaml'
import type { Database } from '../couch/database.ts'
import { HyperactiveError } from '../errors.ts'
import { COMMENTS_BESIDE } from '../import/comments.ts'
import type { writtenComment } from '../import/comments.ts'
import { kindOf } from '../kinds/base/registry.ts'
import { wallTime } from '../ledger/clock.ts'
import { isItemId } from '../ledger/item-id.ts'
import type { Standing } from '../project/decisions.ts'
import type { SiteComment, SiteItem } from '../project/site-item.ts'
import type { BlobDriver } from '../media/blobs/driver.ts'
import { removeFiles, writeFiles } from './files.ts'
import type { WrittenFile } from './files.ts'
import type { z } from 'zod'

const PAGE = 200
const SLUG_LETTERS = 60
/** What tells an export's folder from any other. */
const INDEX = 'export.json'

/** What the index says of an item. */
interface Listed {
  file: string
  id: string
  kind: string
  title: string
  comments: number
  /** Relative to the text. */
  files: string[]
}

/** What an export wrote. */
export interface ExportReport {
  folder: string
  items: number
  comments: number
  files: number
  /** Digests of files whose bytes are not on this node. */
  missing: string[]
}

/**
 * Writes everything that readers see into a folder: each item as Markdown with front matter, its comments as JSON
 * beside it, and an index of both. `hyperactive import` reads it back. Keys, secrets and what is hidden stay out. The same
 * site gives the same files.
 *
 * @throws HyperactiveError `export_folder` when the folder holds anything but an earlier export
 */
export async function exportSite(
  { site, name, blobs }: { site: Database; name: string; blobs: Pick<BlobDriver, 'read'> },
  folder: string,
  progress: (items: number) => void = () => undefined,
): Promise<ExportReport> {
  await openFolder(folder)
  const index: Listed[] = []
  const missing: string[] = []
  const taken = new Set<string>()
  for await (const item of shownItems(site)) {
    const file = fileOf(item, taken)
    await mkdir(join(folder, pathOf(item)), { recursive: true })
    const written = await writeFiles(item, { folder, text: file, blobs })
    missing.push(...written.missing)
    await writeFile(join(folder, `${file}.md`), markdownOf(item, written.files))
    const comments = await commentsOn(site, item._id)
    if (comments.length > 0) await writeFile(join(folder, file + COMMENTS_BESIDE), json(comments))
    index.push({
      file: `${file}.md`,
      id: item._id,
      kind: item.kind,
      title: item.listing.title,
      comments: comments.length,
      files: written.files.map((one) => one.file),
    })
    progress(index.length)
  }
  await writeFile(join(folder, INDEX), json({ site: name, format: 1, items: index }))
  return {
    folder,
    items: index.length,
    comments: index.reduce((sum, { comments }) => sum + comments, 0),
    files: index.reduce((sum, { files }) => sum + files.length, 0),
    missing,
  }
}

async function openFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  const names = await readdir(folder)
  if (names.length === 0) return
  if (names.includes(INDEX)) return removeFormer(folder)
  const text = `${folder} holds other files. An export wants an empty folder, or that of an earlier export.`
  throw new HyperactiveError('export_folder', text, { status: 400 })
}

/** What an earlier export wrote goes, so that nothing stays that has been hidden since. */
async function removeFormer(folder: string): Promise<void> {
  const written = JSON.parse(await readFile(join(folder, INDEX), 'utf8')) as {
    items?: { file?: unknown; files?: unknown }[]
  }
  for (const { file, files } of written.items ?? []) {
    if (typeof file !== 'string' || !/^[a-z]+\/[^/\\]+\.md$/u.test(file)) continue
    await rm(join(folder, file), { force: true })
    await rm(join(folder, file.replace(/\.md$/, COMMENTS_BESIDE)), { force: true })
    await removeFiles(folder, file.replace(/\.md$/, ''), Array.isArray(files) ? files : [])
  }
}

async function* shownItems(site: Database): AsyncGenerator<SiteItem> {
  let from = '0'
  for (;;) {
    const { rows } = await site.allDocs({ startkey: from, endkey: '8', include_docs: true, limit: PAGE })
    for (const { doc } of rows) {
      const item = doc as unknown as SiteItem
      if (doc?.type === 'item' && isItemId(doc._id) && !item.standing.hidden) yield item
    }
    const last = rows.at(-1)
    if (!last || rows.length < PAGE) return
    from = `${last.key}\u0000`
  }
}

async function commentsOn(site: Database, item: string): Promise<z.infer<typeof writtenComment>[]> {
  const prefix = `comment:${item}:`
  const { rows } = await site.allDocs({ startkey: prefix, endkey: `${prefix}\ufff0`, include_docs: true })
  const shown = rows
    .map(({ doc }) => doc as unknown as SiteComment)
    .filter(({ standing }) => !standing.hidden)
  return shown
    .sort((a, b) => (a.at < b.at || (a.at === b.at && a.hash < b.hash) ? -1 : 1))
    .map(({ hash, at, inReplyTo, fields }) => {
      const { author, title, body = '' } = fields as Record<string, string | undefined>
      return {
        id: hash,
        ...(inReplyTo === undefined ? {} : { inReplyTo }),
        date: isoOf(at),
        ...(author === undefined ? {} : { author }),
        ...(title === undefined ? {} : { title }),
        body,
      }
    })
}

function markdownOf({ _id, kind, at, fields, standing }: SiteItem, files: readonly WrittenFile[]): string {
  // How the item came here is no part of it, and its files are named by where they lie.
  const { title, body = '', importId: _, files: __, ...rest } = fields
  const decided = actionsFor(standing)
  const front = {
    title,
    date: isoOf(at),
    kind,
    id: _id,
    ...rest,
    ...(files.length > 0 ? { files } : {}),
    ...(decided.length > 0 ? { decided } : {}),
  }
  return `---\n${stringify(front, { lineWidth: 0, schema: 'core' })}---\n\n${String(body)}\n`
}

/** Decisions that would make this of an item. */
function actionsFor({ status, sticky, locked }: Standing): string[] {
  const ofStatus = { published: [], promoted: ['promote'], featured: ['feature'] }[status]
  return [...ofStatus, ...(sticky ? ['stick'] : []), ...(locked ? ['lock'] : [])]
}

/** "articles/2026-10-03-the-bridge-is-open", with a number where that is taken. */
function fileOf(item: SiteItem, taken: Set<string>): string {
  const slug = item.listing.title
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/\p{M}/gu, '')
    .replaceAll(/[^\p{L}\p{N}]+/gu, '-')
    .slice(0, SLUG_LETTERS)
    .replaceAll(/^-+|-+$/g, '')
  const first = `${pathOf(item)}/${isoOf(item.at).slice(0, 10)}-${slug || 'untitled'}`
  let file = first
  for (let number = 2; taken.has(file); number++) file = `${first}-${number}`
  taken.add(file)
  return file
}

function pathOf({ kind }: SiteItem): string {
  return kindOf(kind)?.path ?? kind
}

function isoOf(at: string): string {
  return new Date(wallTime(at)).toISOString()
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`
}
