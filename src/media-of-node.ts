import { join } from 'node:path'
import type { LoadedConfig } from './config/config.ts'
import { openBlobs } from './media/blobs/open.ts'
import type { BlobDriver } from './media/blobs/driver.ts'
import { Cleaner } from './media/clean/cleaner.ts'
import { findTools } from './media/clean/tools.ts'
import { ServedFiles } from './media/served-files.ts'
import { BlobNetwork } from './media/share/blob-network.ts'
import type { BlobNetworkOptions } from './media/share/blob-network.ts'
import { mediaStatePath } from './media/share/state.ts'
import type { Site } from './project/site.ts'
import { StateFile } from './state-file.ts'
import type { Store } from './store.ts'

/** A node's files: where they are kept, what makes them fit for it, and which of them readers get. */
export interface MediaOfNode extends AsyncDisposable {
  readonly blobs: BlobDriver
  readonly cleaner: Cleaner
  readonly served: ServedFiles
  /** What the other nodes hold, and the way there. */
  readonly network: BlobNetwork
}

/** How often a node writes down how its files are. */
const STATE_EVERY_MS = 5000

/** @throws HyperactiveError `blob_store_unusable`, `blob_store_unreachable` */
export async function openMedia(
  { config, secrets }: LoadedConfig,
  { couch, ledger, key }: Pick<Store, 'couch' | 'ledger' | 'key'>,
  site: Site,
  ofNetwork: Pick<BlobNetworkOptions, 'membership' | 'refusals' | 'times' | 'signal'>,
): Promise<MediaOfNode> {
  await using stack = new AsyncDisposableStack()
  const { data, media } = config
  const blobs = stack.use(await openBlobs(media.store, secrets.media ?? {}, { data, couch }))
  const tools = await findTools(media.tools)
  const cleaner = await Cleaner.open({ folder: join(data, 'media-cleaning'), tools })
  const served = new ServedFiles(site)
  const isPublic = async (sha256: string) => (await served.find(sha256))?.isShown === true
  const network = stack.use(
    new BlobNetwork({ ...ofNetwork, config, driver: blobs, ledger, key, site, isPublic }),
  )
  stack.use(new StateFile(mediaStatePath(data), () => network.state, STATE_EVERY_MS))
  const opened = stack.move()
  return {
    blobs,
    cleaner,
    served,
    network,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}
