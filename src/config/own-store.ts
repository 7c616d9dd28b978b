import { access, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { HyperactiveError } from '../errors.ts'

/** The store that a data folder belongs to, as it is kept there in `store.json`. */
export interface OwnStore {
  /** The identity of its ledger database. */
  ledger: string
  /** Where it was when it was last used, for messages; without a password. */
  at: string
  /** The identity of the ledger that is about to take its place, while the two are swapped. */
  next?: string
}

/** The folder, beside `store`, in which the embedded store is written anew. */
export const RENEWED = 'store.repaired'

/** The store that the data folder belongs to, or undefined before the first start. */
export async function readOwnStore(dataFolder: string): Promise<OwnStore | undefined> {
  try {
    return JSON.parse(await readFile(join(dataFolder, 'store.json'), 'utf8')) as OwnStore
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

export async function writeOwnStore(dataFolder: string, store: OwnStore): Promise<void> {
  const file = join(dataFolder, 'store.json')
  await writeFile(`${file}.new`, `${JSON.stringify(store)}\n`)
  await rename(`${file}.new`, file)
}

/** Puts a store that was written anew in the place of the old one, when that has been renamed already. */
export async function finishSwap(dataFolder: string): Promise<void> {
  if ((await readOwnStore(dataFolder))?.next === undefined) return
  const [renewed, store] = [join(dataFolder, RENEWED), join(dataFolder, 'store')]
  if (!(await exists(store)) && (await exists(renewed))) await rename(renewed, store)
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

/**
 * A data folder and a ledger belong together: the folder holds the key that signed it. Without this check a node whose
 * `COUCHDB_URL` was forgotten or mistyped would start on an empty store and publish there.
 *
 * @param found the ledger's identity, or undefined when it is new
 * @param key this node's public key
 * @throws HyperactiveError `store_elsewhere` or `store_of_another_node`
 */
export function checkOwnStore(
  own: OwnStore | undefined,
  found: { uuid: string; node?: string } | undefined,
  { at, key }: { at: string; key: string },
): void {
  const isOwn = found !== undefined && (found.uuid === own?.ledger || found.uuid === own?.next)
  if (own && !isOwn) {
    const text = `this node's ledger is at ${own.at}, not at ${at}; set COUCHDB_URL to it (or take it away), or move it with \`hyperactive store move\`; if it is lost for good, remove store.json from the data folder`
    throw new HyperactiveError('store_elsewhere', text, { status: 409 })
  }
  if (!own && found?.node !== undefined && found.node !== key) {
    const text = `the ledger at ${at} belongs to another node; give this one a database prefix (couchdb.prefix) or another CouchDB`
    throw new HyperactiveError('store_of_another_node', text, { status: 409 })
  }
}
