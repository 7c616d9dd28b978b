import type { DatabaseSync } from 'node:sqlite'
import type { Keeper } from './rank.ts'
import { Sql, toBytes, toText } from './sql.ts'
import type { Row } from './sql.ts'
import { MOST_CHANGES } from './statement.ts'
import type { Sign, Statement } from './statement.ts'

/** Where a node's log stands: its epoch, the number of its last statement, and its last sign of life. */
export type Place = readonly [node: string, epoch: number, number: number, signAt: string]

/** What comes of a statement. `gap`: others are missing before it. `full`: there is no room for it. */
export type Taken = 'taken' | 'known' | 'gap' | 'full'

/** What one node has said. */
interface NodeRow {
  id: number
  node: string
  epoch: number
  number: number
  parts: number
  digests: number
  at: string
  signAt: string
  keeper: Keeper
}

/** Digests that a node may name though this node knows of no such files (yet). */
const ROOM = 10_000
/** Where a node has this much more in its log than it holds, it begins a new one. */
const LEAST_TO_FORGET = 2000

/**
 * Which nodes say that they hold which files: the log of each, as it came, and what follows from it. While the list at the
 * beginning of a new epoch is not complete, what was said before still holds.
 */
export class Holdings {
  readonly #sql: Sql

  constructor(database: DatabaseSync) {
    this.#sql = new Sql(database)
  }

  /** Where the logs stand, of the nodes that are asked for. */
  places(of: (node: string) => boolean): Place[] {
    return this.#nodes()
      .filter(({ node }) => of(node))
      .map(({ node, epoch, number, signAt }) => [node, epoch, number, signAt])
  }

  place(node: string): Place | undefined {
    const row = this.#node(node)
    return row && [node, row.epoch, row.number, row.signAt]
  }

  /** Nodes that have given a sign of life since a hybrid time. */
  keepers(since: string): Keeper[] {
    return this.#nodes()
      .filter(({ at, signAt }) => at >= since || signAt >= since)
      .map(({ keeper }) => keeper)
  }

  /** The keys of all who say that they hold a file. */
  holders(sha256: string): string[] {
    const sql = `SELECT DISTINCT node FROM holdings JOIN nodes USING (id) WHERE sha256 = ?`
    return this.#sql.all(sql, toBytes(sha256)).map(({ node }) => String(node))
  }

  holds(node: string, sha256: string): boolean {
    const sql = `SELECT 1 FROM holdings JOIN nodes USING (id) WHERE sha256 = ? AND node = ?`
    return this.#sql.get(sql, toBytes(sha256), node) !== undefined
  }

  /** What a node says that it holds, in the order of the digests, after one. */
  heldBy(node: string, after: string, limit: number): string[] {
    const sql = `SELECT DISTINCT sha256 FROM holdings JOIN nodes USING (id)
      WHERE node = ? AND sha256 > ? ORDER BY sha256 LIMIT ?`
    return this.#sql.all(sql, node, toBytes(after), limit).map(({ sha256 }) => toText(sha256))
  }

