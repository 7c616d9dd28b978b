import { createHash } from 'node:crypto'
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import type { ProducedFile } from '../produce/produced-site.ts'
import { OWN_FOLDER, siteNameProblem } from './names.ts'
import type { MirrorRecord } from './record.ts'
import { MOST_TAKEN_BYTES } from './targets/target.ts'

/** The manifest's first file: it is small, whatever the size of the site, and written last. */
export const HEAD = `${OWN_FOLDER}/mirror.json`

const FORMAT = 1
/** Files in one part of the manifest, on average; with more there are sixteen times as many parts. */
const FILES_IN_PART = 256
const MOST_DIGITS = 4
const MOST_HEAD_BYTES = 10_000

const head = z.object({
  format: z.literal(FORMAT),
  id: z.string().regex(/^[0-9a-f-]{36}$/),
  digits: z.int().min(0).max(MOST_DIGITS),
  files: z.int().min(0),
  at: z.string(),
})
const part = z.record(z.string(), z.tuple([z.string().regex(/^[0-9a-f]{64}$/), z.int().min(0)]))

export type ManifestHead = z.output<typeof head>

/** With how many digits the parts are told apart, for so many files; never fewer than before. Pure. */
export function digitsFor(files: number, before = 0): number {
  let digits = before
  while (digits < MOST_DIGITS && files > FILES_IN_PART * 16 ** digits) digits += 1
  return digits
}

/** Where the part is whose files have hashes of paths that begin so. */
export function partPath(digits: number, prefix: string): string {
  return `${OWN_FOLDER}/files-${digits}/${prefix === '' ? 'all' : prefix}.json`
}

/** What all parts that are told apart by so many digits are named by. */
export function prefixes(digits: number): string[] {
  return Array.from({ length: 16 ** digits }, (_, number) =>
    digits === 0 ? '' : number.toString(16).padStart(digits, '0'),
  )
}

/** Writes parts of the manifest, as the record has them, below a folder; gives what was written. */
export async function writeParts(
  record: MirrorRecord,
  digits: number,
  wanted: readonly string[],
  folder: string,
): Promise<Map<string, ProducedFile>> {
  const written = new Map<string, ProducedFile>()
  for (const prefix of wanted) {
    const files = record.inShard(prefix).map(([path, { sha256, bytes }]) => [path, [sha256, bytes]] as const)
    const path = partPath(digits, prefix)
    written.set(path, await writeJson(join(folder, path), Object.fromEntries(files)))
  }
  return written
}

/** Writes the head below a folder; gives what was written. */
export async function writeHead(facts: ManifestHead, folder: string): Promise<Map<string, ProducedFile>> {
  return new Map([[HEAD, await writeJson(join(folder, HEAD), facts)]])
}

export function headOf(facts: Omit<ManifestHead, 'format' | 'at'>): ManifestHead {
  return { format: FORMAT, ...facts, at: new Date().toISOString() }
}

/** The head that was taken into a folder from a target; undefined when there is none that can be read. */
export async function readHead(folder: string): Promise<ManifestHead | undefined> {
  return head.safeParse(await readJson(join(folder, HEAD), MOST_HEAD_BYTES)).data
}

/** The files that parts taken into a folder name; undefined for a part that is not there or cannot be read. */
export async function readPart(
  folder: string,
  digits: number,
  prefix: string,
): Promise<[path: string, file: ProducedFile][] | undefined> {
  const parsed = part.safeParse(await readJson(join(folder, partPath(digits, prefix)), MOST_TAKEN_BYTES))
  if (!parsed.success) return undefined
  return Object.entries(parsed.data)
    .filter(([path]) => siteNameProblem(path) === undefined)
    .map(([path, [sha256, bytes]]) => [path, { sha256, bytes }])
}

async function writeJson(path: string, value: object): Promise<ProducedFile> {
  const bytes = Buffer.from(`${JSON.stringify(value)}\n`)
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, bytes)
  return { sha256: createHash('sha256').update(new Uint8Array(bytes)).digest('hex'), bytes: bytes.length }
}

/** What a target gives is not trusted to be there, small or JSON. */
async function readJson(path: string, mostBytes: number): Promise<unknown> {
  try {
    if ((await stat(path)).size > mostBytes) return undefined
    return JSON.parse(await readFile(path, 'utf8'))
  } catch {
    return undefined
  }
}
