import { createHash } from 'node:crypto'
import { rm } from 'node:fs/promises'
import type { PouchDatabase } from 'pouchdb-node'
import { messageOf } from '../../errors.ts'
import { logger } from '../../log.ts'
import { CouchAnswer } from './answers.ts'
import { indexesOf, indexPath } from './folder.ts'
import type { MapView } from './map-functions.ts'
import { OwnLevel, UnusableLevel } from './own-level.ts'
import { readWinners } from './stored-documents.ts'
import { ViewIndex } from './view-index.ts'
import type { IndexedDatabase } from './view-index.ts'

const log = logger('store')
const MOST_DESIGNS = 100
const MOST_ATTEMPTS = 3

/** The views of one design document. */
export interface Design {
  readonly name: string
  /** Names the index: another set of map functions is another index. */
  readonly signature: string
  /** Those without a reduce function. */
  readonly mapViews: readonly MapView[]
  readonly reduceViews: ReadonlySet<string>
}

/** The indexes of one database's design documents. */
export class ViewIndexes {
  readonly #pouch: PouchDatabase
  readonly #database: IndexedDatabase
  readonly #logName: string
  readonly #designs = new Map<string, Design>()
  /** By signature. */
  readonly #open = new Map<string, { design: Design; index: ViewIndex }>()
  /** Indexes are opened, thrown away and closed one at a time. */
  #turn: Promise<unknown> = Promise.resolve()
  #closed = false

  private constructor(pouch: PouchDatabase, database: IndexedDatabase, logName: string) {
    this.#pouch = pouch
    this.#database = database
    this.#logName = logName
  }

