import { join } from 'node:path'
import type { LoadedConfig } from './config/config.ts'
import { checkOwnStore, finishSwap, readOwnStore, writeOwnStore } from './config/own-store.ts'
import { findRunningNode, openDataFolder } from './config/data-folder.ts'
import type { DataFolder } from './config/data-folder.ts'
import { connectCouch } from './couch/client.ts'
import type { Couch } from './couch/client.ts'
import { lookAtCouch, prepareCouch } from './couch/prepare.ts'
import type { CouchLogin } from './couch/prepare.ts'
import { startEmbeddedStore } from './couch/embedded/start.ts'
import { withoutPassword } from './couch/request.ts'
import { HyperactiveError } from './errors.ts'
import { HybridClock } from './ledger/clock.ts'
import { loadNodeKey } from './ledger/keys.ts'
import type { SigningKey } from './ledger/keys.ts'
import { Ledger, readIdentity } from './ledger/ledger.ts'

/** What messages call the store that a node starts itself. */
export const EMBEDDED = 'the embedded store'

/** The store of a node, open: its data folder (when this process holds it), its key, its CouchDB and its ledger. */
export interface Store extends AsyncDisposable {
  /** Undefined when another process, the running node, holds the folder. */
  readonly folder: DataFolder | undefined
  readonly key: SigningKey
  readonly couch: Couch
  /** With credentials: for nobody but the running node's announcement. */
  readonly couchUrl: string
  /** What the names of the databases there begin with. */
  readonly prefix: string
  readonly ledger: Ledger
}

/** The store that the settings name, as messages name it: without a password. */
export function storeName({ config, secrets }: LoadedConfig): string {
  const { couchdbUrl } = secrets
  return couchdbUrl === undefined ? EMBEDDED : withoutPassword(couchdbUrl) + config.couchdb.prefix
}

/** Takes the data folder and opens the store: the CouchDB that the settings name, or the node's own. */
export async function openStore({ config, secrets }: LoadedConfig): Promise<Store> {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await openDataFolder(config.data))
  const key = await loadNodeKey(join(config.data, 'node.key'))
  const { couchdbUrl } = secrets
  const prefix = couchdbUrl === undefined ? '' : config.couchdb.prefix
  if (couchdbUrl === undefined) await finishSwap(config.data)
  const couchUrl = couchdbUrl ?? (await embeddedUrl(stack, join(config.data, 'store')))
  const at = storeName({ config, secrets })
  const couch = stack.use(connectCouch(couchUrl, { prefix }))
  const roles = couchdbUrl === undefined ? [] : await lookAtCouch(couch, couchdbUrl)

  const own = await readOwnStore(config.data)
  checkOwnStore(own, await readIdentity(couch.database('ledger')), { at, key: key.publicKey })
  let worker = couch
  if (couchdbUrl !== undefined) {
    const connect = (login: CouchLogin) => connectCouch(urlWith(couchdbUrl, login), { prefix })
    const hasFiles = config.media.store.kind === 'couchdb'
    const login = await prepareCouch(couch, { url: couchdbUrl, roles, key, hasFiles, connect })
    // The ledger is read and written with no more rights than that takes.
    if (login) worker = stack.use(connect(login))
  }
  const isMirror = config.mirror !== undefined
  const ledger = new Ledger(await worker.ensureDatabase('ledger'), key, new HybridClock(), { isMirror })
  if (!own || own.next !== undefined)
    await writeOwnStore(config.data, { ledger: (await ledger.identity()).uuid, at })
  const opened = stack.move()
  return { folder, key, couch, couchUrl, prefix, ledger, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}

/** Starts the embedded store on a folder, until the stack is disposed; its address has credentials. */
export async function embeddedUrl(stack: AsyncDisposableStack, folder: string): Promise<string> {
  const embedded = stack.use(await startEmbeddedStore({ folder }))
  return urlWith(embedded.url, embedded)
}

export function urlWith(address: string, { username, password }: CouchLogin): string {
  const url = new URL(address)
  url.username = username
  url.password = password
  return url.href
}

/**
 * The store for a command: the running node's when there is one, so that commands work beside it; otherwise the
 * folder's own, for as long as the command runs.
 */
export async function openStoreForCommand(loaded: LoadedConfig): Promise<Store> {
  const running = await findRunningNode(loaded.config.data)
  if (!running) return openStore(loaded)
  const key = await loadNodeKey(join(loaded.config.data, 'node.key'))
  const couch = connectCouch(running.storeUrl, running)
  const isMirror = loaded.config.mirror !== undefined
  const ledger = new Ledger(couch.database('ledger'), key, new HybridClock(), { isMirror })
  return {
    folder: undefined,
    key,
    couch,
    couchUrl: running.storeUrl,
    prefix: running.prefix,
    ledger,
    [Symbol.asyncDispose]: () => couch[Symbol.asyncDispose](),
  }
}

/** For commands that must have the store to themselves. */
export async function openStoreAlone(loaded: LoadedConfig): Promise<Store> {
  const running = await findRunningNode(loaded.config.data)
  if (running) {
    const text = `a node is running on ${loaded.config.data} (process ${running.processId}); stop it first`
    throw new HyperactiveError('node_running', text, { status: 409 })
  }
  return openStore(loaded)
}
