import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config, LoadedConfig } from '../config/config.ts'
import { openDataFolder } from '../config/data-folder.ts'
import { checkOwnStore, writeOwnStore } from '../config/own-store.ts'
import { connectCouch } from '../couch/client.ts'
import type { Database } from '../couch/database.ts'
import { lookAtCouch, prepareCouch } from '../couch/prepare.ts'
import type { CouchLogin } from '../couch/prepare.ts'
import { isCouchError, withoutPassword } from '../couch/request.ts'
import { HyperactiveError } from '../errors.ts'
import { HybridClock } from '../ledger/clock.ts'
import { Ledger, readIdentity } from '../ledger/ledger.ts'
import { EMBEDDED, embeddedUrl, openStoreAlone, storeName, urlWith } from '../store.ts'
import type { Store } from '../store.ts'
import { copyLedger } from './copy.ts'
import type { CopyOptions } from './copy.ts'
import type { LeftBehind } from './digest.ts'

/** Where a ledger is to go: the embedded store, or a CouchDB. */
export type Target = 'embedded' | { url: string; prefix: string }

export interface MoveReport {
  /** Both without a password. */
  from: string
  to: string
  documents: number
  tombstones: number
  /** SHA-256 over what both sides hold. */
  hash: string
  leftBehind: LeftBehind[]
  /** Where the folder of the embedded store is now, if that was left. */
  kept: string | undefined
}

/**
 * Takes a stopped node from the store that its settings name to another one. Nothing is removed from the old one; the
 * data folder changes over only when both have been read and found equal.
 *
 * @throws HyperactiveError `node_running`, `move_same_store`, `store_of_another_node`, `move_target_not_empty`, and
 *   those of {@link copyLedger} and of opening either store
 */
export async function moveStore(
  loaded: LoadedConfig,
  target: Target,
  options: CopyOptions = {},
): Promise<MoveReport> {
  const { data } = loaded.config
  const { couchdbUrl } = loaded.secrets
  if (target === 'embedded' && couchdbUrl === undefined) throw sameStore(EMBEDDED)
  const from = storeName(loaded)
  const to = target === 'embedded' ? EMBEDDED : placeName(target)
  const report = await inBothStores(loaded, target, async (source, opened) => {
    const { documents, tombstones, hash, leftBehind } = await copyLedger(
      source.ledger.database,
      opened.database,
      options,
    )
    await writeOwnStore(data, { ledger: opened.identity, at: to })
    return { from, to, documents, tombstones, hash, leftBehind }
  })
  return { ...report, kept: couchdbUrl === undefined ? await setAside(data, 'moved') : undefined }
}

/** A CouchDB with its prefix, as messages name it. */
function placeName({ url, prefix }: { url: string; prefix: string }): string {
  return withoutPassword(url) + prefix
}

/** Renames the folder of the embedded store, which nobody uses any more, and gives its new path. */
export async function setAside(data: string, why: 'moved' | 'broken'): Promise<string> {
  await using folder = await openDataFolder(data)
  const kept = join(folder.path, `store.${why}-${new Date().toISOString().replaceAll(/[:.]/g, '-')}`)
  await rename(join(folder.path, 'store'), kept)
  return kept
}

async function inBothStores<Result>(
  loaded: LoadedConfig,
  target: Target,
  work: (source: Store, target: { database: Database; identity: string }) => Promise<Result>,
): Promise<Result> {
  await using stack = new AsyncDisposableStack()
  const source = stack.use(await openStoreAlone(loaded))
  const database =
    target === 'embedded'
      ? await openFolder(stack, join(loaded.config.data, 'store'), source)
      : await openCouchdb(stack, target, source, loaded.config)
  const { uuid } = await new Ledger(database, source.key, new HybridClock()).identity()
  return await work(source, { database, identity: uuid })
}

/** The ledger of an embedded store on a folder; it may be the half-made one of an earlier run. */
export async function openFolder(
  stack: AsyncDisposableStack,
  folder: string,
  { key }: Pick<Store, 'key'>,
): Promise<Database> {
  const couch = stack.use(connectCouch(await embeddedUrl(stack, folder)))
  const database = await couch.ensureDatabase('ledger')
  await checkFree(database, folder, key.publicKey)
  return database
}

async function openCouchdb(
  stack: AsyncDisposableStack,
  { url, prefix }: { url: string; prefix: string },
  source: Store,
  { media }: Pick<Config, 'media'>,
): Promise<Database> {
  const couch = stack.use(connectCouch(url, { prefix }))
  const roles = await lookAtCouch(couch, url, '--to')
  const database = couch.database('ledger')
  const where = placeName({ url, prefix })
  const found = await checkFree(database, where, source.key.publicKey)
  if (found !== undefined && found === (await source.ledger.identity()).uuid) throw sameStore(where)
  const connect = (login: CouchLogin) => connectCouch(urlWith(url, login), { prefix })
  const hasFiles = media.store.kind === 'couchdb'
  await prepareCouch(couch, { url, roles, key: source.key, hasFiles, connect })
  return database
}

/** Makes sure that a database is this node's or nobody's, before anything is changed there, and gives its identity. */
async function checkFree(database: Database, at: string, key: string): Promise<string | undefined> {
  const found = await readIdentity(database)
  checkOwnStore(undefined, found, { at, key })
  if (found) return found.uuid
  const { doc_count } = await database.info().catch((error: unknown) => {
    if (isCouchError(error, 404)) return { doc_count: 0 }
    throw error
  })
  if (doc_count > 0) {
    const { rows } = await database.allDocs({ startkey: '_design/', endkey: '_design0' })
    if (doc_count > rows.length) {
      const text = `the database ${database.name} at ${at} holds documents already, and no ledger of this node; give another --prefix`
      throw new HyperactiveError('move_target_not_empty', text, { status: 409 })
    }
  }
  return undefined
}

function sameStore(at: string): HyperactiveError {
  const text = `the node's ledger is at ${at} already; --to names where it is to go`
  return new HyperactiveError('move_same_store', text, { status: 409 })
}