  /**
   * To be called before anything is written: an index that is ahead of its database is recognised now or never.
   *
   * @param writes counts the writes that have finished
   */
  static async open(pouch: PouchDatabase, logName: string, writes: () => number): Promise<ViewIndexes> {
    const database = {
      path: pouch.name,
      id: await pouch.id(),
      newestAtStart: Number((await pouch.info()).update_seq),
      writes,
    }
    const indexes = new ViewIndexes(pouch, database, logName)
    try {
      for (const design of await indexes.#removeOthers()) await indexes.#openOne(design)
    } catch (error) {
      log.warn('the views of a database could not be opened; each is tried again when it is asked for', {
        database: logName,
        reason: messageOf(error),
      })
    }
    return indexes
  }

  /** @throws CouchAnswer 404 */
  async design(name: string): Promise<Design> {
    const known = this.#designs.get(name)
    if (known) return known
    const atWrites = this.#database.writes()
    const id = `_design/${name}`
    const [winner] = await readWinners(this.#pouch.name, [id], true)
    if (!winner || winner.deleted) {
      throw new CouchAnswer(404, 'not_found', winner ? 'deleted' : 'missing')
    }
    const design = readDesign(name, winner.body ?? (await this.#pouch.get(id)))
    if (this.#designs.size >= MOST_DESIGNS) this.#designs.clear()
    if (atWrites === this.#database.writes()) this.#designs.set(name, design)
    return design
  }

  /** To be called when a design document may have changed. */
  forgetDesigns(): void {
    this.#designs.clear()
  }

  /** Does something with a design document's index; it is made anew, and the work done again, if it proves damaged. */
  async use<Result>(design: Design, work: (index: ViewIndex) => Promise<Result>): Promise<Result> {
    for (let attempt = 1; ; attempt += 1) {
      const open = this.#open.get(design.signature)
      const index = open?.index ?? (await this.#inTurn(() => this.#openOne(design)))
      try {
        return await work(index)
      } catch (error) {
        if (!(error instanceof UnusableLevel) || this.#closed || attempt === MOST_ATTEMPTS) throw error
        if (error.isDamaged) await this.#throwAway(design, index, error)
      }
    }
  }

  /** Removes the files of indexes that no design document has any more. */
  async cleanUp(): Promise<void> {
    await this.#inTurn(() => this.#removeOthers())
  }

  /** Takes what documents that are gone had emitted off the disk. */
  async compact(): Promise<void> {
    // Those that are opened again are not to come twice.
    const open = [...this.#open.values()]
    for (const { design, index } of open) {
      try {
        await index.compact()
        await this.#inTurn(() => this.#reopen(design, index))
      } catch (error) {
        // One that was removed meanwhile holds nothing any more.
        if (!(error instanceof UnusableLevel) || error.isDamaged) throw error
      }
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#inTurn(async () => {
      await Promise.allSettled([...this.#open.values()].map(({ index }) => index.close()))
    })
  }

  /** Closes all indexes and removes their files. */
  async destroy(): Promise<void> {
    await this.close()
    await this.#remove(await indexesOf(this.#pouch.name))
  }

  async #openOne(design: Design): Promise<ViewIndex> {
    const { name, signature, mapViews } = design
    if (this.#closed) throw new UnusableLevel('the database is closed', false)
    const there = this.#open.get(signature)?.index
    if (there) return there
    const told = new Set<number>()
    // The message might hold what is in the document.
    const onThrow = (view: number, error: unknown) => {
      if (told.has(view)) return
      told.add(view)
      const facts = { database: this.#logName, view: `${name}/${mapViews[view]?.name ?? ''}` }
      log.warn('a map function threw; the document has no rows in its view', {
        ...facts,
        error: nameOf(error),
      })
    }
    const location = indexPath(this.#pouch.name, signature)
    const index = await ViewIndex.open(this.#database, location, mapViews, onThrow)
    this.#open.set(signature, { design, index })
    return index
  }

  /** LevelDB notes down which keys its files begin and end with, and keeps these notes until it is opened again. */
  async #reopen(design: Design, index: ViewIndex): Promise<void> {
    if (this.#open.get(design.signature)?.index !== index) return
    this.#open.delete(design.signature)
    await index.close()
    await OwnLevel.removeLogs(indexPath(this.#pouch.name, design.signature))
    await this.#openOne(design)
  }

  async #throwAway({ signature }: Design, index: ViewIndex, reason: Error): Promise<void> {
    await this.#inTurn(async () => {
      if (this.#open.get(signature)?.index !== index) return
      log.warn('the index of views is damaged; it is built anew', {
        database: this.#logName,
        reason: reason.message,
      })
      this.#open.delete(signature)
      await index.destroy()
    })
  }

  /** Removes indexes without a design document; gives the design documents that have one. */
  async #removeOthers(): Promise<Design[]> {
    // Looked for first: what is made meanwhile has a design document.
    const there = new Set(await indexesOf(this.#pouch.name))
    const { rows } = await this.#pouch.allDocs({
      startkey: '_design/',
      endkey: '_design/\uffff',
      include_docs: true,
    })
    const designs = rows
      .map(({ key, doc }) => readDesign(key.slice('_design/'.length), doc ?? {}))
      .filter(({ signature }) => there.has(signature))
    for (const { signature } of designs) there.delete(signature)
    await this.#remove([...there])
    return designs
  }

  async #remove(signatures: string[]): Promise<void> {
    for (const signature of signatures) {
      await this.#open.get(signature)?.index.destroy()
      this.#open.delete(signature)
      await rm(indexPath(this.#pouch.name, signature), { recursive: true, force: true })
    }
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#turn.then(work)
    this.#turn = result.catch(() => {})
    return result
  }
}

function readDesign(name: string, document: object): Design {
  const { views } = document as { views?: Record<string, { map?: unknown; reduce?: unknown }> | null }
  const mapViews: MapView[] = []
  const reduceViews = new Set<string>()
  for (const [view, definition] of Object.entries(views ?? {})) {
    const { map, reduce } = definition ?? {}
    if (typeof map !== 'string') continue
    if (reduce === undefined) mapViews.push({ name: view, map })
    else reduceViews.add(view)
  }
  const maps = JSON.stringify(mapViews.map((view) => [view.name, view.map]))
  const signature = createHash('sha256').update(maps).digest('hex').slice(0, 32)
  return { name, signature, mapViews, reduceViews }
}

function nameOf(error: unknown): string {
  const name: unknown = (error as { name?: unknown } | null)?.name
  return typeof name === 'string' && /^[A-Za-z]{1,40}$/.test(name) ? name : 'unknown'
}
