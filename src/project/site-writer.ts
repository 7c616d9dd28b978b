import { isDeepStrictEqual } from 'node:util'
import type { Database, StoredDocument } from '../couch/database.ts'
import { HyperactiveError } from '../errors.ts'
import type { Vocabulary } from '../kinds/base/vocabulary.ts'
import { hashInId, isHash, parseId } from '../ledger/document.ts'
import type { Comment, Decision, Edit, Envelope } from '../ledger/document.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { IndexMark, SearchIndex } from '../search/search-index.ts'
import { indexChanges } from './index-entries.ts'
import { isComment, isDecision, isEdit, isErasure, isMedia } from './judge.ts'
import { standingOf } from './decisions.ts'
import type { KnownDecision } from './decisions.ts'
import { isToExecute, knownErasure, ordersInForce } from './erasures.ts'
import type { Erasures, KnownErasure } from './erasures.ts'
import { knownMedia } from './media.ts'
import type { KnownMedia } from './media.ts'
import { awaited, finish, mergeItem, present, sorted } from './merge-item.ts'
import type { Views } from './merge-item.ts'
import { commentId, HELD_REASONS } from './site-item.ts'
import type { Awaited, HeldDocument, SiteComment, SiteDocument, SiteItem } from './site-item.ts'
import type { Policy } from './policy.ts'
import { termName, TERMS, Terms } from './terms.ts'

const BATCH = 500
const LAST = '\ufff0'

export interface SiteWriterOptions {
  ledger: Ledger
  site: Database
  index: SearchIndex
  policy: Policy
  /** The name of the design document in force, without `_design/`. */
  design: () => string
  /** Told after documents of the site database were written: what is made of them may be another now. */
  onWritten?: (written: Written) => void
}

/** Documents of the site database as they were and as they are. */
export interface Written {
  documents: readonly { id: string; before: object | undefined; after: object | undefined }[]
  /** Names of counts and vocabularies that may have changed, as they are noted when they are read. */
  names: readonly string[]
}

/** What has come for one document of the site database. */
interface Subject {
  item: string
  edits: [string, Edit][]
  comment?: Comment
  decisions: Record<string, KnownDecision>
  erasures: Record<string, KnownErasure>
  media: Record<string, KnownMedia>
  /** Whether its content was deleted from the ledger. */
  gone: boolean
}

/** What a batch has come to, before it is written. */
interface Making extends Pick<Batch, 'held' | 'gone'> {
  made: ReadonlyMap<string, SiteItem | SiteComment | Awaited | undefined>
  before: ReadonlyMap<string, StoredDocument>
  subjects: ReadonlyMap<string, Subject>
}

/** What is to be written. */
export interface Batch {
  documents: readonly Envelope[]
  /** Documents that are kept off the pages. */
  held: readonly HeldDocument[]
  /** Ids of documents that were deleted from the ledger. */
  gone: readonly string[]
}

/**
 * Makes site documents of ledger documents that count, writes them, and tells the index. Doing the same twice changes
 * nothing.
 */
export class SiteWriter {
  readonly terms = new Terms()
  readonly #options: SiteWriterOptions
  #written: { id: string; before: object | undefined; after: object | undefined }[] = []
  #names = new Set<string>()

  constructor(options: SiteWriterOptions) {
    this.#options = options
  }

  /** Reads the vocabularies, and fills the index where it does not stand where the site database does. */
  async open(mark: IndexMark): Promise<void> {
    const { site, design, index } = this.#options
    const { rows } = await site.view(design(), 'listing', {
      startkey: ['kind:term'],
      endkey: ['kind:term', LAST],
      include_docs: true,
    })
    for (const { doc } of rows) if (doc) this.terms.take(doc as unknown as SiteItem)
    const stands = index.mark()
    // Killed between the index and the checkpoint: the index has had one batch more, which comes again.
    const ahead = stands?.source === mark.source ? Number(stands.seq) - Number(mark.seq) : -1
    if (ahead !== 0 && ahead !== 1) await this.#fillIndex(mark)
  }

