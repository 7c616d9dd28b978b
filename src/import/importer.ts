import { createHash } from 'node:crypto'
import { commentFields } from '../kinds/base/comment.ts'
import type { Kind } from '../kinds/base/kind.ts'
import { kindOf } from '../kinds/base/registry.ts'
import { uniqueTerms } from '../kinds/base/vocabulary.ts'
import { hybridTime } from '../ledger/clock.ts'
import { hashInId, plainDataProblem } from '../ledger/document.ts'
import type { Edit, Fields } from '../ledger/document.ts'
import { isItemId, makeItemId } from '../ledger/item-id.ts'
import { keyFromSeed } from '../ledger/keys.ts'
import type { SigningKey } from '../ledger/keys.ts'
import type { Entry, Ledger } from '../ledger/ledger.ts'
import { aspectOf } from '../project/decisions.ts'
import { takeFiles } from './files.ts'
import type { ImportMedia } from './files.ts'
import type { Piece, PieceComment, Read, Skipped } from './piece.ts'

const ARTICLE = 'article'
const MOST_ALIASES = 10
const BATCH = 250
/** Imports dated further ahead than this would be refused by peers until their time has come. */
const FUTURE_MS = 60_000

/** What an import did. */
export interface ImportReport {
  imported: { source: string; item: string }[]
  /** Comments that came with them. */
  comments: number
  /** Files that belong to them. */
  files: number
  /** Pieces that were here already. */
  known: number
  skipped: Skipped[]
}

export interface ImportOptions {
  ledger: Ledger
  nodeKey: SigningKey
  /** The language of pieces that do not name theirs. */
  language: string
  /** What files go through, and where they are kept; without it they are left out. */
  media?: Pick<ImportMedia, 'cleaner' | 'blobs'>
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
 * Publishes pieces under their original dates, with their comments. A piece's item follows from its source and this
 * node's key, so that a second run finds it and imports nothing. Pieces that refer to others come last, when those have
 * their ids.
 */
export async function importPieces(
  reads: AsyncIterable<Read>,
  options: ImportOptions,
): Promise<ImportReport> {
  const run = new Run(options)
  for await (const read of reads) {
    if ('skipped' in read) run.report.skipped.push(read.skipped)
    else await run.take(read.piece)
  }
  return run.finish()
}

interface Made {
  piece: Piece
  entry: Entry & { draft: { item: string } }
}

class Run {
  readonly report: ImportReport = { imported: [], comments: 0, files: 0, known: 0, skipped: [] }
  readonly #options: ImportOptions
  readonly #seen = new Set<string>()
  /** The items of pieces that others may refer to, by their names. */
  readonly #named = new Map<string, string>()
  readonly #referring: Piece[] = []
  #batch: Made[] = []

  constructor(options: ImportOptions) {
    this.#options = options
  }

  async take(piece: Piece): Promise<void> {
    if (piece.name !== undefined) this.#named.set(piece.name, identify(piece, this.#options).item)
    if (piece.refs) this.#referring.push(piece)
    else await this.#add(piece, {})
  }

  async finish(): Promise<ImportReport> {
    for (const piece of this.#referring) await this.#add(piece, await this.#resolve(piece.refs ?? {}))
    await this.#flush()
    return this.report
  }

  /** The items that a piece refers to. One that is neither imported nor here is left out. */
  async #resolve(refs: NonNullable<Piece['refs']>): Promise<Fields> {
    const here = await this.#options.ledger.known(Object.values(refs).filter(isItemId))
    const found = Object.entries(refs).map(([field, name]) => [
      field,
      this.#named.get(name) ?? (here.has(name) ? name : undefined),
    ])
    return Object.fromEntries(found.filter(([, item]) => item !== undefined)) as Fields
  }

  async #add(piece: Piece, refs: Fields): Promise<void> {
    const made = makeEntry(piece, refs, this.#options)
    const { skipped } = this.report
    if ('reason' in made) skipped.push({ source: piece.source, reason: made.reason })
    else if (this.#seen.has(made.draft.item)) skipped.push({ source: piece.source, reason: 'occurs twice' })
    else {
      this.#seen.add(made.draft.item)
      this.#batch.push({ piece, entry: made })
      if (this.#batch.length === BATCH) await this.#flush()
    }
  }

  async #flush(): Promise<void> {
    const { ledger } = this.#options
    const batch = this.#batch
    this.#batch = []
    // An export that comes back to the network it was made in: its items are here under their own ids.
    const names = batch.flatMap(({ piece }) => piece.name ?? []).filter(isItemId)
    const known = await ledger.known([...new Set([...names, ...batch.map(({ entry }) => entry.draft.item)])])
    const fresh = batch.filter(
      ({ piece, entry }) => !known.has(entry.draft.item) && !known.has(piece.name ?? ''),
    )
    this.report.known += batch.length - fresh.length
    if (fresh.length === 0) return
    for (const made of fresh) await this.#takeFiles(made)
    await ledger.append(fresh.map(({ entry }) => entry))
    for (const { piece, entry } of fresh) {
      const { item } = entry.draft
      this.report.imported.push({ source: piece.source, item })
      const decisions = decisionsOn(item, piece)
      if (decisions.length > 0) await ledger.append(decisions)
      await this.#comment(item, piece)
    }
  }

  /** Files come before the edit that names them. */
  async #takeFiles({ piece: { source, files }, entry: { draft } }: Made): Promise<void> {
    const { ledger, media } = this.#options
    if (!files || typeof draft === 'function' || draft.type !== 'edit') return
    if (!media) {
      this.report.skipped.push({ source, reason: `${files.length} files: no place for files is open` })
      return
    }
    const taken = await takeFiles(files, { item: draft.item, ledger, media })
    for (const reason of taken.problems) this.report.skipped.push({ source, reason })
    if (taken.files.length > 0) Object.assign(draft.fields, { files: taken.files })
    this.report.files += taken.files.length
  }

