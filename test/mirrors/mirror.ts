import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import type { Mirror, MirrorSecrets } from '../../src/config/mirrors.ts'
import { Distributor } from '../../src/mirrors/distributor.ts'
import { OWN_FOLDER } from '../../src/mirrors/names.ts'
import { MirrorRecord } from '../../src/mirrors/record.ts'
import type { MirrorFacts } from '../../src/mirrors/record.ts'
import { openTarget } from '../../src/mirrors/targets/open.ts'
import { verifyMirror } from '../../src/mirrors/verify.ts'
import type { Verification } from '../../src/mirrors/verify.ts'
import { testFolder } from '../helpers/folder.ts'
import { until } from '../helpers/wait.ts'
import { FolderSite, sha256 } from './folder-site.ts'

export interface Mirrored {
  site: FolderSite
  data: string
  mirrors: Mirror[]
  secrets: Record<string, MirrorSecrets>
}

/** A site in a folder of its own and the data folder of a node that mirrors it. */
export async function mirrored(
  t: ExecutionContext,
  mirrors: Mirror[],
  secrets: Record<string, MirrorSecrets> = {},
): Promise<Mirrored> {
  return { site: new FolderSite(await testFolder(t)), data: await testFolder(t), mirrors, secrets }
}

/** Distributes until the test ends, or until what it gives is called. */
export function distribute(
  t: ExecutionContext,
  { site, mirrors, secrets, data }: Mirrored,
): () => Promise<void> {
  const distributor = new Distributor({ site, mirrors, secrets, data, longestPauseMs: 500 })
  t.teardown(() => distributor[Symbol.asyncDispose]())
  distributor.start()
  return () => distributor[Symbol.asyncDispose]()
}

export function factsOf(data: string, name: string): MirrorFacts {
  using record = MirrorRecord.open(data, name)
  return record.facts()
}

/** Waits until the record says that the mirror has the site as it is, its manifest included. */
export async function untilCurrent({ site, data }: Mirrored, name: string): Promise<void> {
  await until(`${name} is up to date`, () => {
    using record = MirrorRecord.open(data, name)
    const known = [...record.all()]
    return (
      known.length === site.files.size &&
      known.every(([path, { sha256: hash }]) => site.files.get(path)?.sha256 === hash) &&
      record.stale(record.facts().digits ?? 0).length === 0
    )
  })
}

export async function verify(
  { site, data, mirrors, secrets }: Mirrored,
  name: string,
): Promise<Verification> {
  const mirror = mirrors.find((one) => one.name === name)
  if (!mirror) throw new Error(`no mirror ${name}`)
  using record = MirrorRecord.open(data, name)
  await using target = openTarget(mirror, secrets[name])
  return await verifyMirror({ site, target, record, signal: new AbortController().signal })
}

/** The hashes of all files below a folder, by path, without a mirror's own. */
export async function hashesBelow(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !path.slice(folder.length + 1).startsWith(`${OWN_FOLDER}/`))
  const hashed = files.map(async (path) => [
    path.slice(folder.length + 1),
    sha256(await readFile(path, 'utf8')),
  ])
  return Object.fromEntries(await Promise.all(hashed)) as Record<string, string>
}

export const CLEAN = { missing: [], wrong: [], left: [], foreign: [], behind: 0 }
