import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'

export type Row = Record<string, unknown>

/** Statements of a database, each prepared once. */
export class Sql {
  readonly database: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()

  constructor(database: DatabaseSync) {
    this.database = database
  }

  get(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#prepare(sql).get(...values)
  }

  all(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#prepare(sql).all(...values)
  }

  /** @returns how many rows have changed */
  run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#prepare(sql).run(...values).changes)
  }

  /** All of it or nothing. */
  transaction<Result>(act: () => Result): Result {
    this.database.exec('BEGIN IMMEDIATE')
    try {
      const result = act()
      this.database.exec('COMMIT')
      return result
    } catch (error) {
      this.database.exec('ROLLBACK')
      throw error
    }
  }

  meta(name: string): string | undefined {
    const value = this.get('SELECT value FROM meta WHERE name = ?', name)?.value
    return value as string | undefined
  }

  setMeta(name: string, value: string): void {
    this.run('INSERT OR REPLACE INTO meta VALUES (?, ?)', name, value)
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (!statement) {
      statement = this.database.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }
}

/** A digest as it is kept: half as long as its text. */
export function toBytes(sha256: string): Uint8Array {
  return new Uint8Array(Buffer.from(sha256, 'hex'))
}

export function toText(bytes: unknown): string {
  return Buffer.from(bytes as Uint8Array).toString('hex')
}
