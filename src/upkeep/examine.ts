import type { Database } from '../couch/database.ts'
import { readDesignDoc } from '../couch/design-docs.ts'
import { readRescued } from './rescue.ts'
import { walkLedger } from './walk.ts'
import type { Finding } from './walk.ts'

/** What was written to the ledger database past the gateway. */
export type ProblemKind =
  | 'foreign-document'
  | 'unknown-design-document'
  | 'extra-revision'
  | 'written-over'
  | 'written-over-erasure'
  | 'missing'
  | 'unproven'

export interface Problem {
  kind: ProblemKind
  id: string
  /** The revisions that should not be there. */
  revs: string[]
  /** In words, for a person. */
  reason: string
  /** Whether the true document cannot be read here any more; a peer may have it. */
  lost: boolean
}

export interface Examination {
  documents: number
  tombstones: number
  problems: Problem[]
}

/** Looks through the whole ledger database for what no gateway let in. What it holds is read, never changed. */
export async function examineLedger(
  database: Database,
  onProgress: (done: number) => void = () => undefined,
): Promise<Examination> {
  const own = (await readDesignDoc(database.name))._id
  const problems = await cutOffRepair(database)
  let documents = 0
  let tombstones = 0
  let done = 0
  for await (const { findings, count } of walkLedger(database)) {
    for (const finding of findings) {
      if (finding.kind === 'document') documents += 1
      if (finding.kind === 'erased') tombstones += 1
      const problem = finding.id === own ? undefined : problemIn(finding)
      if (problem) problems.push(problem)
    }
    done += count
    onProgress(done)
  }
  problems.sort((one, other) => (one.id < other.id ? -1 : 1))
  return { documents, tombstones, problems }
}

/** What a repair took away and did not get to put back. */
async function cutOffRepair(database: Database): Promise<Problem[]> {
  const document = await readRescued(database)
  if (!document) return []
  const reason = 'a repair was cut off before it put it back; the next one does'
  return [{ kind: 'missing', id: document._id, revs: [], reason, lost: false }]
}

function problemIn(finding: Finding): Problem | undefined {
  const { id, bogus: revs } = finding
  const problem = (kind: ProblemKind, reason: string, lost = false): Problem => ({
    kind,
    id,
    revs,
    reason,
    lost,
  })
  const others = revs.join(', ')
  switch (finding.kind) {
    case 'foreign':
      return problem('foreign-document', 'it is no document of the ledger')
    case 'design':
      return problem('unknown-design-document', 'it is no design document of this node')
    case 'missing':
      return problem('missing', finding.reason, true)
    case 'unproven':
      return problem('unproven', finding.reason, true)
    case 'erased':
    case 'document':
      break
  }
  if (revs.length === 0) return undefined
  if (finding.kind === 'erased')
    return problem('written-over-erasure', `it was erased, and ${others} was written after that`)
  if (finding.updated) return problem('written-over', `${others} was written over it`)
  return problem('extra-revision', `${others} stands beside it`)
}
