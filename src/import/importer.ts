import { createHash } from 'node:crypto'
import { article } from '../kinds/article.ts'
import { uniqueTerms } from '../kinds/base/vocabulary.ts'
import { hybridTime } from '../ledger/clock.ts'
import type { Edit } from '../ledger/document.ts'
import { makeItemId } from '../ledger/item-id.ts'
import { keyFromSeed } from '../ledger/keys.ts'
import type { SigningKey } from '../ledger/keys.ts'
import type { Entry, Ledger } from '../ledger/ledger.ts'
import type { Piece, Read, Skipped } from './piece.ts'

const BATCH = 250
/** Imports dated further ahead than this would be refused by peers until their time has come. */
const FUTURE_MS = 60_000

/** What an import did. */
export interface ImportReport {
  imported: { source: string; item: string }[]
  /** Pieces that were here already. */
  known: number
  skipped: Skipped[]
}

export interface ImportOptions {
  ledger: Ledger
  nodeKey: SigningKey
  /** The language of pieces that do not name theirs. */
  language: string
}

/**
 * The key that an imported piece's author signs with. It grows from the node's own key, so that this node can give
 * out the piece's edit link later, and nobody else can.
 */
function importAuthorSeed(nodeKey: SigningKey, importId: string): Buffer {
  return nodeKey.derive(`import ${importId}`)
}

/** The secret of an imported item's edit link, if this node imported it. */
export function importedSecret(nodeKey: SigningKey, edit: Edit): string | undefined {
  const { importId } = edit.fields
  if (typeof importId !== 'string') return undefined
  const seed = importAuthorSeed(nodeKey, importId)
  return keyFromSeed(seed).publicKey === edit.author ? seed.toString('base64url') : undefined
}

/**
 * Publishes pieces under their original dates. A piece's item follows from its source and this node's key, so that a
 * second run finds it and imports nothing.
 */
export async function importPieces(
  reads: AsyncIterable<Read>,
  options: ImportOptions,
): Promise<ImportReport> {
  const report: ImportReport = { imported: [], known: 0, skipped: [] }
  const seen = new Set<string>()
  let batch: { piece: Piece; entry: Entry & { draft: { item: string } } }[] = []
  const flush = async () => {
    const known = await options.ledger.known(batch.map(({ entry }) => entry.draft.item))
    const fresh = batch.filter(({ entry }) => !known.has(entry.draft.item))
    if (fresh.length > 0) await options.ledger.append(fresh.map(({ entry }) => entry))
    for (const { piece, entry } of fresh)
      report.imported.push({ source: piece.source, item: entry.draft.item })
    report.known += batch.length - fresh.length
    batch = []
  }
  for await (const read of reads) {
    if ('skipped' in read) {
      report.skipped.push(read.skipped)
      continue
    }
    const { piece } = read
    const made = makeEntry(piece, options)
    if ('reason' in made) report.skipped.push({ source: piece.source, reason: made.reason })
    else if (seen.has(made.draft.item)) report.skipped.push({ source: piece.source, reason: 'occurs twice' })
    else {
      seen.add(made.draft.item)
      batch.push({ piece, entry: made })
      if (batch.length === BATCH) await flush()
    }
  }
  await flush()
  return report
}

function makeEntry(
  piece: Piece,
  { nodeKey, language, ledger }: ImportOptions,
): (Entry & { draft: { item: string } }) | { reason: string } {
  const digest = createHash('sha256').update(`${piece.source}\n${piece.dateMs}`).digest()
  const importId = digest.toString('hex').slice(0, 40)
  const fields = {
    title: piece.title.normalize('NFC').replaceAll(/\s+/g, ' '),
    ...(piece.author ? { author: piece.author.normalize('NFC').replaceAll(/\s+/g, ' ') } : {}),
    ...(piece.summary ? { summary: piece.summary } : {}),
    body: piece.body,
    tags: uniqueTerms(piece.tags),
    language: piece.language ?? language,
    importId,
  }
  const checked = article.schema.safeParse(fields)
  if (!checked.success) {
    const [issue] = checked.error.issues
    return { reason: `${issue?.path.join('.') ?? ''} ${issue?.message ?? 'is not valid'}` }
  }
  if (piece.dateMs < Date.UTC(0)) return { reason: 'its date is before the year 0' }
  const at = hybridTime(piece.dateMs)
  if (ledger.clock.aheadMs(at) > FUTURE_MS) return { reason: 'its date is in the future' }
  const author = keyFromSeed(importAuthorSeed(nodeKey, importId))
  const item = makeItemId(author.publicKey, piece.dateMs, digest.subarray(0, 2))
  return { draft: { type: 'edit', item, kind: 'article', parents: [], fields, note: 'Imported' }, author, at }
}