  /** Comments in the order of their dates, so that an answer finds what it answers. */
  async #comment(item: string, { source, comments = [] }: Piece): Promise<void> {
    const hashes = new Map<string, string>()
    const { ledger } = this.#options
    for (const comment of [...comments].sort((a, b) => a.dateMs - b.dateMs)) {
      const { name, inReplyTo, dateMs, ...rest } = comment
      const parsed = commentFields.safeParse(tidyComment(rest))
      const at = dateMs < Date.UTC(0) ? undefined : hybridTime(dateMs)
      if (!parsed.success || at === undefined || ledger.clock.aheadMs(at) > FUTURE_MS) {
        const reason = parsed.success ? 'its date is no date of a comment' : problemOf(parsed.error)
        this.report.skipped.push({ source: `${source}, comment ${name}`, reason })
        continue
      }
      const answered = inReplyTo === undefined ? undefined : hashes.get(inReplyTo)
      const draft = {
        type: 'comment' as const,
        item,
        fields: parsed.data,
        ...(answered === undefined ? {} : { inReplyTo: answered }),
      }
      const [document] = await ledger.append([{ draft, at }])
      if (document) hashes.set(name, hashInId(document._id))
      this.report.comments += 1
    }
  }
}

/** What makes an item of a piece: the same for the same source and date on the same node. */
function identify({ source, dateMs, kind }: Piece, { nodeKey }: ImportOptions) {
  const digest = createHash('sha256').update(`${source}\n${dateMs}`).digest()
  const importId = digest.toString('hex').slice(0, 40)
  // What editors alone publish counts only when a member of the network signs it.
  const author =
    kindOf(kind ?? ARTICLE)?.by === 'editors' ? nodeKey : keyFromSeed(importAuthorSeed(nodeKey, importId))
  return { importId, author, item: makeItemId(author.publicKey, dateMs, digest.subarray(0, 2)) }
}

function makeEntry(
  piece: Piece,
  refs: Fields,
  options: ImportOptions,
): (Entry & { draft: { item: string } }) | { reason: string } {
  const kind = kindOf(piece.kind ?? ARTICLE)
  if (!kind) return { reason: `is of a kind that is not known: "${piece.kind ?? ''}"` }
  const { importId, author, item } = identify(piece, options)
  const aliases = aliasesOf(piece, kind, item)
  const fields = {
    ...fieldsOf(piece, options.language),
    ...refs,
    ...(aliases.length > 0 ? { aliases } : {}),
    importId,
  }
  const problem = fieldsProblem(kind, fields)
  if (problem !== undefined) return { reason: problem }
  if (piece.dateMs < Date.UTC(0)) return { reason: 'its date is before the year 0' }
  const at = hybridTime(piece.dateMs)
  if (options.ledger.clock.aheadMs(at) > FUTURE_MS) return { reason: 'its date is in the future' }
  return { draft: { type: 'edit', item, kind: kind.name, parents: [], fields, note: 'Imported' }, author, at }
}

/** The fields that a piece has of itself. */
export function fieldsOf(piece: Piece, language: string): Fields {
  return {
    ...piece.more,
    title: oneLine(piece.title),
    ...(piece.author ? { author: oneLine(piece.author) } : {}),
    ...(piece.summary ? { summary: piece.summary } : {}),
    ...(piece.body === '' ? {} : { body: piece.body }),
    tags: uniqueTerms(piece.tags),
    ...(piece.places ? { places: uniqueTerms(piece.places) } : {}),
    language: piece.language ?? language,
  }
}

/** Why fields cannot be those of an item of a kind, if they cannot. */
export function fieldsProblem(kind: Kind, fields: Fields): string | undefined {
  const checked = kind.schema.safeParse(fields)
  return checked.success ? plainDataProblem(fields) : problemOf(checked.error)
}

/** The old site's addresses, the one under which an export's network has it included. */
function aliasesOf({ aliases = [], name = '' }: Piece, kind: Kind, item: string): string[] {
  const former = isItemId(name) && name !== item ? [`/${kind.path}/${name}`] : []
  return [...new Set([...former, ...aliases])].slice(0, MOST_ALIASES).sort()
}

/** What moderation had decided, in this node's name and under the piece's date. */
function decisionsOn(item: string, { decided = [], dateMs }: Piece): Entry[] {
  const actions = [...new Set(decided)].filter((action) => aspectOf(action) !== undefined)
  return actions.map((action) => ({
    draft: { type: 'decision', item, target: item, action, supersedes: [] },
    at: hybridTime(dateMs),
  }))
}

function tidyComment({ author, title, body }: Pick<PieceComment, 'author' | 'title' | 'body'>): Fields {
  return { ...(author ? { author: oneLine(author) } : {}), ...(title ? { title: oneLine(title) } : {}), body }
}

function oneLine(text: string): string {
  return text.normalize('NFC').replaceAll(/\s+/g, ' ').trim()
}

function problemOf({
  issues: [issue],
}: {
  issues: readonly { path: PropertyKey[]; message: string }[]
}): string {
  return `${issue?.path.join('.') ?? ''} ${issue?.message ?? 'is not valid'}`
}
