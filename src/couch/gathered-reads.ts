import type { Database, RangeQuery, StoredDocument, ViewRow } from './database.ts'
import { isCouchError } from './request.ts'

/** What one request asks for at most. */
const MOST_AT_ONCE = 100
/** Whoever wants more rows waits for them alone. */
const MOST_ROWS = 250

interface Asked<Wanted, Answer> {
  wanted: Wanted
  answer: PromiseWithResolvers<Answer>
}

type AskedRows = Asked<RangeQuery, readonly ViewRow<unknown>[]>
type AskedDocument = Asked<string, StoredDocument | undefined>

/**
 * Reads a database with few requests: what is asked for in one turn of the event loop is asked for together, and what is
 * asked for twice once. Answers are shared, so nobody may change what they are given.
 */
export class GatheredReads {
  readonly #database: Database
  readonly #mostRemembered: number
  readonly #documents = new Map<string, AskedDocument>()
  /** By design document and view, then by query. */
  readonly #rows = new Map<string, Map<string, AskedRows>>()
  /** Answers by design document, view and query; the last one is the one that was asked for last. */
  #remembered = new Map<string, Promise<readonly ViewRow<unknown>[]>>()
  #isDue = false

  /** @param mostRemembered for how many queries of views the rows are kept, until {@link forget} */
  constructor(database: Database, mostRemembered = 0) {
    this.#database = database
    this.#mostRemembered = mostRemembered
  }

  /** To be called when something has changed: what is asked from now on is not answered with what was read before. */
  forget(): void {
    this.#remembered = new Map()
  }

  /** A document by id, or undefined when there is none or it was deleted. */
  get(id: string): Promise<StoredDocument | undefined> {
    const asked = this.#documents.get(id) ?? { wanted: id, answer: Promise.withResolvers() }
    this.#documents.set(id, asked)
    this.#soon()
    return asked.answer.promise
  }

  /** Documents by their ids, in their order. */
  several(ids: readonly string[]): Promise<(StoredDocument | undefined)[]> {
    return Promise.all(ids.map((id) => this.get(id)))
  }

  /** Rows of a view. */
  rows<Value>(design: string, view: string, query: RangeQuery): Promise<readonly ViewRow<Value>[]> {
    const { limit = Infinity, include_docs: withDocuments = false, keys } = query
    if (limit > MOST_ROWS || withDocuments || keys) return this.#alone<Value>(design, view, query)
    const of = `${design}/${view}`
    const text = JSON.stringify(query)
    const known = this.#remembered.get(`${of} ${text}`)
    if (known) {
      this.#remember(`${of} ${text}`, known)
      return known as Promise<readonly ViewRow<Value>[]>
    }
    const queries = this.#rows.get(of) ?? new Map<string, AskedRows>()
    this.#rows.set(of, queries)
    const asked = queries.get(text) ?? { wanted: query, answer: Promise.withResolvers() }
    queries.set(text, asked)
    const { promise } = asked.answer
    this.#remember(`${of} ${text}`, promise)
    this.#soon()
    return promise as Promise<readonly ViewRow<Value>[]>
  }

  async #alone<Value>(design: string, view: string, query: RangeQuery): Promise<ViewRow<Value>[]> {
    return (await this.#database.view<Value>(design, view, query)).rows
  }

  #remember(key: string, answer: Promise<readonly ViewRow<unknown>[]>): void {
    if (this.#mostRemembered === 0) return
    const remembered = this.#remembered
    if (!remembered.delete(key)) {
      // What failed is asked for again.
      answer.catch(() => remembered.delete(key))
      const [oldest] = remembered.keys()
      if (oldest !== undefined && remembered.size >= this.#mostRemembered) remembered.delete(oldest)
    }
    remembered.set(key, answer)
  }

  #soon(): void {
    if (this.#isDue) return
    this.#isDue = true
    setImmediate(() => this.#ask())
  }

  #ask(): void {
    this.#isDue = false
    const documents = [...this.#documents.values()]
    this.#documents.clear()
    for (const some of inParts(documents)) {
      void answer(some, {
        one: (id) => this.#database.get(id),
        all: (ids) => this.#documentsOf(ids),
      })
    }
    const rows = [...this.#rows]
    this.#rows.clear()
    for (const [of, queries] of rows) {
      const [design = '', view = ''] = of.split('/')
      for (const some of inParts([...queries.values()])) {
        void answer(some, {
          one: (query) => this.#alone<unknown>(design, view, query),
          all: (all) => this.#database.viewQueries<unknown>(design, view, all),
        })
      }
    }
  }

  async #documentsOf(ids: string[]): Promise<(StoredDocument | undefined)[]> {
    const { rows } = await this.#database.allDocs({ keys: ids, include_docs: true })
    return rows.map(({ doc }) => doc ?? undefined)
  }
}

/** Answers all who asked. Where one has asked for what cannot be answered each is asked alone. */
async function answer<Wanted, Answer>(
  asked: readonly Asked<Wanted, Answer>[],
  { one, all }: { one: (wanted: Wanted) => Promise<Answer>; all: (wanted: Wanted[]) => Promise<Answer[]> },
): Promise<void> {
  const [only] = asked
  if (asked.length === 1 && only) {
    await one(only.wanted).then(only.answer.resolve, only.answer.reject)
    return
  }
  try {
    const answers = await all(asked.map(({ wanted }) => wanted))
    if (answers.length === asked.length) {
      for (const [index, { answer: given }] of asked.entries()) given.resolve(answers[index] as Answer)
      return
    }
  } catch (error) {
    if (!isCouchError(error, 400)) {
      for (const { answer: given } of asked) given.reject(error)
      return
    }
  }
  await Promise.all(asked.map((each) => answer([each], { one, all })))
}

function inParts<Item>(items: readonly Item[]): Item[][] {
  const parts: Item[][] = []
  for (let from = 0; from < items.length; from += MOST_AT_ONCE)
    parts.push(items.slice(from, from + MOST_AT_ONCE))
  return parts
}
