import { isDeepStrictEqual } from 'node:util'
import type { Database, StoredDocument } from '../couch/database.ts'
import { HyperactiveError } from '../errors.ts'
import type { Vocabulary } from '../kinds/base/vocabulary.ts'
import { hashInId, isHash } from '../ledger/document.ts'
import type { Comment, Decision, Edit, Envelope } from '../ledger/document.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { IndexMark, SearchIndex } from '../search/search-index.ts'
import { indexChanges } from './index-entries.ts'
import { isComment, isDecision, isEdit } from './judge.ts'
import { standingOf } from './decisions.ts'
import type { KnownDecision, Standing } from './decisions.ts'
import { finish, mergeItem } from './merge-item.ts'
import type { Views } from './merge-item.ts'
import { commentId } from './site-item.ts'
import type { Awaited, HeldDocument, SiteComment, SiteDocument, SiteItem } from './site-item.ts'
import type { Policy } from './policy.ts'
import { Terms } from './terms.ts'

const BATCH = 500
const LAST = '\ufff0'

export interface SiteWriterOptions {
  ledger: Ledger
  site: Database
  index: SearchIndex
  policy: Policy
  /** The name of the design document in force, without `_design/`. */
  design: () => string
}

/** What has come for one document of the site database. */
interface Subject {
  item: string
  edits: [string, Edit][]
  comment?: Comment
  decisions: Record<string, KnownDecision>
}

/**
 * Makes site documents of ledger documents that count, writes them, and tells the index. Doing the same twice changes
 * nothing.
 */
export class SiteWriter {
  readonly terms = new Terms()
  readonly #options: SiteWriterOptions

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

  /** Writes what these documents make of the site; `held` are documents that are kept off the pages. */
  async write(documents: readonly Envelope[], held: readonly HeldDocument[], mark: IndexMark): Promise<void> {
    const subjects = subjectsOf(documents)
    const before = await this.#read([...subjects.keys(), ...held.map(({ _id }) => _id)])
    const made = await Promise.all(
      [...subjects].map(([id, subject]) => this.#make(id, subject, before.get(id))),
    )
    const written = made.filter((document) => document !== undefined)
    await this.#put([...written, ...held], before)
    this.#index(written, mark)
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

  get #views(): Views {
    return { terms: this.terms, policy: this.#options.policy }
  }

  async #make(
    id: string,
    { item, edits, comment, decisions: arrived }: Subject,
    stored: StoredDocument | undefined,
  ): Promise<SiteItem | SiteComment | Awaited | undefined> {
    if (id === item) {
      const known = stored as unknown as SiteItem | Awaited | undefined
      const readEdits = (_: string, hashes: readonly string[]) =>
        this.#readEdits(item, hashes, new Map(edits))
      return mergeItem(
        item,
        known,
        { edits, decisions: arrived },
        {
          readEdits,
          ...this.#views,
        },
      )
    }
    const known = stored as unknown as SiteComment | Awaited | undefined
    const decisions = { ...known?.decisions, ...arrived }
    const at = comment?.at ?? (known?.type === 'comment' ? known.at : '')
    const standing = this.#standingOfComment(decisions, at)
    if (comment) return siteComment(comment, { decisions, standing })
    if (known?.type === 'comment') return { ...known, _id: id, decisions, standing }
    return { _id: id, type: 'awaited', decisions }
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
    const changed: object[] = []
    for (const document of documents) {
      const { _rev, ...there } = before.get(document._id) ?? { _id: '', _rev: undefined }
      const { _rev: _, ...wanted } = document as SiteDocument & { _rev?: string }
      if (!isDeepStrictEqual(there, wanted)) changed.push(_rev === undefined ? wanted : { ...wanted, _rev })
    }
    if (changed.length === 0) return
    const results = await this.#options.site.bulkDocs(changed)
    const refused = results.find(({ error }) => error !== undefined)
    if (refused)
      throw new HyperactiveError(
        'site_write_refused',
        `the site database refused ${refused.id}: ${refused.reason ?? ''}`,
      )
  }

  #index(documents: readonly SiteDocument[], mark: IndexMark): void {
    this.#options.index.apply(indexChanges(documents), mark)
  }

  /** Lists items anew under the names that editors have given to their tags and places. */
  async #takeTerms(written: readonly SiteDocument[], mark: IndexMark): Promise<void> {
    for (const document of written) {
      if (document.type !== 'item' || document.kind !== 'term') continue
      for (const { vocabulary, names } of this.terms.take(document)) {
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
      await this.#put(made, before)
      this.#index(made, mark)
    }
  }

  #finished(document: StoredDocument): SiteItem | SiteComment | undefined {
    if (document.type === 'item') return finish(document as unknown as SiteItem, this.#views)
    if (document.type !== 'comment') return undefined
    const comment = document as unknown as SiteComment
    return { ...comment, standing: this.#standingOfComment(comment.decisions, comment.at) }
  }

  #standingOfComment(decisions: SiteComment['decisions'], at: string): Standing {
    const { policy } = this.#options
    const needsReview = policy.reviews.comments && at >= policy.reviewFrom
    return standingOf(decisions, policy, { needsReview })
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

function subjectsOf(documents: readonly Envelope[]): Map<string, Subject> {
  const subjects = new Map<string, Subject>()
  const subject = (id: string, item: string): Subject => {
    const known = subjects.get(id)
    if (known) return known
    const fresh: Subject = { item, edits: [], decisions: {} }
    subjects.set(id, fresh)
    return fresh
  }
  for (const document of documents) {
    const { _id, item } = document
    const hash = hashInId(_id)
    if (isEdit(document)) subject(item, item).edits.push([hash, document])
    else if (isComment(document)) subject(commentId(item, hash), item).comment = document
    else if (isDecision(document)) {
      const { target } = document
      if (target === item) subject(item, item).decisions[hash] = knownDecision(document)
      else if (isHash(target))
        subject(commentId(item, target), item).decisions[hash] = knownDecision(document)
    }
  }
  return subjects
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
  { decisions, standing }: Pick<SiteComment, 'decisions' | 'standing'>,
): SiteComment {
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
    standing,
  }
}
