import { existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { Files } from './files.ts'
import type { Lacking } from './files.ts'
import { holdingsFile } from './schema.ts'

/** How long a command waits for the node that writes. */
const BUSY_MS = 5000

/** Files that too few nodes have, as the node of a data folder noted it last; in the order of their digests, after one. */
export function readLacking(data: string, limit: number, after?: string): Lacking[] {
  const file = holdingsFile(data)
  if (!existsSync(file)) return []
  const database = new DatabaseSync(file, { readOnly: true, timeout: BUSY_MS })
  try {
    return new Files(database).lacking(limit, after)
  } finally {
    database.close()
  }
}
