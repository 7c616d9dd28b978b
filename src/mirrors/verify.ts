import { join } from 'node:path'
import type { ProducedFile, ProducedSite } from '../produce/produced-site.ts'
import { inTemporaryFolder } from './delivery.ts'
import { HEAD, partPath, prefixes, readHead, writeParts } from './manifest.ts'
import { isOwn, nameProblem } from './names.ts'
import type { MirrorRecord } from './record.ts'
import type { Target } from './targets/target.ts'

/** What is at a target, compared with what was sent there. */
export interface Verification {
  /** Files that were compared, the manifest's among them. */
  files: number
  missing: string[]
  wrong: string[]
  /** This node's own that should not be there: sent and removed once, or left half-written. */
  left: string[]
  /** Nobody knows whose; undefined when the target does not say what it has. */
  foreign: string[] | undefined
  /** Files that are still to be sent or removed, whatever the target has. */
  behind: number
}

export interface VerifyOptions {
  site: ProducedSite
  target: Target
  record: MirrorRecord
  signal: AbortSignal
}

/**
 * Compares every file at a target with the manifest, byte by byte, and looks for others. What the site changed since
 * it was last sent is `behind`, and not wrong. It may be done while the node sends.
 */
export async function verifyMirror({ site, target, record, signal }: VerifyOptions): Promise<Verification> {
  const expected = new Map<string, ProducedFile>()
  const known = new Map(record.all())
  for (const [path, file] of known) if (site.files.get(path)?.sha256 === file.sha256) expected.set(path, file)
  const behind = known.size - expected.size + [...site.files.keys()].filter((path) => !known.has(path)).length
  const pages = await target.check(site.folder, expected, signal)
  const manifest = await checkManifest({ target, record, signal })
  const isStill = (path: string) => record.get(path)?.sha256 === expected.get(path)?.sha256
  const names = await target.names(signal)
  const others = (names ?? []).filter((path) => !manifest.files.has(path) && record.get(path) === undefined)
  // A name that is not one cannot be ours, whatever it begins with.
  const isOurs = (path: string) => nameProblem(path) === undefined && (isOwn(path) || record.isGone(path))
  return {
    files: expected.size + manifest.files.size,
    // What the node has sent anew meanwhile was right or wrong as another file.
    missing: [...pages.missing.filter(isStill), ...manifest.missing],
    wrong: [...pages.wrong.filter(isStill), ...manifest.wrong],
    left: others.filter(isOurs),
    foreign: names && others.filter((path) => !isOurs(path)),
    behind,
  }
}

interface ManifestCheck {
  files: ReadonlyMap<string, ProducedFile>
  missing: string[]
  wrong: string[]
}

/** Compares the parts of the manifest with what they should be; of the head, its name and where it leads. */
async function checkManifest({
  target,
  record,
  signal,
}: Omit<VerifyOptions, 'site'>): Promise<ManifestCheck> {
  const { id, digits = 0 } = record.facts()
  if (id === undefined) return { files: new Map(), missing: [], wrong: [] }
  return inTemporaryFolder(async (folder) => {
    const taken = join(folder, 'taken')
    await target.take([HEAD], taken, signal)
    const head = await readHead(taken)
    const files = await writeParts(record, digits, prefixes(digits), folder)
    const parts = await target.check(folder, files, signal)
    const stale = new Set(record.stale(digits).map((prefix) => partPath(digits, prefix)))
    const isTrue = (path: string) => !stale.has(path)
    const isRight = head?.id === id && head.digits === digits
    return {
      files: new Map([...files, [HEAD, { sha256: '', bytes: 0 }]]),
      missing: [...parts.missing.filter(isTrue), ...(head ? [] : [HEAD])],
      wrong: [...parts.wrong.filter(isTrue), ...(head && !isRight ? [HEAD] : [])],
    }
  })
}

/**
 * Makes the record say what was seen, so that the next delivery sends what is missing or wrong and removes what is
 * left. To be called with the mirror's lock.
 */
export function recordFindings(record: MirrorRecord, { missing, wrong, left }: Verification): void {
  const { digits = 0 } = record.facts()
  const bad = [...missing, ...wrong]
  record.sending([...bad.filter((path) => !isOwn(path)), ...left.filter((path) => !isOwn(path))])
  const parts = prefixes(digits).filter((prefix) => bad.includes(partPath(digits, prefix)))
  record.markStale(bad.includes(HEAD) ? prefixes(digits) : parts)
}

/** Removes what is left of the mirror's own files. To be called with the mirror's lock. */
export async function removeLeft(
  { target, signal }: Pick<VerifyOptions, 'target' | 'signal'>,
  { left }: Verification,
): Promise<void> {
  const own = left.filter((path) => isOwn(path))
  if (own.length > 0) await target.remove(own, signal)
}