  /**
   * Writes what these documents make of the site.
   *
   * @returns whether something among it is to be erased
   */
  async write({ documents, held, gone }: Batch, mark: IndexMark): Promise<boolean> {
    const subjects = subjectsOf(documents, gone)
    const items = [...subjects.values()].map(({ item }) => item)
    const ids = new Set([...subjects.keys(), ...items, ...held.map(({ _id }) => _id)])
    const before = await this.#read([...ids])
    const made = new Map<string, SiteItem | SiteComment | Awaited | undefined>()
    for (const [id, subject] of subjects) made.set(id, await this.#make(id, subject, before, subjects))
    for (const item of lateFor(subjects, made)) {
      const known = made.get(item) ?? (before.get(item) as unknown as SiteItem | Awaited | undefined)
      if (known?.type === 'awaited') made.set(item, { ...known, erasure: 'due' })
    }
    const written = [...made.values()].filter((document) => document !== undefined)
    try {
      await this.#write(written, { held, gone, made, before, subjects }, mark)
    } finally {
      // A store that fails half-way has perhaps written: what pages show must not wait for the next attempt.
      this.#tell()
    }
    return written.some(isToBeErased)
  }

  async #write(
    written: readonly (SiteItem | SiteComment | Awaited)[],
    { held, gone, made, before, subjects }: Making,
    mark: IndexMark,
  ): Promise<void> {
    await this.#put([...written, ...held], before)
    const removed = [...made].filter(([id, document]) => !document && before.has(id)).map(([id]) => id)
    const comments = await this.#commentsOf(
      [...subjects].filter(([id, { item, gone: isGone }]) => isGone && id === item).map(([id]) => id),
      made,
    )
    await this.#remove([...removed, ...comments, ...gone.flatMap(heldIds)])
    this.#index(written, mark, [...removed, ...comments])
    await this.#takeTerms(written, mark)
  }

  /** Forgets everything that was ever written. */
  async clear(): Promise<void> {
    const { site, index } = this.#options
    this.terms.clear()
    index.clear()
    for (;;) {
      const { rows } = await site.allDocs({ limit: BATCH, endkey: '_design/' })
      const more = rows.length > 0 ? rows : (await site.allDocs({ limit: BATCH, startkey: '_design0' })).rows
      if (more.length === 0) return
      await site.bulkDocs(more.map(({ key, value }) => ({ _id: key, _rev: value?.rev, _deleted: true })))
    }
  }

  /** Tells of everything that was written since it was last told. */
  #tell(): void {
    const written = { documents: this.#written, names: [...this.#names] }
    this.#written = []
    this.#names = new Set()
    this.#options.onWritten?.(written)
  }

  get #views(): Views {
    return { terms: this.terms, policy: this.#options.policy }
  }

  async #make(
    id: string,
    { item, edits, comment, decisions: arrived, erasures: ordered, media, gone }: Subject,
    documents: ReadonlyMap<string, StoredDocument>,
    subjects: ReadonlyMap<string, Subject>,
  ): Promise<SiteItem | SiteComment | Awaited | undefined> {
    const stored = documents.get(id) as unknown as SiteItem | SiteComment | Awaited | undefined
    const erasures = sorted({ ...stored?.erasures, ...ordered })
    // What was deleted past the gateway, without an order, is the doctor's business.
    const { policy } = this.#options
    const isErased = gone && isToExecute(erasures, policy)
    const known = isErased ? undefined : stored
    if (id === item) {
      const readEdits = (_: string, hashes: readonly string[]) =>
        this.#readEdits(item, hashes, new Map(edits))
      const all = { edits, decisions: arrived, erasures, media }
      const before = known as SiteItem | Awaited | undefined
      return mergeItem(item, before, all, { readEdits, ...this.#views })
    }
    const ofItem = {
      ...(documents.get(item)?.erasures as Erasures | undefined),
      ...subjects.get(item)?.erasures,
    }
    // A comment goes with its item, whenever it comes.
    if (isToExecute(ofItem, policy)) return undefined
    const decisions = { ...known?.decisions, ...arrived }
    if (comment) return this.#finishComment(siteComment(comment, decisions), erasures)
    if (known?.type === 'comment') return this.#finishComment({ ...known, _id: id, decisions }, erasures)
    return awaited({ _id: id, decisions, erasures }, this.#views)
  }

  /** What is here of the comments on items whose content has gone. */
  async #commentsOf(
    items: readonly string[],
    made: ReadonlyMap<string, SiteItem | SiteComment | Awaited | undefined>,
  ): Promise<string[]> {
    const erased = items.filter((item) => made.get(item)?.type === 'awaited')
    if (erased.length === 0) return []
    const queries = erased.map((item) => ({
      startkey: commentId(item, ''),
      endkey: commentId(item, LAST),
    }))
    const answers = await this.#options.site.allDocsQueries(queries)
    return answers.flat().map(({ key }) => key)
  }

  async #readEdits(
    item: string,
    hashes: readonly string[],
    atHand: ReadonlyMap<string, Edit>,
  ): Promise<Map<string, Edit>> {
    const found = new Map<string, Edit>()
    const missing: string[] = []
    for (const hash of hashes) {
      const edit = atHand.get(hash)
      if (edit) found.set(hash, edit)
      else missing.push(`${item}:edit:${hash}`)
    }
    for (const [id, document] of await this.#options.ledger.readMany(missing)) {
      if (isEdit(document)) found.set(hashInId(id), document)
    }
    return found
  }

  async #read(ids: string[]): Promise<Map<string, StoredDocument>> {
    if (ids.length === 0) return new Map()
    const { rows } = await this.#options.site.allDocs({ keys: ids, include_docs: true })
    return new Map(rows.flatMap(({ key, doc }) => (doc ? [[key, doc]] : [])))
  }

  /** Writes site documents over what was there before, and leaves alone what is equal already. */
  async #put(documents: readonly SiteDocument[], before: ReadonlyMap<string, StoredDocument>): Promise<void> {
    const changed: { _id: string; _rev?: string }[] = []
    for (const document of documents) {
      const { _rev, ...there } = before.get(document._id) ?? { _id: '', _rev: undefined }
      const { _rev: _, ...wanted } = document as SiteDocument & { _rev?: string }
      if (!isDeepStrictEqual(there, wanted)) changed.push(_rev === undefined ? wanted : { ...wanted, _rev })
    }
    if (changed.length === 0) return
    // Noted first: of a request whose answer is lost nobody knows what it wrote.
    this.#written.push(...changed.map((after) => ({ id: after._id, before: before.get(after._id), after })))
    const results = await this.#options.site.bulkDocs(changed)
    const refused = results.find(({ error }) => error !== undefined)
    if (refused)
      throw new HyperactiveError(
        'site_write_refused',
        `the site database refused ${refused.id}: ${refused.reason ?? ''}`,
      )
  }

  #index(documents: readonly SiteDocument[], mark: IndexMark, gone: readonly string[] = []): void {
    const { put, remove } = indexChanges(documents)
    const names = this.#options.index.apply({ put, remove: [...remove, ...gone] }, mark)
    for (const name of names) this.#names.add(name)
  }

  /** Removes documents that may be there. */
  async #remove(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return
    const { rows } = await this.#options.site.allDocs({ keys: [...ids], include_docs: true })
    const there = rows.flatMap(({ key, value }) => (value && !value.deleted ? [{ key, rev: value.rev }] : []))
    if (there.length === 0) return
    for (const { key, doc } of rows) if (doc) this.#written.push({ id: key, before: doc, after: undefined })
    await this.#options.site.bulkDocs(there.map(({ key, rev }) => ({ _id: key, _rev: rev, _deleted: true })))
  }

  /** Lists items anew under the names that editors have given to their tags and places. */
  async #takeTerms(written: readonly SiteDocument[], mark: IndexMark): Promise<void> {
    for (const document of written) {
      const isTerm = document.type === 'item' && document.kind === 'term'
      const changed = isTerm ? this.terms.take(document) : this.terms.forget(document._id)
      if (changed.length > 0) this.#names.add(TERMS)
      for (const { vocabulary, names } of changed) {
        for (const name of names) this.#names.add(termName(vocabulary, name))
        for (const name of names) await this.#listAnew(vocabulary, name, mark)
      }
    }
  }

  async #listAnew(vocabulary: Vocabulary, name: string, mark: IndexMark): Promise<void> {
    const { site, design } = this.#options
    const key = [vocabulary, encodeURIComponent(name)]
    let startkey: unknown[] = key
    for (;;) {
      const range = { startkey, endkey: [...key, LAST], limit: BATCH }
      const { rows } = await site.view(design(), 'words', range)
      const last = rows.at(-1)
      if (!last) return
      // After this id, all of which are of one length: in views CouchDB does not see control characters.
      startkey = [...key, `${last.id}0`]
      const before = await this.#read(rows.map(({ id }) => id))
      const items = [...before.values()].filter(({ type }) => type === 'item') as unknown as SiteItem[]
      const made = items.map((item) => finish(item, this.#views)).filter((item) => item !== undefined)
      await this.#put(made, before)
      this.#index(made, mark)
    }
  }

  /** Makes of everything that is here what this node's policy makes of it. */
  async finishAnew(mark: IndexMark): Promise<void> {
    let startkey = ''
    for (;;) {
      const { rows } = await this.#options.site.allDocs({ startkey, limit: BATCH, include_docs: true })
      const last = rows.at(-1)
      if (!last) return
      startkey = `${last.key}\u0000`
      const before = new Map(rows.flatMap(({ key, doc }) => (doc ? [[key, doc] as const] : [])))
      const made = [...before.values()].flatMap((document) => this.#finished(document) ?? [])
      try {
        await this.#put(made, before)
        this.#index(made, mark)
      } finally {
        this.#tell()
      }
    }
  }

  #finished(document: StoredDocument): SiteItem | SiteComment | Awaited | undefined {
    if (document.type === 'item') return finish(document as unknown as SiteItem, this.#views)
    if (document.type === 'awaited') return awaited(document as unknown as Awaited, this.#views)
    if (document.type !== 'comment') return undefined
    const comment = document as unknown as SiteComment
    return this.#finishComment(comment, comment.erasures)
  }

  #finishComment(
    comment: Omit<SiteComment, 'standing'>,
    erasures: Record<string, KnownErasure> = {},
  ): SiteComment {
    const { policy } = this.#options
    const needsReview = policy.reviews.comments && comment.at >= policy.reviewFrom
    const erased = ordersInForce(erasures, policy).length > 0
    const standing = standingOf(comment.decisions, policy, { needsReview, erased })
    const { erasures: _before, ...rest } = comment
    return { ...rest, ...present(erasures), standing }
  }

  async #fillIndex(mark: IndexMark): Promise<void> {
    const { site, index } = this.#options
    index.clear()
    let startkey = ''
    for (;;) {
      const { rows } = await site.allDocs({ startkey, limit: BATCH, include_docs: true })
      const last = rows.at(-1)
      if (!last) break
      startkey = `${last.key}\u0000`
      const documents = rows.map(({ doc }) => doc as unknown as SiteDocument)
      index.apply(indexChanges(documents), { source: '', seq: 0 })
    }
    index.apply({ put: [], remove: [] }, mark)
  }
}

