import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { findRunningNode } from './config/data-folder.ts'
import type { LoadedConfig } from './config/config.ts'
import { deployDesignDoc, designInForce } from './couch/design-docs.ts'
import { HyperactiveError } from './errors.ts'
import { openBlobs } from './media/blobs/open.ts'
import type { BlobDriver } from './media/blobs/driver.ts'
import { derivationsFile } from './media/derive/derivations.ts'
import { JobFile } from './media/derive/jobs.ts'
import { FileBook } from './media/keep/book.ts'
import { Hands } from './media/keep/hand.ts'
import { Keeper } from './media/keep/keeper.ts'
import { askNode } from './media/keep/requests.ts'
import { UploadRows } from './media/uploads/rows.ts'
import { SITE_DATABASE } from './project/rebuild.ts'
import { Site } from './project/site.ts'
import { openStoreForCommand } from './store.ts'
import type { Store } from './store.ts'

/** A node's files as a command sees them: beside the node that runs, or instead of it. */
export interface MediaForCommand extends AsyncDisposable {
  readonly store: Store
  readonly site: Site
  readonly blobs: BlobDriver
  readonly keeper: Keeper
  readonly hands: Hands
  /** Whether a node runs, which then does what takes more than reading. */
  readonly isRunning: boolean
  /**
   * Has the running node do something.
   *
   * @throws what it answers, or HyperactiveError `node_ended`
   */
  ask: (what: string, given: unknown) => Promise<unknown>
}

export async function openMediaForCommand(loaded: LoadedConfig): Promise<MediaForCommand> {
  const { config, secrets } = loaded
  const { data, media } = config
  await using stack = new AsyncDisposableStack()
  const store = stack.use(await openStoreForCommand(loaded))
  const isRunning = store.folder === undefined
  const database = await store.couch.ensureDatabase(SITE_DATABASE)
  const design = isRunning ? await designInForce(database) : (await deployDesignDoc(database)).inForce()
  if (design === undefined) {
    const text = 'the node has not finished its first start yet; ask again in a moment'
    throw new HyperactiveError('node_starting', text, { status: 503 })
  }
  const site = new Site(database, () => design)
  const blobs = stack.use(await openBlobs(media.store, secrets.media ?? {}, { data, couch: store.couch }))
  const book = stack.use(FileBook.open(data))
  const hands = handsOf(stack, data)
  const keeper = stack.use(new Keeper({ blobs, site, ledger: store.ledger.database, book, hands }))
  const opened = stack.move()
  return {
    store,
    site,
    blobs,
    keeper,
    hands,
    isRunning,
    ask: (what, given) => askNode(book, what, given, async () => (await findRunningNode(data)) !== undefined),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

/** What a node has in hand, as its own lists say. */
function handsOf(stack: AsyncDisposableStack, data: string): Hands {
  const hands = new Hands()
  const uploads = join(data, 'uploads', 'uploads.sqlite')
  if (existsSync(uploads)) {
    const rows = stack.use(UploadRows.open(uploads))
    hands.add({ isWaiting: (sha256) => rows.has(sha256) })
  }
  const derivations = derivationsFile(data)
  if (existsSync(derivations)) {
    const jobs = stack.use(JobFile.reading(derivations))
    hands.add({ isWaiting: (sha256) => jobs.isKept(sha256) })
  }
  return hands
}
