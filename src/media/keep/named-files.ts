import type { Database, StoredDocument } from '../../couch/database.ts'
import { parseId } from '../../ledger/document.ts'
import { isSha256 } from '../../ledger/manifest.ts'
import { inPieces } from '../../pieces.ts'

/** Rows read at once where only ids are looked at, and where documents are. */
const IDS = 2000
const DOCUMENTS = 200
const LAST = '\ufff0'
const HELD = 'held:'

/** The digests of the files that a document of the ledger names, whoever has signed it and whatever its version. */
export function digestsNamed(document: StoredDocument | null | undefined): string[] {
  const files: unknown = document?.files
  if (!Array.isArray(files)) return []
  return files.flatMap((file: unknown) => {
    const { sha256 } = (file ?? {}) as { sha256?: unknown }
    return isSha256(sha256) ? [sha256] : []
  })
}

/** The digests of all files that the ledger's documents of an item name. */
export async function filesOfItem(ledger: Database, item: string): Promise<Set<string>> {
  const found = new Set<string>()
  for await (const ids of idsIn(ledger, `${item}:media:`))
    for await (const document of documentsOf(ledger, ids))
      for (const sha256 of digestsNamed(document)) found.add(sha256)
  return found
}

/**
 * Which of these files any document of the ledger names: also one by a stranger, of a version that this node does not know,
 * or that has not been projected yet. It reads every media document.
 *
 * @param wanted digests
 */
export async function namedInLedger(ledger: Database, wanted: ReadonlySet<string>): Promise<Set<string>> {
  const found = new Set<string>()
  for await (const ids of idsIn(ledger, '')) {
    const media = ids.filter((id) => parseId(id)?.type === 'media')
    for await (const document of documentsOf(ledger, media))
      for (const sha256 of digestsNamed(document)) if (wanted.has(sha256)) found.add(sha256)
    if (found.size === wanted.size) break
  }
  return found
}

/**
 * The files that documents name which are kept off the pages, by their digests: they are a stranger's, who may be let in.
 *
 * @param site the site database
 */
export async function heldFiles(site: Database, ledger: Database): Promise<Set<string>> {
  const found = new Set<string>()
  for await (const ids of idsIn(site, HELD)) {
    const held = ids.map((id) => id.split(':').slice(2).join(':'))
    const media = held.filter((id) => parseId(id)?.type === 'media')
    for await (const document of documentsOf(ledger, media))
      for (const sha256 of digestsNamed(document)) found.add(sha256)
  }
  return found
}

async function* idsIn(database: Database, prefix: string): AsyncGenerator<string[]> {
  for (let startkey = prefix; ;) {
    const range = { startkey, ...(prefix === '' ? {} : { endkey: prefix + LAST }), limit: IDS }
    const { rows } = await database.allDocs(range)
    yield rows.map(({ key }) => key)
    const last = rows.at(-1)
    if (!last || rows.length < IDS) return
    startkey = `${last.key}\u0000`
  }
}

async function* documentsOf(
  database: Database,
  ids: readonly string[],
): AsyncGenerator<StoredDocument | null | undefined> {
  for (const some of inPieces(ids, DOCUMENTS)) {
    const { rows } = await database.allDocs({ keys: [...some], include_docs: true })
    for (const { doc } of rows) yield doc
  }
}