function subjectsOf(documents: readonly Envelope[], gone: readonly string[]): Map<string, Subject> {
  const subjects = new Map<string, Subject>()
  const subject = (id: string, item: string): Subject => {
    const known = subjects.get(id)
    if (known) return known
    const fresh: Subject = { item, edits: [], decisions: {}, erasures: {}, media: {}, gone: false }
    subjects.set(id, fresh)
    return fresh
  }
  const targeted = (item: string, target: string) =>
    target === item
      ? subject(item, item)
      : isHash(target)
        ? subject(commentId(item, target), item)
        : undefined
  for (const document of documents) {
    const { _id, item } = document
    const hash = hashInId(_id)
    if (isEdit(document)) subject(item, item).edits.push([hash, document])
    else if (isComment(document)) subject(commentId(item, hash), item).comment = document
    else if (isDecision(document)) {
      const about = targeted(item, document.target)
      if (about) about.decisions[hash] = knownDecision(document)
    } else if (isErasure(document)) {
      const about = targeted(item, document.target)
      if (about) about.erasures[hash] = knownErasure(document)
    } else if (isMedia(document)) subject(item, item).media[hash] = knownMedia(document)
  }
  for (const { item, type, hash } of gone.flatMap((id) => parseId(id) ?? [])) {
    if (type === 'edit') subject(item, item).gone = true
    if (type === 'comment') subject(commentId(item, hash), item).gone = true
  }
  return subjects
}

