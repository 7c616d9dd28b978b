import { createHash } from 'node:crypto'
import type { Change as DatabaseChange, Database } from '../couch/database.ts'
import type { ChangesOf } from '../pages/store/changes-of.ts'
import type { ChangedRow } from '../pages/store/changed-rows.ts'
import type { Change } from '../pages/store/dependencies.ts'
import { indexChanges } from '../project/index-entries.ts'
import type { SiteDocument, SiteItem } from '../project/site-item.ts'
import { withDocumentParts, withRowParts } from '../shown.ts'
import { countName, topName } from '../search/search-index.ts'

const BATCH = 500
const POLL_MS = 25_000

/** What is remembered of a document: enough to say what its next version changes. */
interface Shadow {
  /** By view and key as it sorts: a hash of the value. */
  rows: ReadonlyMap<string, string>
  counts: readonly [vocabulary: string, name: string][]
  /** What decides about counts: as long as it is the same no count changes. */
  counted: string
}

const NOTHING: Shadow = { rows: new Map(), counts: [], counted: '' }

/** Follows the site database of a node that runs in another process, and says what changes for pages. */
export class SiteFollower {
  readonly #database: Database
  readonly #changesOf: ChangesOf
  readonly #shadows = new Map<string, Shadow>()
  #since: string | number = 0

  constructor(database: Database, changesOf: ChangesOf) {
    this.#database = database
    this.#changesOf = changesOf
  }

  /** Takes note of what is there now: changes are told from here on. */
  async open(): Promise<void> {
    this.#since = (await this.#database.info()).update_seq
    let startkey = ''
    for (;;) {
      const { rows } = await this.#database.allDocs({ startkey, limit: BATCH, include_docs: true })
      const last = rows.at(-1)
      if (!last) return
      startkey = `${last.key}\u0000`
      for (const { key, doc } of rows)
        if (doc && !key.startsWith('_')) this.#shadows.set(key, this.#shadowOf(doc))
    }
  }

  /**
   * Waits for what has changed since it was last asked; nothing after a while without changes. Beside it come the terms
   * among it, and the ids of what is none.
   */
  async next(
    signal: AbortSignal,
  ): Promise<{ change: Change; terms: SiteItem[]; others: string[] } | undefined> {
    const query = {
      since: this.#since,
      limit: BATCH,
      include_docs: true,
      feed: 'longpoll',
      timeout: POLL_MS,
    } as const
    const { results, last_seq } = await this.#database.changes(query, signal)
    this.#since = last_seq
    const changes = results.filter(({ id }) => !id.startsWith('_'))
    if (changes.length === 0) return undefined
    const rows: ChangedRow[] = []
    const names = new Set<string>()
    const [terms, others]: [SiteItem[], string[]] = [[], []]
    for (const change of changes) {
      this.#takeIn(change, rows, names)
      const item = change.doc as unknown as SiteItem | undefined
      if (item?.type === 'item' && item.kind === 'term') terms.push(item)
      else others.push(change.id)
    }
    const documents = changes.flatMap(({ id }) => withDocumentParts(id))
    return { change: { documents, rows, names: [...names] }, terms, others }
  }

  #takeIn({ id, deleted, doc }: DatabaseChange, rows: ChangedRow[], names: Set<string>): void {
    const before = this.#shadows.get(id) ?? NOTHING
    const after = doc && !deleted ? this.#shadowOf(doc) : NOTHING
    if (after === NOTHING) this.#shadows.delete(id)
    else this.#shadows.set(id, after)
    for (const place of new Set([...before.rows.keys(), ...after.rows.keys()])) {
      if (before.rows.get(place) === after.rows.get(place)) continue
      const [view, ordered] = split(place)
      rows.push(...withRowParts(view).map((part) => ({ view: part, ordered })))
    }
    if (before.counted === after.counted) return
    for (const [vocabulary, name] of [...before.counts, ...after.counts])
      names.add(countName(vocabulary, name)).add(topName(vocabulary))
  }

  #shadowOf(document: object): Shadow {
    const rows = new Map<string, string>()
    for (const { view, ordered, value } of this.#changesOf.functions.run(document)) {
      const place = `${this.#changesOf.names[view] ?? ''} ${ordered}`
      // A document may emit one key several times.
      rows.set(place, hashOf((rows.get(place) ?? '') + value))
    }
    const [entry] = indexChanges([document as SiteDocument]).put
    const counts = entry?.counts ?? []
    return { rows, counts, counted: entry ? JSON.stringify([counts, entry.at]) : '' }
  }
}

function split(place: string): [string, string] {
  const at = place.indexOf(' ')
  return [place.slice(0, at), place.slice(at + 1)]
}

function hashOf(text: string): string {
  return createHash('sha1').update(text).digest('base64').slice(0, 12)
}
