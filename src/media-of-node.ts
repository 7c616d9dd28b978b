import { join } from 'node:path'
import type { Config, LoadedConfig } from './config/config.ts'
import { openBlobs } from './media/blobs/open.ts'
import { missing } from './media/blobs/problems.ts'
import type { BlobDriver } from './media/blobs/driver.ts'
import { Cleaner } from './media/clean/cleaner.ts'
import { findTools } from './media/clean/tools.ts'
import type { FilesDesk } from './media/keep/desk.ts'
import { diskOf } from './media/keep/desk.ts'
import { FileBook } from './media/keep/book.ts'
import { Hands } from './media/keep/hand.ts'
import { Keeper } from './media/keep/keeper.ts'
import { ServedFiles } from './media/served-files.ts'
import type { Site } from './project/site.ts'
import type { Store } from './store.ts'

/** A node's files: where they are kept, what makes them fit for it, and which of them readers get. */
export interface MediaOfNode extends AsyncDisposable {
  readonly blobs: BlobDriver
  readonly cleaner: Cleaner
  readonly served: ServedFiles
  /** Who has files in hand beside the store; whoever does is to be added. */
  readonly hands: Hands
  /** Knows what files use and removes what nothing names; to be started. */
  readonly keeper: Keeper
  readonly desk: FilesDesk
  /** Has a file fetched from whoever has it. */
  fetch(sha256: string): Promise<void>
}

/** @throws HyperactiveError `blob_store_unusable`, `blob_store_unreachable` */
export async function openMedia(
  { config, secrets }: LoadedConfig,
  { couch, ledger }: Pick<Store, 'couch' | 'ledger'>,
  site: Site,
): Promise<MediaOfNode> {
  await using stack = new AsyncDisposableStack()
  const { data, media } = config
  const blobs = stack.use(await openBlobs(media.store, secrets.media ?? {}, { data, couch }))
  const tools = await findTools(media.tools)
  const cleaner = await Cleaner.open({ folder: join(data, 'media-cleaning'), tools })
  const hands = new Hands()
  const book = stack.use(FileBook.open(data))
  const keeper = stack.use(new Keeper({ blobs, site, ledger: ledger.database, book, hands }))
  const opened = stack.move()
  return {
    blobs,
    cleaner,
    hands,
    keeper,
    fetch: (sha256) => Promise.reject(missing(sha256)),
    desk: { keeper, tools, disk: diskFor(config), jobs: undefined, scarce: undefined },
    served: new ServedFiles(site),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

/** Where files are in a folder, the room that its disk has. */
function diskFor({ data, media }: Config): FilesDesk['disk'] {
  const { store } = media
  return store.kind === 'folder' ? () => diskOf(store.folder ?? join(data, 'media')) : undefined
}