/** Items that are erased here and for which something has come that is to be erased as well. */
function lateFor(
  subjects: ReadonlyMap<string, Subject>,
  made: ReadonlyMap<string, SiteItem | SiteComment | Awaited | undefined>,
): string[] {
  return [...subjects].flatMap(([id, { item, comment, decisions }]) => {
    const isDropped = id !== item && made.get(id) === undefined
    return isDropped && (comment || Object.keys(decisions).length > 0) ? [item] : []
  })
}

/** Where a document of the ledger may have been noted as one that is kept off the pages. */
function heldIds(id: string): string[] {
  return HELD_REASONS.map((reason) => `held:${reason}:${id}`)
}

function isToBeErased(document: SiteDocument): boolean {
  if (document.type === 'awaited') return document.erasure === 'due'
  return (document.type === 'item' || document.type === 'comment') && document.standing.closed === 'erased'
}

function knownDecision({ action, supersedes, at, node, reason, category, by }: Decision): KnownDecision {
  return {
    action,
    supersedes,
    at,
    node,
    ...(reason === undefined ? {} : { reason }),
    ...(category === undefined ? {} : { category }),
    ...(by === undefined ? {} : { by }),
  }
}

function siteComment(
  { _id, item, at, node, inReplyTo, fields }: Comment,
  decisions: SiteComment['decisions'],
): Omit<SiteComment, 'standing'> {
  const hash = hashInId(_id)
  return {
    _id: commentId(item, hash),
    type: 'comment',
    item,
    hash,
    at,
    node,
    ...(inReplyTo === undefined ? {} : { inReplyTo }),
    fields,
    decisions,
  }
}