  /** How many files a node says that it holds. */
  count(node: string): number {
    const sql = `SELECT count(*) AS count FROM holdings JOIN nodes USING (id) WHERE node = ?`
    return Number(this.#sql.get(sql, node)?.count)
  }

  /** Whether a node's log is so much longer than what follows from it that it is to begin a new one. */
  isLong(node: string): boolean {
    const row = this.#node(node)
    if (!row) return false
    if (row.number + 1 - row.parts >= MOST_CHANGES - 1) return true
    return row.digests > LEAST_TO_FORGET && row.digests > 4 * this.count(node)
  }

  /**
   * Takes a statement that was checked.
   *
   * @param known how many files there are that it can be about: a node that names many more has no room
   */
  take(statement: Statement, known: number): Taken {
    const { node, epoch, number, added, gone, parts } = statement
    const row = this.#node(node)
    if (row && (epoch < row.epoch || (epoch === row.epoch && number <= row.number))) return 'known'
    const isNext = row?.epoch === epoch ? number === row.number + 1 : number === 0
    if (!isNext) return 'gap'
    const digests = (number === 0 ? 0 : (row?.digests ?? 0)) + added.length + gone.length
    if (digests > 4 * known + ROOM) return 'full'
    this.#sql.transaction(() => {
      const id = number === 0 ? this.#begin(row, statement) : (row?.id ?? 0)
      const all = number === 0 ? (parts ?? 1) : (row?.parts ?? 1)
      for (const sha256 of gone)
        this.#sql.run(
          'DELETE FROM holdings WHERE sha256 = ? AND id = ? AND epoch = ?',
          toBytes(sha256),
          id,
          epoch,
        )
      for (const sha256 of added)
        this.#sql.run('INSERT OR IGNORE INTO holdings VALUES (?, ?, ?)', toBytes(sha256), id, epoch)
      if (number === all - 1) this.#sql.run('DELETE FROM holdings WHERE id = ? AND epoch <> ?', id, epoch)
      this.#sql.run(
        'INSERT OR REPLACE INTO statements VALUES (?, ?, ?)',
        id,
        number,
        JSON.stringify(statement),
      )
      const { at, jurisdiction = null, keepsAll } = statement
      const sql = `UPDATE nodes SET epoch = ?, number = ?, parts = ?, digests = ?, at = ?, jurisdiction = ?,
        keepsAll = ? WHERE id = ?`
      this.#sql.run(sql, epoch, number, all, digests, at, jurisdiction, keepsAll ? 1 : 0, id)
    })
    return 'taken'
  }

  /** Takes a sign of life that was checked; gives whether it is a newer one. */
  takeSign(sign: Sign): boolean {
    const { node, at, jurisdiction = null, keepsAll } = sign
    const row = this.#node(node)
    // Who has never said anything else holds nothing yet.
    if (row && at <= row.signAt) return false
    const id = row?.id ?? this.#add(node)
    const sql = `UPDATE nodes SET sign = ?, signAt = ?, jurisdiction = ?, keepsAll = ? WHERE id = ?`
    this.#sql.run(sql, JSON.stringify(sign), at, jurisdiction, keepsAll ? 1 : 0, id)
    return true
  }

  /** Forgets all that a node has said. */
  forget(node: string): void {
    const row = this.#node(node)
    if (!row) return
    this.#sql.transaction(() => {
      for (const table of ['holdings', 'statements', 'nodes'])
        this.#sql.run(`DELETE FROM ${table} WHERE id = ?`, row.id)
    })
  }

  /**
   * What somebody lacks whose logs stand at these places.
   *
   * @param of whose logs are passed on
   * @param mostBytes of text, approximately
   */
  after(
    places: readonly Place[],
    of: (node: string) => boolean,
    mostBytes: number,
  ): { statements: Statement[]; signs: Sign[] } {
    const known = new Map(places.map((place) => [place[0], place]))
    const statements: Statement[] = []
    const signs: Sign[] = []
    let bytes = 0
    for (const { id, node, epoch, number, signAt } of this.#nodes()) {
      if (!of(node)) continue
      const [, knownEpoch = -1, knownNumber = -1, knownSign = ''] = known.get(node) ?? []
      if (signAt > knownSign) signs.push(this.#signOf(id))
      if (epoch < knownEpoch) continue
      const from = epoch === knownEpoch ? knownNumber + 1 : 0
      for (let next = from; next <= number && bytes < mostBytes; next += 1) {
        const text = this.#sql.get('SELECT text FROM statements WHERE id = ? AND number = ?', id, next)?.text
        if (typeof text !== 'string') break
        bytes += text.length
        statements.push(JSON.parse(text) as Statement)
      }
    }
    return { statements, signs }
  }

  /** A new epoch begins: a list that was not complete is dropped, what was before it stays until the new one is. */
  #begin(row: NodeRow | undefined, { node }: Statement): number {
    if (!row) return this.#add(node)
    if (row.number + 1 < row.parts)
      this.#sql.run('DELETE FROM holdings WHERE id = ? AND epoch = ?', row.id, row.epoch)
    this.#sql.run('DELETE FROM statements WHERE id = ?', row.id)
    return row.id
  }

  #add(node: string): number {
    this.#sql.run(
      `INSERT INTO nodes (node, epoch, number, parts, digests, at, keepsAll, sign, signAt)
       VALUES (?, -1, -1, 0, 0, '', 0, '', '')`,
      node,
    )
    return Number(this.#sql.get('SELECT id FROM nodes WHERE node = ?', node)?.id)
  }

  #signOf(id: number): Sign {
    return JSON.parse(String(this.#sql.get('SELECT sign FROM nodes WHERE id = ?', id)?.sign)) as Sign
  }

  #node(node: string): NodeRow | undefined {
    const row = this.#sql.get('SELECT * FROM nodes WHERE node = ?', node)
    return row && nodeRow(row)
  }

  #nodes(): NodeRow[] {
    return this.#sql.all('SELECT * FROM nodes ORDER BY id').map(nodeRow)
  }
}

function nodeRow(row: Row): NodeRow {
  const jurisdiction = (row.jurisdiction as string | null) ?? undefined
  return {
    id: Number(row.id),
    node: String(row.node),
    epoch: Number(row.epoch),
    number: Number(row.number),
    parts: Number(row.parts),
    digests: Number(row.digests),
    at: String(row.at),
    signAt: String(row.signAt),
    keeper: { key: String(row.node), jurisdiction, keepsAll: row.keepsAll === 1 },
  }
}
