import { createHash } from 'node:crypto'
import serialize from 'canonicalize'
import type { Database } from '../couch/database.ts'
import { walkLedger } from './walk.ts'
import type { Finding } from './walk.ts'

const SHOWN = 5

/** Something in the ledger database that is no document of the ledger, or does not prove itself. */
export interface LeftBehind {
  id: string
  reason: string
}

/** What a ledger holds, so that two of them can be compared. About 200 bytes of memory a document. */
export interface Digest {
  documents: number
  tombstones: number
  /** SHA-256 over the sorted lines, in hexadecimal. */
  hash: string
  /** "id rev sha256" of every document, "id revs deleted" of every tombstone, sorted. */
  lines: readonly string[]
  leftBehind: LeftBehind[]
}

/** Reads a ledger from the beginning and sums it up, independently of the order in which the store gives it. */
export async function digestLedger(
  database: Database,
  onProgress: (count: number) => void = () => undefined,
): Promise<Digest> {
  const lines: string[] = []
  const leftBehind: LeftBehind[] = []
  let tombstones = 0
  for await (const { findings, count } of walkLedger(database)) {
    for (const finding of findings) {
      const line = lineOf(finding)
      if (line !== undefined) lines.push(line)
      if (finding.kind === 'erased') tombstones += 1
      const reason = reasonToLeave(finding)
      if (reason !== undefined) leftBehind.push({ id: finding.id, reason })
    }
    onProgress(count)
  }
  lines.sort()
  const hash = createHash('sha256')
  for (const line of lines) hash.update(`${line}\n`)
  return { documents: lines.length - tombstones, tombstones, hash: hash.digest('hex'), lines, leftBehind }
}

/** The first ids in which two ledgers differ, at most five; none when they are equal. */
export function firstDifferences(one: Digest, other: Digest): string[] {
  if (one.hash === other.hash) return []
  const ids = new Set<string>()
  const inOther = new Set(other.lines)
  const inOne = new Set(one.lines)
  for (const line of one.lines) if (!inOther.has(line)) ids.add(idIn(line))
  for (const line of other.lines) if (!inOne.has(line)) ids.add(idIn(line))
  return [...ids].sort().slice(0, SHOWN)
}

function idIn(line: string): string {
  return line.slice(0, line.indexOf(' '))
}

function lineOf(finding: Finding): string | undefined {
  if (finding.kind === 'document') {
    const { id, document } = finding
    const content = createHash('sha256')
      .update(serialize(document) ?? '')
      .digest('hex')
    return `${id} ${document._rev} ${content}`
  }
  if (finding.kind !== 'erased') return undefined
  const revs = finding.tombstones.map(({ rev }) => rev).sort()
  return `${finding.id} ${revs.join(' ')} deleted`
}

function reasonToLeave(finding: Finding): string | undefined {
  const { kind, bogus } = finding
  if (kind === 'unproven' || kind === 'missing') return finding.reason
  if (kind === 'foreign') return 'it is no document of the ledger'
  if (kind === 'design' || bogus.length === 0) return undefined
  return `beside it: ${bogus.join(', ')}, written past the gateway`
}
