import { randomBytes } from 'node:crypto'
import type { Database, StoredDocument } from '../../couch/database.ts'
import { HyperactiveError } from '../../errors.ts'
import type { HybridClock } from '../../ledger/clock.ts'
import type { Filter, FilterInput } from './filter.ts'

export const MOST_FILTERS = 200
const LAST = '\ufff0'

/** The filters of this node. They stay on it. */
export class Filters {
  readonly #database: Database
  readonly #clock: Pick<HybridClock, 'now'>

  constructor(database: Database, clock: Pick<HybridClock, 'now'>) {
    this.#database = database
    this.#clock = clock
  }

  /** All of them, by name. */
  async all(): Promise<Filter[]> {
    const { rows } = await this.#database.allDocs({
      startkey: 'filter:',
      endkey: `filter:${LAST}`,
      limit: MOST_FILTERS,
      include_docs: true,
    })
    const filters = rows.flatMap(({ doc }) => (doc ? [readFilter(doc)] : []))
    return filters.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
  }

  async get(id: string): Promise<Filter | undefined> {
    const document = await this.#document(id)
    return document && readFilter(document)
  }

  /**
   * Keeps a filter, a new one unless `id` is given; it acts on what is published or changed from now on.
   *
   * @throws HyperactiveError `too_many_filters` (422), `unknown_filter` (404)
   */
  async save(input: FilterInput, id?: string): Promise<Filter> {
    const before = id === undefined ? undefined : await this.#known(id)
    if (!before && (await this.all()).length >= MOST_FILTERS)
      throw new HyperactiveError('too_many_filters', `there are ${MOST_FILTERS} filters already`, {
        status: 422,
      })
    const _id = before?._id ?? `filter:${randomBytes(8).toString('hex')}`
    const document = {
      _id,
      ...(before ? { _rev: before._rev } : {}),
      type: 'filter',
      ...input,
      off: before?.off === true,
      from: this.#clock.now(),
    }
    const { rev } = await this.#database.put(document)
    return readFilter({ ...document, _rev: rev })
  }

  /** Switches a filter off or on; switched on, it acts on what comes from then on. */
  async switch(id: string, off: boolean): Promise<void> {
    const before = await this.#known(id)
    await this.#database.put({
      ...before,
      off,
      ...(off ? {} : { from: this.#clock.now() }),
    } as StoredDocument)
  }

  async delete(id: string): Promise<void> {
    const { _id, _rev } = await this.#known(id)
    await this.#database.delete(_id, _rev)
  }

  async #known(id: string): Promise<StoredDocument> {
    const document = await this.#document(id)
    if (document) return document
    throw new HyperactiveError('unknown_filter', `there is no filter ${id.slice(0, 40)}`, { status: 404 })
  }

  async #document(id: string): Promise<StoredDocument | undefined> {
    if (!/^[0-9a-f]{16}$/.test(id)) return undefined
    const document = await this.#database.get(`filter:${id}`)
    return document?.type === 'filter' ? document : undefined
  }
}

function readFilter(document: StoredDocument): Filter {
  const { _id, name, way, pattern, parts, kinds, deed, category, tag, off, from } =
    document as unknown as Filter & { _id: string }
  return {
    id: _id.slice('filter:'.length),
    name,
    way,
    pattern,
    parts,
    kinds,
    deed,
    ...(category === undefined ? {} : { category }),
    ...(tag === undefined ? {} : { tag }),
    off,
    from,
  }
}
