import { join } from 'node:path'
import type { MediaStore, StoreSecrets } from '../../config/media.ts'
import type { Couch } from '../../couch/client.ts'
import { CouchObjects } from './couch-objects.ts'
import type { BlobDriver } from './driver.ts'
import { FolderBlobs } from './folder.ts'
import { ObjectBlobs } from './object-blobs.ts'
import { S3Objects } from './s3-objects.ts'

/**
 * Opens where a node keeps its files.
 *
 * @param options.data the node's data folder
 * @param options.couch the node's store, for files that are kept in it
 * @throws HyperactiveError `blob_store_unusable`, `blob_store_unreachable`
 */
export async function openBlobs(
  store: MediaStore,
  secrets: StoreSecrets,
  { data, couch }: { data: string; couch: Couch },
): Promise<BlobDriver> {
  if (store.kind === 'folder') return FolderBlobs.open(store.folder ?? join(data, 'media'))
  const objects = store.kind === 's3' ? new S3Objects(store, secrets) : await CouchObjects.open(couch)
  return new ObjectBlobs(objects, join(data, 'media-incoming'))
}
