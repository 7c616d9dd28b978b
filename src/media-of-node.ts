import { join } from 'node:path'
import type { LoadedConfig } from './config/config.ts'
import { openBlobs } from './media/blobs/open.ts'
import type { BlobDriver } from './media/blobs/driver.ts'
import { Cleaner } from './media/clean/cleaner.ts'
import { findTools } from './media/clean/tools.ts'
import { ServedFiles } from './media/served-files.ts'
import { Uploads } from './media/uploads/uploads.ts'
import type { Site } from './project/site.ts'
import type { Store } from './store.ts'

/** A node's files: where they are kept, what makes them fit for it, and which of them readers get. */
export interface MediaOfNode extends AsyncDisposable {
  readonly blobs: BlobDriver
  readonly cleaner: Cleaner
  readonly served: ServedFiles
  /** What comes with forms; a mirror has none. */
  readonly uploads: Uploads | undefined
}

/** @throws HyperactiveError `blob_store_unusable`, `blob_store_unreachable` */
export async function openMedia(
  { config, secrets }: LoadedConfig,
  { couch, key }: Pick<Store, 'couch' | 'key'>,
  site: Site,
): Promise<MediaOfNode> {
  await using stack = new AsyncDisposableStack()
  const { data, media } = config
  const blobs = stack.use(await openBlobs(media.store, secrets.media ?? {}, { data, couch }))
  const tools = await findTools(media.tools)
  const cleaner = await Cleaner.open({ folder: join(data, 'media-cleaning'), tools })
  const uploads = config.mirror
    ? undefined
    : stack.use(
        await Uploads.open({
          folder: join(data, 'uploads'),
          blobs,
          cleaner,
          settings: media.uploads,
          secret: key.derive('uploads'),
        }),
      )
  const opened = stack.move()
  return {
    blobs,
    cleaner,
    uploads,
    served: new ServedFiles(site),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}
